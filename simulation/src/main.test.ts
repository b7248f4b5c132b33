import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import t from 'tap';

const main = fileURLToPath(new URL('./main.ts', import.meta.url));

t.test('what is asked wrongly ends with 2 and one line, help with 0 and the usage', async (t) => {
  for (const [args, status, out, said] of [
    [['--nope'], 2, /^$/, /^pnpm sim: .*'--nope'.*\n$/],
    [['--seeds', 'many'], 2, /^$/, /^pnpm sim: seeds and jobs are whole numbers.*\n$/],
    [['--help'], 0, /^pnpm sim \[--seeds n\]/, /^$/],
  ] as const) {
    const {
      status: code,
      stdout,
      stderr,
    } = spawnSync(process.execPath, [main, ...args], { encoding: 'utf8' });
    t.match({ code, out: stdout, said: stderr }, { code: status, out, said }, args.join(' '));
  }
});
