import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import t from 'tap';

async function run(...args: string[]) {
  const main = fileURLToPath(new URL('./fuzz-main.ts', import.meta.url));
  const child = spawn(process.execPath, [main, ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
  const exit = once(child, 'exit');
  const [out, said] = await Promise.all([text(child.stdout), text(child.stderr)]);
  const [code] = await exit;
  return { code, out, said };
}

t.test('what is asked wrongly ends with 2 and one line, help with 0 and the usage', async (t) => {
  t.match(await run('--nope'), { code: 2, out: '', said: /^pnpm fuzz: .*'--nope'.*\n$/ });
  t.match(await run('--seconds', '0'), { code: 2, out: '', said: /^pnpm fuzz: --seconds must be .*\n$/ });
  t.match(await run('--help'), { code: 0, out: /^pnpm fuzz \[--seconds 60\]/, said: '' });
});
