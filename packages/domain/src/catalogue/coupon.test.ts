import fc from 'fast-check';
import { test } from 'tap';
import type { Decision, Stored } from '../decider.ts';
import {
  type CouponCommand,
  type CouponEvent,
  type CouponRefusal,
  type CouponState,
  couponDecider,
  couponOrders,
} from './coupon.ts';
import type { CouponTerms } from './coupon-terms.ts';

const TERMS: CouponTerms = { percent: '10', max_uses_per_account: 1 };
const LIMITED: CouponTerms = { ...TERMS, max_uses: 2 };
const NOW = Date.parse('2026-01-01T00:00:00Z');
const SOON = NOW + 60_000;
const { publish, confirm, release } = couponOrders;
const returned = couponOrders.return;
const use = (purchase: string, account = 'acme') => ({ account, purchase });
const reserve = (purchase: string, expiresAt = SOON) => couponOrders.reserve({ ...use(purchase), expiresAt });

/** Stands in for the runner: keys, dues, look-ups, one order after the other; the state is frozen and thawed in between. */
class Stream {
  state: CouponState = couponDecider.initial('SAVE10');
  now = NOW;
  readonly log: CouponEvent[] = [];
  readonly #keys = new Map<string, Stored<CouponEvent>>();

  /** What it came to: the type of the event, the refusal's code, or the kind of answer. */
  order(command: CouponCommand): string {
    this.state = couponDecider.thaw('SAVE10', couponDecider.freeze(couponDecider.fork(this.state)));
    const known = command.key === null ? undefined : this.#keys.get(command.key);
    if (known !== undefined) return 'replayed';
    const { events: due } = couponDecider.dues(this.state, this.now, null);
    const facts = new Map<string, Stored<CouponEvent> | null>();
    const draft = couponDecider.fork(this.state);
    for (const event of due) couponDecider.evolve(draft, event, 0);
    let decision = this.#decide(draft, command, facts);
    if (decision.kind === 'needs') {
      for (const key of decision.facts) facts.set(key, this.#keys.get(key) ?? null);
      decision = this.#decide(draft, command, facts);
    }
    if (decision.kind === 'refused') return decision.refusal.code;
    if (decision.kind !== 'accepted') return decision.kind;
    for (const event of [...due, ...decision.events]) this.#write(event);
    return this.log.at(-1)?.type ?? '';
  }

  #decide(
    state: CouponState,
    command: CouponCommand,
    facts: ReadonlyMap<string, Stored<CouponEvent> | null>,
  ): Decision<CouponEvent, CouponRefusal> {
    const context = { now: this.now, catalogue: null, catalogueIsFresh: true, facts };
    return couponDecider.decide(state, command, context);
  }

  #write(event: CouponEvent): void {
    const revision = this.log.length;
    couponDecider.evolve(this.state, event, revision);
    this.log.push(event);
    const place = {
      stream: 'coupon-SAVE10',
      revision,
      position: 0n,
      recordedAt: this.now,
      fingerprint: null,
    };
    if (event.key !== null) this.#keys.set(event.key, { ...event, ...place });
  }
}

function run(...commands: readonly CouponCommand[]): { stream: Stream; outcomes: string[] } {
  const stream = new Stream();
  return { stream, outcomes: commands.map((command) => stream.order(command)) };
}

test('of 200 purchases at once 50 get one of 50 uses', async (t) => {
  const { stream, outcomes } = run(
    publish({ ...TERMS, max_uses: 50 }),
    ...Array.from({ length: 200 }, (_, n) => reserve(`p${n}`)),
  );
  t.equal(outcomes.filter((outcome) => outcome === 'CouponUseReserved').length, 50);
  t.equal(outcomes.filter((outcome) => outcome === 'coupon_exhausted').length, 150);
  t.equal(stream.state.open.size, 50);
});

