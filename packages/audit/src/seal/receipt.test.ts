import { hash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import t from 'tap';
import { rehashed, SealedLedger } from '../testing/sealed.ts';
import { fromHex, rootFrom, toHex } from './merkle.ts';
import { makeReceipt, NoReceipt, parseReceipt, type Receipt } from './receipt.ts';
import { eventLeaf, rangeLeaf } from './seal.ts';
import { sealsOf, verifyReceipt } from './verify-receipt.ts';

const ledger = new SealedLedger();
await ledger.write('wallet-acme', 5);
await ledger.write('wallet-secret-customer', 3);
await ledger.write('wallet-other', 1);
await ledger.seal();
await ledger.write('wallet-acme', 6);
await ledger.write('wallet-secret-customer', 2);
await ledger.seal();

t.test('every entry has a receipt that proves it', async (t) => {
  for (let revision = 0; revision < 11; revision++) {
    const receipt = await ledger.receipt('wallet-acme', revision);
    const text = JSON.stringify(receipt);
    t.equal(verifyReceipt(parseReceipt(text)), null, receipt.entry_id);
    t.notMatch(text, /secret|USD|\.77/, 'and says nothing of others, nor of money');
  }
});

/** Whether the receipt can be read and holds. */
function holds(text: string): boolean {
  try {
    return verifyReceipt(parseReceipt(text)) === null;
  } catch (error) {
    if (error instanceof NoReceipt) return false;
    throw error;
  }
}

t.test('a receipt with any character changed does not hold', async () => {
  const text = JSON.stringify(await ledger.receipt('wallet-acme', 7));
  const change = fc.record({
    at: fc.nat({ max: text.length - 1 }),
    to: fc.string({ minLength: 1, maxLength: 1 }),
  });
  fc.assert(
    fc.property(change, ({ at, to }) => {
      const changed = text.slice(0, at) + to + text.slice(at + 1);
      // White space between members is no part of what it says.
      return JSON.stringify(safely(changed)) === text || !holds(changed);
    }),
    { numRuns: 3_000 },
  );
});

function safely(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

type Change = (receipt: Receipt) => Receipt;
const CHANGES: readonly [string, Change][] = [
  ['another entry', (r) => ({ ...r, entry_id: 'wallet-acme:8' })],
  ['another account', (r) => ({ ...r, entry_id: 'wallet-other:7' })],
  ['a longer range', (r) => ({ ...r, range: { ...r.range, to: r.range.to + 1 } })],
  ['a shorter range', (r) => ({ ...r, range: { ...r.range, to: r.range.to - 1 } })],
  ['a range elsewhere', (r) => ({ ...r, range: { ...r.range, from: r.range.from + 1, to: r.range.to + 1 } })],
  ['a range that does not have it', (r) => ({ ...r, range: { ...r.range, from: 8 } })],
  ['another place in the seal', (r) => ({ ...r, seal: { ...r.seal, index: 1 } })],
  ['another number', (r) => ({ ...r, seal: { ...r.seal, number: 1 } })],
  ['another type', (r) => ({ ...r, event: { ...r.event, type: 'UsageCharged' } })],
  ['a path cut', (r) => ({ ...r, range: { ...r.range, path: r.range.path.slice(1) } })],
  [
    'more in the seal',
    (r) => ({ ...r, seal: { ...r.seal, data: r.seal.data.replace('"ranges":2', '"ranges":3') } }),
  ],
];
for (const [what, change] of CHANGES) {
  t.test(`a receipt with ${what} does not hold`, async (t) => {
    const receipt = await ledger.receipt('wallet-acme', 7);
    const changed = change(receipt);
    t.notSame(changed, receipt);
    t.equal(holds(JSON.stringify(changed)), false);
  });
}

t.test(
  'an event that was changed with its whole chain since does not fit the seal that was kept',
  async (t) => {
    const receipt = await ledger.receipt('wallet-acme', 4);
    const events = [...(await ledger.store.readStream('wallet-acme', { from: 0, limit: 5 }))];
    const [last] = events.splice(4);
    const [seal] = await ledger.store.readStream('seal-ledger', { from: 0, limit: 1 });
    if (last === undefined || seal === undefined) throw new Error('no such event');
    const data = last.data.replace('"credits":"5"', '"credits":"1"');
    t.not(data, last.data);
    events.push(rehashed({ ...last, data }, receipt.event.previous_hash));
    const forged = makeReceipt({
      stream: 'wallet-acme',
      revision: 4,
      events,
      before: null,
      seal,
      sealBefore: null,
    });
    t.match(verifyReceipt(forged), { what: 'the root of the seal' });
  },
);

const BAD: readonly [string, unknown, RegExp][] = [
  ['not JSON', undefined, /must be JSON/],
  ['a list', [], /the receipt must be an object/],
  ['more than the members', { extra: 1 }, /these members and no others/],
  ['another version', { version: 2 }, /version must be 1/],
  ['an entry without a revision', { entry_id: 'wallet-acme' }, /entry_id must be/],
  ['a revision written otherwise', { entry_id: 'wallet-acme:00' }, /entry_id must be/],
  ['a number in place of a range', { range: 7 }, /range must be an object/],
];
for (const [what, change, message] of BAD) {
  t.test(`${what} is no receipt`, async (t) => {
    const receipt = await ledger.receipt('wallet-acme', 0);
    const given = Array.isArray(change) ? change : { ...receipt, ...(change as object) };
    const text = change === undefined ? 'receipt' : JSON.stringify(given);
    t.throws(() => parseReceipt(text), { name: 'NoReceipt', message });
  });
}

t.test('digests, counts and paths are checked by name', async (t) => {
  const receipt = await ledger.receipt('wallet-acme', 7);
  const refused = (changed: unknown) => {
    try {
      parseReceipt(JSON.stringify(changed));
      return 'accepted';
    } catch (error) {
      return (error as Error).message;
    }
  };
  t.match(refused({ ...receipt, event: { ...receipt.event, hash: 'AB' } }), /^event\.hash must be 64/);
  t.match(refused({ ...receipt, seal: { ...receipt.seal, index: -1 } }), /^seal\.index must be a whole/);
  t.match(refused({ ...receipt, range: { ...receipt.range, path: ['x'] } }), /^range\.path\[0\] must be 64/);
  t.match(refused({ ...receipt, event: { ...receipt.event, data: 7 } }), /^event\.data must be a text/);
});

t.test('each step of the document comes to what it says', async (t) => {
  const document = readFileSync(new URL('../../../../docs/receipts.md', import.meta.url), 'utf8');
  const receipt = parseReceipt(/```json\n([\s\S]*?)```/.exec(document)?.[1] ?? '');
  const { event, range, seal } = receipt;
  const told = [...document.matchAll(/^\| .* \| `([0-9a-f]{64})` \|$/gm)].map(([, value]) => value);
  const ofEvent = eventLeaf(event.hash);
  const rangeRoot = toHex(rootFrom(ofEvent, { index: 2, size: 4 }, range.path.map(fromHex)) ?? ofEvent);
  const ofRange = rangeLeaf(['wallet-acme', 2, 5, rangeRoot]);
  const root = rootFrom(ofRange, { index: 1, size: 3 }, seal.path.map(fromHex)) ?? ofRange;
  t.same(told, [
    hash('sha256', `${event.type}\n${event.data}`, 'hex'),
    event.hash,
    toHex(ofEvent),
    rangeRoot,
    toHex(ofRange),
    toHex(root),
    ...sealsOf(receipt).map(({ hash }) => hash),
  ]);
  t.equal(seal.hash, told[6]);
});
