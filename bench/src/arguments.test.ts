import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import t from 'tap';

t.test('what is asked wrongly ends with 2 and one line, help with 0 and the usage', async (t) => {
  for (const [script, name] of [
    ['main.ts', 'bench'],
    ['soak.ts', 'soak'],
    ['growth.ts', 'growth'],
  ] as const) {
    const main = fileURLToPath(new URL(script, import.meta.url));
    const run = (...args: string[]) => {
      const { status, stdout, stderr } = spawnSync(process.execPath, [main, ...args], { encoding: 'utf8' });
      return { code: status, out: stdout, said: stderr };
    };
    const line = new RegExp(`^pnpm ${name}: .*'--nope'.*\\n$`);
    t.match(run('--nope'), { code: 2, out: '', said: line }, `${name} --nope`);
    t.match(run('--help'), { code: 0, out: new RegExp(`^pnpm ${name} \\[`), said: '' }, `${name} --help`);
    t.match(run('--rounds', '0', '--minutes', '1').code, 2, `${name} with values out of range`);
  }
});
