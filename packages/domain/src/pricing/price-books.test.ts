import { test } from 'tap';
import { priceBookDecider } from '../catalogue/price-book.ts';
import { bookVersion } from '../testing/books.ts';
import type { PriceBookContent } from './price-book.ts';
import { PriceBooks } from './price-books.ts';

const priceOf = (credits: string): PriceBookContent => ({
  models: { m: { prices: { calls: { credits, per: 1 } } } },
});
const NONE: PriceBookContent = { models: {} };
const books = (...versions: readonly [version: number, from: number, content: PriceBookContent][]) =>
  versions.reduce(
    (all, [version, from, content]) => all.with(bookVersion('default', version, from, content)),
    new PriceBooks(),
  );

test('in force is the highest version whose date has come (rule 24)', async (t) => {
  const all = books([1, 0, priceOf('1')], [2, 100, priceOf('2')], [3, 50, priceOf('3')]);
  t.equal(all.inForce('default', 49)?.version, 1);
  t.equal(all.inForce('default', 50)?.version, 3);
  t.equal(all.inForce('default', 99)?.version, 3);
  // Version 3 is later than 2, and its date has come: 2 never is in force.
  t.equal(all.inForce('default', 1_000)?.version, 3);
  t.equal(all.inForce('default', -1), undefined);
  t.equal(all.latest('default')?.version, 3);
});

test('versions may arrive in any order, and twice', async (t) => {
  const all = books([2, 100, priceOf('2')], [1, 0, priceOf('1')], [2, 100, priceOf('2')]);
  t.equal(all.latest('default')?.version, 2);
  t.equal(all.inForce('default', 0)?.version, 1);
  t.equal(all.version('default', 2)?.effectiveFrom, 100);
  t.equal(all.version('default', 3), undefined);
});

test('a picture never changes: another version makes another picture', async (t) => {
  const before = books([1, 0, priceOf('1')]);
  const after = before.with(bookVersion('default', 2, 0, priceOf('2')));
  t.equal(before.latest('default')?.version, 1);
  t.equal(after.latest('default')?.version, 2);
});

test('repricing takes the version in force, else the earliest later one that has a price, and says which', async (t) => {
  const all = books([1, 0, NONE], [2, 100, NONE], [3, 200, priceOf('3')], [4, 300, priceOf('4')]);
  const late = all.priceLater('default', 0, 'm', { calls: 1 }, 1_000);
  t.equal(late.by, 'later_version');
  t.match(late.outcome, { status: 'priced', credits: 3_000_000n });
  const inForce = all.priceLater('default', 300, 'm', { calls: 1 }, 1_000);
  t.equal(inForce.by, 'in_force');
  t.match(inForce.outcome, { credits: 4_000_000n });
  t.match(all.priceLater('default', 0, 'other', { calls: 1 }, 1_000).outcome, {
    status: 'unpriced',
    reason: 'no_model',
  });
});

test('repricing takes no version that is not in force yet', async (t) => {
  const all = books([1, 0, NONE], [2, 5_000, priceOf('2')]);
  t.match(all.priceLater('default', 0, 'm', { calls: 1 }, 4_999).outcome, { status: 'unpriced' });
  t.match(all.priceLater('default', 0, 'm', { calls: 1 }, 5_000).outcome, { status: 'priced' });
});

test('repricing never goes back to an older version', async (t) => {
  const all = books([1, 0, priceOf('1')], [2, 100, NONE]);
  t.match(all.priceLater('default', 100, 'm', { calls: 1 }, 1_000), {
    by: 'in_force',
    outcome: { status: 'unpriced' },
  });
});

const publish = (content: PriceBookContent, effectiveFrom: number | null = null) =>
  ({ type: 'PublishPriceBook', key: null, fingerprint: null, content, effectiveFrom }) as const;
const context = { now: 5_000, catalogue: undefined, catalogueIsFresh: true, facts: new Map() };

function published(...commands: readonly ReturnType<typeof publish>[]): string[] {
  const state = priceBookDecider.initial('default');
  return commands.map((command, index) => {
    const decision = priceBookDecider.decide(state, command, context);
    if (decision.kind !== 'accepted') return decision.kind;
    for (const event of decision.events) priceBookDecider.evolve(state, event, index);
    return `${state.version}`;
  });
}

test('the same content as the latest makes no version; A, B, A makes three', async (t) => {
  const [a, b] = [priceOf('1'), priceOf('2')];
  t.same(published(publish(a), publish(a), publish(b), publish(a)), ['1', 'unchanged', '2', '3']);
});

test('the same content with another date is another version, with the same date none', async (t) => {
  const a = priceOf('1');
  t.same(published(publish(a, 9_000), publish(a, 9_000), publish(a, 8_000), publish(a)), [
    '1',
    'unchanged',
    '2',
    'unchanged',
  ]);
});

test('the order of members is no other content', async (t) => {
  const a: PriceBookContent = { models: { x: { prices: {} }, y: { prices: {} } } };
  const b: PriceBookContent = { models: { y: { prices: {} }, x: { prices: {} } } };
  t.same(published(publish(a), publish(b)), ['1', 'unchanged']);
});

test('without a date a version holds from now on', async (t) => {
  const decision = priceBookDecider.decide(priceBookDecider.initial('default'), publish(NONE), context);
  t.match(decision, { events: [{ data: { version: 1, effective_from: '1970-01-01T00:00:05.000Z' } }] });
});