test('a reservation that is not paid in time is let go before anybody else is refused', async (t) => {
  const { stream } = run(publish(LIMITED), reserve('a'), reserve('b', SOON + 1));
  stream.now = SOON - 1;
  t.equal(stream.order(reserve('c')), 'coupon_exhausted');
  stream.now = SOON;
  t.equal(stream.order(reserve('c', SOON + 9)), 'CouponUseReserved');
  t.match(stream.log.at(-2), {
    type: 'CouponUseReleased',
    data: { purchase: 'a', because: 'timed_out', effective_at: '2026-01-01T00:01:00.000Z' },
  });
  t.same([...stream.state.open.keys()], ['acme:b', 'acme:c']);
});

test('whoever only wants what is due to be done lets go of what has run out, and makes nothing else', async (t) => {
  const { carryOutDues } = couponOrders;
  const { stream, outcomes } = run(publish(LIMITED), reserve('a'), reserve('b', SOON + 1), carryOutDues());
  t.equal(outcomes.at(-1), 'CouponUseReserved', 'nothing is due: the last event is what it was');
  t.equal(stream.log.length, 3);
  stream.now = SOON;
  t.equal(stream.order(carryOutDues()), 'CouponUseReleased');
  t.same([...stream.state.open.keys()], ['acme:b']);
  t.equal(stream.log.length, 4);
});

test('a cancelled purchase lets its use go, once', async (t) => {
  const { outcomes, stream } = run(
    publish(LIMITED),
    reserve('a'),
    release(use('a')),
    release(use('a')),
    release(use('never')),
  );
  t.same(outcomes.slice(2), ['CouponUseReleased', 'unchanged', 'unchanged']);
  t.equal(stream.state.open.size, 0);
});

test('a paid purchase always confirms, once; over the limit it says so', async (t) => {
  const { stream } = run(publish({ ...TERMS, max_uses: 1 }), reserve('a'));
  stream.now = SOON;
  t.equal(stream.order(reserve('b', SOON + 60_000)), 'CouponUseReserved');
  // Its reservation is gone, and the only use is another's.
  t.equal(stream.order(confirm(use('a'))), 'CouponUseConfirmed');
  t.match(stream.log.at(-1), { data: { over_limit: true } });
  t.equal(stream.order(confirm(use('a'))), 'replayed');
  t.equal(stream.order(confirm(use('b'))), 'CouponUseConfirmed');
  t.match(stream.log.at(-1), { data: { over_limit: false } });
  t.match(stream.state, { uses: 2, overLimit: 1, open: new Map() });
});

test('it confirms when the coupon has expired, or was closed, since', async (t) => {
  const until = { expires_at: new Date(SOON).toISOString() };
  const { stream } = run(publish({ ...TERMS, ...until }), reserve('a'));
  stream.now = SOON + 1;
  t.equal(stream.order(reserve('b', SOON + 9)), 'coupon_expired');
  t.equal(stream.order(publish({ ...TERMS, ...until, active: false })), 'CouponPublished');
  t.equal(stream.order(reserve('b', SOON + 9)), 'coupon_inactive');
  t.equal(stream.order(confirm(use('a'))), 'CouponUseConfirmed');
  t.equal(stream.state.uses, 1);
});

test('the use of a refunded purchase is free again, once; of one that never was there is none', async (t) => {
  const { stream, outcomes } = run(
    publish({ ...TERMS, max_uses: 1 }),
    reserve('a'),
    confirm(use('a')),
    reserve('b'),
    returned(use('b')),
    returned(use('a')),
    returned(use('a')),
    reserve('b'),
  );
  t.same(outcomes.slice(3), [
    'coupon_exhausted',
    'coupon_use_not_found',
    'CouponUseReturned',
    'replayed',
    'CouponUseReserved',
  ]);
  t.equal(stream.state.uses, 0);
});

test("the same purchase id of two accounts is two purchases; one purchase's reservation sent again is one", async (t) => {
  const { stream, outcomes } = run(
    publish(TERMS),
    reserve('1'),
    reserve('1'),
    couponOrders.reserve({ ...use('1', 'globex'), expiresAt: SOON }),
  );
  t.same(outcomes.slice(1), ['CouponUseReserved', 'unchanged', 'CouponUseReserved']);
  t.equal(stream.state.open.size, 2);
});

