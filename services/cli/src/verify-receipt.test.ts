/** The command, and `docs/receipts.md`: its example and its verifier are held against each other. */
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import t from 'tap';
import { runCli } from './cli.ts';

const folder = mkdtempSync(join(tmpdir(), 'tallystick-receipt-'));
t.teardown(() => rmSync(folder, { recursive: true, force: true }));
const document = readFileSync(new URL('../../../docs/receipts.md', import.meta.url), 'utf8');
const example = /```json\n([\s\S]*?)```/.exec(document)?.[1] ?? '';
const verifier = /```python\n([\s\S]*?)```/.exec(document)?.[1] ?? '';
const { hash } = JSON.parse(example).seal;

function fileOf(name: string, text: string): string {
  const file = join(folder, name);
  writeFileSync(file, text);
  return file;
}

/** Without any setting: nobody who has a receipt has those. */
async function verify(...args: string[]): Promise<{ code: number; result: string; said: string }> {
  let result = '';
  const said: string[] = [];
  const results = new Writable({
    write(chunk, _, done) {
      result += String(chunk);
      done();
    },
  });
  const output = { results, isTerminal: false, line: (text: string) => void said.push(text) };
  const code = await runCli(['verify-receipt', ...args], { environment: {}, output });
  return { code, result, said: said.join('\n') };
}

const good = fileOf('good.json', example);

t.test('the example of the document holds, against the seal that the document tells to keep', async (t) => {
  const { code, result } = await verify(good);
  t.equal(code, 0);
  t.match(result, /This receipt holds\. Entry wallet-acme:4 \(UsageCharged\)/);
  t.match(result, /Whether seal 2 is the ledger's/, 'without a seal that was kept it says so');
  const kept = /--seal ([0-9a-f]{64})/.exec(document)?.[1] ?? '';
  t.equal(kept, hash);
  const held = await verify(good, '--seal', kept);
  t.match([held.code, held.result], [0, /It is the seal that you have kept/]);
  t.notMatch(held.result, /Whether seal 2/);
});

const CHANGES: readonly [string, (text: string) => string, RegExp][] = [
  [
    'amount',
    (text) => text.replace('\\"credits\\":\\"21\\"', '\\"credits\\":\\"2\\"'),
    /the hash of the event/,
  ],
  [
    'entry',
    (text) => text.replace('wallet-acme:4', 'wallet-acme:5'),
    /the path in the range|the root of the seal/,
  ],
  ['seal', (text) => text.replace('"number": 2', '"number": 3'), /the number of the seal/],
  ['account', (text) => text.replace('wallet-acme:4', 'wallet-acmf:4'), /the root of the seal/],
];
for (const [what, change, message] of CHANGES) {
  t.test(`another ${what} does not hold, and is named`, async (t) => {
    const changed = change(example);
    t.not(changed, example);
    const { code, result } = await verify(fileOf(`${what}.json`, changed));
    t.match([code, result], [1, message]);
    const asJson = await verify(join(folder, `${what}.json`), '--json');
    t.match(JSON.parse(asJson.result), { verified: false, what: message });
  });
}

t.test('a seal that is not the one that was kept is a difference', async (t) => {
  const { code, result } = await verify(good, '--seal', '0'.repeat(64));
  t.match([code, result], [1, /the hash of the seal should be 0{64}/]);
});

t.test('with --json it answers what is proved', async (t) => {
  const { code, result } = await verify(good, '--seal', hash, '--json');
  t.equal(code, 0);
  t.match(JSON.parse(result), {
    verified: true,
    entry_id: 'wallet-acme:4',
    type: 'UsageCharged',
    seal: { number: 2, hash, kept: true },
  });
});

t.test('what is asked wrongly ends with 2', async (t) => {
  t.match(await verify(join(folder, 'nothing.json')), { code: 2, said: /cannot be read/ });
  t.match(await verify(fileOf('text.json', 'text')), {
    code: 2,
    said: /is no receipt: the receipt must be JSON/,
  });
  t.match(await verify(fileOf('short.json', '{"version":1}')), {
    code: 2,
    said: /these members and no others/,
  });
  t.match(await verify(good, '--seal', 'abc'), { code: 2, said: /64 hexadecimal digits/ });
  t.match(await verify(), { code: 2 });
});

const python = spawnSync('python3', ['--version']).status === 0;
t.test(
  'the verifier of the document agrees',
  { skip: python ? false : 'no python3 on the PATH' },
  async (t) => {
    const script = fileOf('verifier.py', verifier);
    t.equal(execFileSync('python3', [script, good], { encoding: 'utf8' }), `2 ${hash}\n`);
    for (const [what, change] of CHANGES) {
      const { status } = spawnSync('python3', [script, fileOf(`${what}-2.json`, change(example))]);
      t.equal(status, 1, what);
    }
  },
);
