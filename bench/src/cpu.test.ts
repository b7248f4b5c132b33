import { spawn } from 'node:child_process';
import { once } from 'node:events';
import t from 'tap';
import { cpuOf, parseStat } from './cpu.ts';

t.test('a process counts with the children that it has waited for, whatever its name holds', async (t) => {
  const text = '42 (odd) name (x) S 7 42 42 0 -1 4194304 100 0 0 0 11 22 33 44 20 0 1 0 12345 1000 200';
  t.same(parseStat(text), { pid: 42, parent: 7, us: 1_100_000 });
});

const skip = cpuOf({}) === null && 'there is no /proc on this system';

t.test('work of a child counts for the nearest ancestor that is named', { skip }, async (t) => {
  const busy =
    'const end = Date.now() + 300; while (Date.now() < end); process.stdout.write("done"); setInterval(() => {}, 1000)';
  const child = spawn(
    process.execPath,
    [
      '-e',
      `require('node:child_process').spawn(process.execPath, ['-e', ${JSON.stringify(busy)}], { stdio: 'inherit' })`,
    ],
    {
      stdio: ['pipe', 'pipe', 'inherit'],
      detached: true,
    },
  );
  t.teardown(() => process.kill(-(child.pid ?? 0), 'SIGKILL'));
  await once(child.stdout, 'data');
  const used = cpuOf({ child: [child.pid ?? 0], nobody: [] });
  t.ok((used?.child ?? 0) >= 100_000, 'the grandchild has worked');
  t.equal(used?.nobody, 0);
});