test('a purchase that comes again after its reservation ran out gets another, where there is one; a paid one needs none', async (t) => {
  const { stream } = run(publish({ ...TERMS, max_uses: 1 }), reserve('a'));
  stream.now = SOON;
  t.equal(stream.order(reserve('a', SOON + 60_000)), 'CouponUseReserved');
  stream.now = SOON + 60_000;
  t.equal(stream.order(reserve('b', SOON + 120_000)), 'CouponUseReserved');
  t.equal(stream.order(reserve('a', SOON + 120_000)), 'coupon_exhausted');
  t.equal(stream.order(confirm(use('b'))), 'CouponUseConfirmed');
  t.equal(stream.order(reserve('b', SOON + 180_000)), 'unchanged');
  t.match(stream.state, { uses: 1, open: new Map() });
});

test('a coupon that nobody has published has no uses, and counters outlive its terms', async (t) => {
  t.same(run(reserve('a'), confirm(use('a')), release(use('a'))).outcomes, [
    'coupon_not_found',
    'coupon_not_found',
    'coupon_not_found',
  ]);
  const { stream, outcomes } = run(
    publish(LIMITED),
    publish({ ...LIMITED }),
    confirm(use('a')),
    publish({ ...TERMS, max_uses: 1 }),
    reserve('b'),
  );
  t.same(outcomes.slice(1), ['unchanged', 'CouponUseConfirmed', 'CouponPublished', 'coupon_exhausted']);
  t.match(stream.state, { version: 2, uses: 1 });
});

test('open reservations are bounded', async (t) => {
  const stream = new Stream();
  stream.order(publish(TERMS));
  for (let n = 0; n < 10_000; n += 1) stream.state.open.set(`acme:${n}`, { ...use(`${n}`), expiresAt: SOON });
  t.equal(stream.order(reserve('one-more')), 'too_many_open_uses');
  const { events, more } = couponDecider.dues(stream.state, SOON, null);
  t.equal(events.length, 500);
  t.equal(more, true);
});

test('whatever comes in whatever order: what was let in never exceeds the limit, and no use is lost', async (t) => {
  const purchase = fc.nat(12).map((n) => `p${n}`);
  const step = fc.oneof(
    { weight: 4, arbitrary: fc.tuple(fc.constant('reserve' as const), purchase) },
    { weight: 2, arbitrary: fc.tuple(fc.constant('confirm' as const), purchase) },
    { weight: 1, arbitrary: fc.tuple(fc.constant('release' as const), purchase) },
    { weight: 1, arbitrary: fc.tuple(fc.constant('return' as const), purchase) },
    { weight: 1, arbitrary: fc.tuple(fc.constant('wait' as const), purchase) },
  );
  const property = fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
    const stream = new Stream();
    stream.order(publish({ ...TERMS, max_uses: 3 }));
    for (const [kind, id] of steps) {
      if (kind === 'wait') stream.now += 30_000;
      else if (kind === 'reserve') {
        const outcome = stream.order(reserve(id, stream.now + 60_000));
        const over = [...stream.state.open.values()].some(({ expiresAt }) => expiresAt <= stream.now);
        if (outcome === 'CouponUseReserved' && over) throw new Error('a reservation that was over was kept');
      } else stream.order(couponOrders[kind](use(id)));
      const count = (type: CouponEvent['type']) => stream.log.filter((event) => event.type === type).length;
      const { uses, overLimit, open } = stream.state;
      const confirmed = count('CouponUseConfirmed');
      if (uses !== confirmed - count('CouponUseReturned')) throw new Error('a use was lost');
      // Without the ones that could not be refused, and before any came back, the limit holds.
      if (confirmed - overLimit + open.size - count('CouponUseReturned') > 3)
        throw new Error('over the limit');
      if (uses < 0) throw new Error('fewer than none');
    }
  });
  t.doesNotThrow(() => fc.assert(property, { numRuns: 400 }));
});
