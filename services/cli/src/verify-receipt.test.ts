/** The command, and `docs/receipts.md`: its example and its verifier are held against each other. */
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import { parseReceipt, sealsOf } from '@tallystick/audit';
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
  const kept = /--seal (4:[0-9a-f]{64})/.exec(document)?.[1] ?? '';
  t.match(await verify(good, '--seal', kept), {
    code: 0,
    result:
      /This receipt holds\..*It was part of the ledger.*Seal 4, which follows from it, is the one that you have/s,
  });
  const own = await verify(good, '--seal', hash.toUpperCase());
  t.match(own, { code: 0, result: /It is the seal that you have kept/ });
});

t.test(
  'without a seal that was kept it says no more than that the receipt is consistent in itself',
  async (t) => {
    const { code, result } = await verify(good);
    t.equal(code, 0);
    t.match(result, /consistent in itself\. Entry wallet-acme:4 \(UsageCharged\)/);
    t.match(result, /compare the seal's hash with one that was kept \(--seal\)/);
    t.notMatch(result, /was part of the ledger|holds/);
    const asJson = JSON.parse((await verify(good, '--json')).result);
    t.match(asJson, { consistent: true, kept: null, seal: { number: 2, hash }, last_seal: { number: 4 } });
  },
);

const OTHER = '0'.repeat(64);
const { later, ...withoutLinks } = JSON.parse(example);

t.test('a seal of the receipt with another hash than the one that was kept is a difference', async (t) => {
  t.match(await verify(good, '--seal', `2:${OTHER}`), {
    code: 1,
    result: /does not hold\..*the hash of seal 2 should be 0{64}/,
  });
  const { code, result } = await verify(good, '--seal', `4:${OTHER}`, '--json');
  t.match([code, JSON.parse(result)], [1, { consistent: true, kept: false, what: 'the hash of seal 4' }]);
});

t.test('a seal that the receipt does not come to accuses nobody: it says what to ask for', async (t) => {
  const plain = fileOf('plain.json', JSON.stringify(withoutLinks));
  const NOT_COMPARED: readonly [string, string, RegExp][] = [
    [plain, `4:${OTHER}`, /of another seal, 4, .* shows seal 2: .*cannot be compared.*\?seal=4$/],
    [good, `9:${OTHER}`, /of another seal, 9, .* shows seals 2 to 4: .*\?seal=9$/],
    [good, `1:${OTHER}`, /of another seal, 1, made before this entry was sealed in seal 2/],
    [plain, OTHER, /none of seal 2\. If it is of another seal, .*cannot be compared.*--seal <number>:<hash>/],
  ];
  for (const [file, kept, said] of NOT_COMPARED)
    t.match(await verify(file, '--seal', kept), { code: 2, result: '', said }, kept);
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
  ['link', (text) => text.replace('\\"number\\":4', '\\"number\\":5'), /the number of a later seal/],
  ['account', (text) => text.replace('wallet-acme:4', 'wallet-acmf:4'), /the root of the seal/],
];
for (const [what, change, message] of CHANGES) {
  t.test(`another ${what} does not hold, and is named`, async (t) => {
    const changed = change(example);
    t.not(changed, example);
    const { code, result } = await verify(fileOf(`${what}.json`, changed));
    t.match([code, result], [1, message]);
    const asJson = await verify(join(folder, `${what}.json`), '--json');
    t.match(JSON.parse(asJson.result), { consistent: false, kept: null, what: message });
  });
}

t.test('with --json it answers what is proved', async (t) => {
  const { code, result } = await verify(good, '--seal', hash, '--json');
  t.equal(code, 0);
  t.match(JSON.parse(result), {
    consistent: true,
    kept: true,
    entry_id: 'wallet-acme:4',
    type: 'UsageCharged',
    seal: { number: 2, hash },
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
    const seals = sealsOf(parseReceipt(example)).map((seal) => `${seal.number} ${seal.hash}\n`);
    t.match(seals, [`2 ${hash}`, /^3 /, /^4 /]);
    t.equal(execFileSync('python3', [script, good], { encoding: 'utf8' }), seals.join(''));
    const plain = fileOf('plain-2.json', JSON.stringify(withoutLinks));
    t.equal(execFileSync('python3', [script, plain], { encoding: 'utf8' }), `2 ${hash}\n`);
    for (const [what, change] of CHANGES) {
      const { status } = spawnSync('python3', [script, fileOf(`${what}-2.json`, change(example))]);
      t.equal(status, 1, what);
    }
  },
);
