import { hashOf } from '@tallystick/event-store';
import t from 'tap';
import { SealedLedger } from '../testing/sealed.ts';
import { compareKept, readKeptSeal } from './kept.ts';
import { NoReceipt, parseReceipt, type Receipt } from './receipt.ts';
import { SEALS } from './seal.ts';
import { sealsOf, verifyReceipt } from './verify-receipt.ts';

const ledger = new SealedLedger();
for (let seal = 0; seal < 5; seal++) {
  await ledger.write('wallet-acme', 2);
  await ledger.seal();
}
const stored = await ledger.store.readStream(SEALS, { from: 0, limit: 10 });
const hashes = stored.map(hashOf);
/** Of an entry in seal 2, that leads to seal 4. */
const leading = await ledger.receipt('wallet-acme', 2, 4);
const [third, fourth] = leading.later ?? [];
if (third === undefined || fourth === undefined) throw new Error('no links');
const plain = await ledger.receipt('wallet-acme', 2);
const hashAt = (number: number): string => hashes[number - 1] ?? '';

t.test('the links of a receipt come to the hashes of the seals after its own', async (t) => {
  t.equal(verifyReceipt(parseReceipt(JSON.stringify(leading))), null);
  t.same(
    sealsOf(leading),
    [2, 3, 4].map((number) => ({ number, hash: hashAt(number) })),
  );
  t.same(sealsOf(plain), [{ number: 2, hash: hashAt(2) }]);
});

const OTHER = 'f'.repeat(64);
const COMPARED: readonly [string, Receipt, number | null, string, string][] = [
  ['its own seal', plain, 2, hashAt(2), 'same'],
  ['its own seal, by the hash alone', plain, null, hashAt(2), 'same'],
  ['a seal that its links come to', leading, 4, hashAt(4), 'same'],
  ['one in between, by the hash alone', leading, null, hashAt(3), 'same'],
  ['its own seal with another hash', plain, 2, OTHER, 'differs'],
  ['a later one with another hash', leading, 4, hashAt(5), 'differs'],
  ['a seal that it does not lead to', plain, 4, hashAt(4), 'not_compared'],
  ['a seal from before', leading, 1, hashAt(1), 'not_compared'],
  ['a hash of nobody knows which', leading, null, hashAt(5), 'not_compared'],
];
for (const [what, receipt, number, hash, status] of COMPARED) {
  t.test(`a receipt and ${what}: ${status}`, async (t) => {
    t.equal(compareKept(receipt, { number, hash }).status, status);
  });
}

t.test('a link that was changed comes to another hash than the one that was kept', async (t) => {
  const forged = { ...leading, later: [{ ...third, internal: OTHER }, fourth] };
  t.equal(verifyReceipt(forged), null, 'it cannot be seen from the receipt alone');
  t.match(compareKept(forged, { number: 4, hash: hashAt(4) }), { status: 'differs', seal: { number: 4 } });
});

const swapped = { ...third, data: third.data.replace('"root":"', '"root":"0') };
const CONTRADICTIONS: readonly [string, Receipt['later'], string][] = [
  ['a link left out', [fourth], 'the number of a later seal'],
  ['links in another order', [fourth, third], 'the number of a later seal'],
  ['a link with another root', [swapped, fourth], 'the previous root in seal 4'],
  ['a link that is no seal', [{ ...third, data: '{}' }], 'the text of seal 3'],
];
for (const [what, later, named] of CONTRADICTIONS) {
  t.test(`a receipt with ${what} does not hold`, async (t) => {
    t.match(verifyReceipt({ ...plain, later: later ?? [] }), { what: named });
  });
}

t.test('links are read as strictly as the rest', async (t) => {
  const refused = (later: unknown, message: RegExp) =>
    t.throws(() => parseReceipt(JSON.stringify({ ...plain, later })), { name: NoReceipt.name, message });
  refused({}, /^later must be a list/);
  refused([third, 7], /^later\[1\] must be an object/);
  refused([{ ...third, hash: OTHER }], /^later\[0\] must have these members and no others: data, internal/);
  refused([{ ...third, internal: 'x' }], /^later\[0\]\.internal must be 64/);
  refused(null, /^later must be a list/);
});

t.test('a kept seal is number and hash, or the hash alone, in digits of either case', async (t) => {
  const hash = hashAt(1);
  t.same(readKeptSeal(`17:${hash}`), { number: 17, hash });
  t.same(readKeptSeal(hash.toUpperCase()), { number: null, hash });
  for (const text of ['', 'abc', `0:${hash}`, `x:${hash}`, `1:${hash}0`, `1:2:${hash}`, ` ${hash}`])
    t.equal(readKeptSeal(text), null, text);
});
