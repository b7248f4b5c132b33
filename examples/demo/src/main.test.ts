/** The demo as its user runs it: a process, piped, against a ledger of its own. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import t from 'tap';

async function demo(...args: string[]): Promise<{ code: number; out: string; err: string }> {
  // Nothing of the developer's own settings, and nothing of the test runner's hooks.
  const { PATH = '', HOME = '', TMPDIR } = process.env;
  const child = spawn(process.execPath, [join(import.meta.dirname, 'main.ts'), ...args], {
    env: { PATH, HOME, ...(TMPDIR === undefined ? {} : { TMPDIR }) },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const [[code], out, err] = await Promise.all([once(child, 'exit'), text(child.stdout), text(child.stderr)]);
  return { code, out, err };
}

t.test('three calls older than most are charged, and the books come to zero', async (t) => {
  const rows = [
    '2022-11-16 18:17:03.97,1000,100',
    '2022-11-16 18:17:04,1000,100',
    '1970-01-01 00:00:00,1000,100',
  ];
  const folder = t.testdir({ 'three.csv': rows.join('\n') });
  const { code, out, err } = await demo(join(folder, 'three.csv'));
  t.equal(err, '');
  // (1000 x 2.50 + 100 x 10.00) / 10^6 x 1.35 = 0.004725 USD, rounded up to 48 credits of 0.0001 USD, three times.
  t.match(
    out,
    /^3 calls from three\.csv, as usage of 200 accounts\n\n {2}charges +3\n {2}credits charged +144\n/,
  );
  t.match(out, /\n {2}revenue released +0\.0144 USD\n/);
  t.match(out, /\n {2}credits +0 {3}over/);
  t.match(out, /\n {2}USD +0 {3}over/);
  t.notMatch(out, /unpriced|\n\n\n/);
  t.equal(code, 0);
});

t.test('a call that was not charged is shown as what it is, and the demo fails', async (t) => {
  // More tokens than one charge can come to: the ledger parks it as unpriced.
  const rows = ['2023-11-16 18:17:03,1000,100', '2023-11-16 18:17:03,999999999999,999999999999'];
  const folder = t.testdir({ 'large.csv': rows.join('\n') });
  const { code, out } = await demo(join(folder, 'large.csv'));
  t.match(out, /\n {2}charges +1\n {2}unpriced +1\n/);
  t.equal(code, 1);
});

t.test('bad input ends in one line and 2, before anything starts', async (t) => {
  const folder = t.testdir({ 'bad.csv': '2023-11-16 18:17:03,1000\n' });
  const bad = await demo(join(folder, 'bad.csv'));
  t.match(bad.err, /^demo: .*bad\.csv, line 1: the number of output tokens is missing\n$/);
  t.strictSame([bad.code, bad.out], [2, '']);
  const option = await demo('--fast');
  t.match(option.err, /^demo: Unknown option '--fast'.*\n$/);
  t.equal(option.code, 2);
});
