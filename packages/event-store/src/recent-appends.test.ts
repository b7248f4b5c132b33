import { test } from 'tap';
import { someEvents } from './contract/fixtures.ts';
import { RecentAppends } from './recent-appends.ts';

const append = (count: number, expected = -1) => ({
  stream: 'wallet-a',
  expected,
  events: someEvents(count),
});
const positions = (recent: RecentAppends, after: bigint, limit = 10): bigint[] =>
  recent.after(after, limit)?.events.map(({ position }) => position) ?? [];

/** As a projector does, which looks before anything is there. */
function asked(): RecentAppends {
  const recent = new RecentAppends();
  recent.after(0n, 1);
  return recent;
}

test('nothing is kept where nobody reads', async (t) => {
  const recent = new RecentAppends();
  recent.add(append(2), 2n);
  t.same(positions(recent, 0n), []);
});

test('what was written is known by its positions and revisions, in pages', async (t) => {
  const recent = asked();
  recent.add(append(2, 4), 12n);
  recent.add(append(1, 0), 13n);
  t.same(positions(recent, 10n), [11n, 12n, 13n]);
  t.same(positions(recent, 11n, 1), [12n]);
  t.same(positions(recent, 13n), []);
  t.same(
    recent.after(10n, 3)?.events.map(({ revision }) => revision),
    [5, 6, 1],
  );
});

test('before the run nothing is known: the table is asked', async (t) => {
  const recent = asked();
  recent.add(append(1), 12n);
  t.same(positions(recent, 5n), []);
});

test('where another process wrote in between, the older run is forgotten', async (t) => {
  const recent = asked();
  recent.add(append(2), 12n);
  recent.add(append(1), 14n);
  t.same(positions(recent, 10n), []);
  t.same(positions(recent, 13n), [14n]);
});

test('memory is bounded, and what is left is still a run', async (t) => {
  const recent = asked();
  const big = someEvents(1).map((event) => ({ ...event, data: 'x'.repeat(1_000_000) }));
  for (let position = 1n; position <= 100n; position += 1n) {
    recent.add({ stream: 'wallet-a', expected: Number(position), events: big }, position);
  }
  t.same(positions(recent, 0n), []);
  const kept = positions(recent, 90n, 100);
  t.same(
    kept,
    Array.from({ length: 10 }, (_, n) => BigInt(n) + 91n),
  );
});

test('of some categories what matches is given, and how far it was looked for', async (t) => {
  const of = (after: bigint, limit: number, ...categories: string[]) => {
    const recent = asked();
    recent.add(append(2), 2n);
    recent.add({ ...append(1), stream: 'webhook-w' }, 3n);
    recent.add(append(2, 1), 5n);
    const run = recent.after(after, limit, categories);
    return run && { positions: run.events.map(({ position }) => position), until: run.until };
  };
  t.same(of(0n, 10, 'wallet'), { positions: [1n, 2n, 4n, 5n], until: 5n });
  t.same(of(0n, 3, 'wallet'), { positions: [1n, 2n, 4n], until: 4n });
  t.same(of(1n, 10, 'webhook', 'coupon'), { positions: [3n], until: 5n });
  t.same(of(3n, 10, 'webhook'), { positions: [], until: 5n }, 'past what the filter left out');
  t.equal(of(5n, 10, 'wallet'), null, 'whether there is more only the table knows');
});

test('what all readers have passed is kept no longer', async (t) => {
  const recent = asked();
  recent.add(append(3), 3n);
  t.same(positions(recent, 0n, 2), [1n, 2n]);
  t.same(positions(recent, 0n), [], 'a reader who goes back has to ask the table');
  t.same(positions(recent, 2n), [3n]);
  recent.add(append(1, 2), 4n);
  t.same(positions(recent, 3n), [4n], 'the run goes on where nothing of it was left');
});

test('a reader who is behind keeps what others have passed, until it is forgotten', async (t) => {
  let now = 0;
  const recent = new RecentAppends(() => now);
  // Two of them wait for the first event.
  recent.after(0n, 1);
  recent.after(1n, 1);
  recent.add(append(4), 4n);
  t.same(positions(recent, 1n), [2n, 3n, 4n]);
  t.same(positions(recent, 0n, 2), [1n, 2n], 'the slower one');
  now = 4_000;
  t.same(positions(recent, 4n), [], 'the faster one, at the end');
  now = 6_000;
  recent.add(append(1, 3), 5n);
  t.same(positions(recent, 4n), [5n]);
  t.same(positions(recent, 2n), [], 'the slower one has not come back for long');
});

test('nothing is kept any more where nobody has read for long', async (t) => {
  let now = 0;
  const recent = new RecentAppends(() => now);
  recent.after(0n, 1);
  recent.add(append(4), 4n);
  now = 6_000;
  recent.add(append(1, 3), 5n);
  t.same(positions(recent, 0n), []);
  t.same(positions(recent, 4n), [], 'what came since neither');
  recent.add(append(1, 4), 6n);
  t.same(positions(recent, 5n), [6n], 'but somebody reads again');
});

test('nothing is kept for who reads far behind', async (t) => {
  const recent = new RecentAppends();
  recent.after(9n, 1);
  recent.add(append(3), 12n);
  t.same(positions(recent, 9n), [10n, 11n, 12n]);
  t.same(positions(recent, 2n), []);
  recent.add(append(1, 2), 13n);
  t.same(positions(recent, 12n), [13n]);
  t.same(positions(recent, 9n), [], 'only the one who has passed it was waited for');
});
