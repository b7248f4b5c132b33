import t from 'tap';
import { SealedLedger } from '../testing/sealed.ts';
import { toHex } from './merkle.ts';
import { EVENTS_MAX, RANGE_EVENTS_MAX, RANGES_MAX, rootOfRanges, SealDraft } from './seal.ts';

t.test('a seal covers each stream from where the last one ended', async (t) => {
  const ledger = new SealedLedger();
  await ledger.write('wallet-b', 3);
  await ledger.write('wallet-a', 2);
  t.equal(await ledger.seal(), 1);
  await ledger.write('wallet-b', 2);
  await ledger.write('ledger-genesis');
  t.equal(await ledger.seal(), 1);
  t.equal(await ledger.seal(), 0, 'without anything new there is no seal, though a seal has come');
  const [first, second, ...more] = await ledger.sealed();
  t.same(more, []);
  t.match(first, { data: { number: 1, events: 5, ranges: 2 } });
  t.match(first?.facts.ranges, [
    ['wallet-a', 0, 1],
    ['wallet-b', 0, 2],
  ]);
  t.equal(first?.data.previous_root, undefined);
  t.match(second, { data: { number: 2, events: 3, ranges: 2, previous_root: first?.data.root } });
  t.match(second?.facts.ranges, [
    ['ledger-genesis', 0, 0],
    ['wallet-b', 3, 4],
  ]);
  t.equal(second?.data.root, rootOfRanges(second?.facts.ranges ?? []));
  t.same(
    Object.keys(second?.data ?? {}).sort(),
    ['events', 'number', 'previous_root', 'ranges', 'recorded_at', 'root', 'v'].sort(),
    'what everybody may keep names nobody',
  );
});

t.test('profiles are not sealed: they may be deleted', async (t) => {
  const ledger = new SealedLedger();
  await ledger.write('profile-a');
  t.equal(await ledger.seal(), 0);
  await ledger.write('wallet-a');
  await ledger.write('profile-a');
  t.equal(await ledger.seal(), 1);
  t.match((await ledger.sealed())[0]?.data, { events: 1, ranges: 1 });
});

const event = (stream: string, revision: number) => ({
  stream,
  revision,
  meta: `{"v":1,"hash":"${toHex(Buffer.alloc(32, revision & 255))}"}`,
});

t.test('a seal is bounded in events, in ranges, and in events of a range', async (t) => {
  const busy = new SealDraft();
  let taken = 0;
  while (busy.add(event('wallet-a', taken))) taken += 1;
  t.equal(taken, EVENTS_MAX);
  const { ranges } = busy.finish('1');
  t.equal(ranges.length, EVENTS_MAX / RANGE_EVENTS_MAX, 'so that a receipt reads a thousand events at most');
  t.same(
    ranges.slice(1, 3).map(([, from, to]) => [from, to]),
    [
      [1_000, 1_999],
      [2_000, 2_999],
    ],
  );
  const wide = new SealDraft();
  let streams = 0;
  while (wide.add(event(`wallet-${'x'.repeat(120)}${streams}`, 0))) streams += 1;
  t.equal(streams, RANGES_MAX);
  t.equal(wide.add(event(`wallet-${'x'.repeat(120)}7`, 1)), true, 'a stream that is in it already has room');
  t.ok(JSON.stringify(wide.finish('1')).length < 256 * 1024);
});

t.test('a full seal ends between two events of a page, and the next begins just there', async (t) => {
  const ledger = new SealedLedger();
  for (let n = 0; n < RANGES_MAX + 130; n++) {
    await ledger.write(`wallet-${n}`);
    if (n % 3 === 0) await ledger.write('wallet-busy');
  }
  const count = (await ledger.events()).length;
  t.equal(await ledger.seal(), 2);
  const seals = await ledger.sealed();
  t.equal(seals[0]?.data.ranges, RANGES_MAX);
  t.equal(
    seals.reduce((sum, { data }) => sum + data.events, 0),
    count,
  );
  const busy = seals.flatMap(({ facts }) => facts.ranges.filter(([stream]) => stream === 'wallet-busy'));
  t.equal(busy.length, 2);
  t.equal(busy[1]?.[1], (busy[0]?.[2] ?? 0) + 1, 'without a hole, and nothing twice');
});
