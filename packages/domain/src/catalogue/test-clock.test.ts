import fc from 'fast-check';
import { type Test, test } from 'tap';
import type { Context } from '../decider.ts';
import {
  type AdvanceAsked,
  TEST_CLOCK_ID,
  type TestClockCommand,
  type TestClockEvent,
  testClockDecider,
} from './test-clock.ts';

const NO_KEY = { key: null, fingerprint: null };
const CONTEXT: Context<unknown, TestClockEvent> = {
  // Nothing may go by it: real time comes with the commands.
  now: Number.NaN,
  catalogue: null,
  catalogueIsFresh: true,
  facts: new Map(),
};
const HOUR = 3_600_000;
const T0 = Date.UTC(2026, 0, 31, 12);
const iso = (ms: number): string => new Date(ms).toISOString();

const begin = (asked: AdvanceAsked, realNow = T0): TestClockCommand => ({
  type: 'BeginAdvance',
  asked,
  realNow,
  ...NO_KEY,
});
const move = (to: number, realNow = T0): TestClockCommand => ({
  type: 'MoveTestClock',
  to,
  realNow,
  ...NO_KEY,
});
const end = (to: number): TestClockCommand => ({ type: 'EndAdvance', to, ...NO_KEY });

/** The state goes through a snapshot before every command. */
function run(...commands: readonly TestClockCommand[]) {
  let state = testClockDecider.initial(TEST_CLOCK_ID);
  const events: TestClockEvent[] = [];
  const outcomes = commands.map((command) => {
    state = testClockDecider.thaw(TEST_CLOCK_ID, testClockDecider.freeze(testClockDecider.fork(state)));
    const decision = testClockDecider.decide(state, command, CONTEXT);
    if (decision.kind === 'refused') return decision.refusal;
    if (decision.kind === 'accepted')
      for (const event of decision.events) {
        testClockDecider.evolve(state, event, events.length);
        events.push(event);
      }
    return decision.kind;
  });
  return { outcomes, events, state };
}

test('an advance begins, stops on its way, and ends; the offset stays', async (t) => {
  const to = T0 + 48 * HOUR;
  const { outcomes, events, state } = run(
    begin({ to }),
    move(T0 + HOUR, T0 + 10),
    move(to, T0 + 500),
    end(to),
  );
  t.same(outcomes, ['accepted', 'accepted', 'accepted', 'accepted']);
  t.same(
    events.map(({ type, data }) => ({ type, ...data })),
    [
      { type: 'TestClockAdvanceBegun', to: iso(to) },
      { type: 'TestClockMoved', to: iso(T0 + HOUR), offset_ms: HOUR - 10 },
      { type: 'TestClockMoved', to: iso(to), offset_ms: 48 * HOUR - 500 },
      { type: 'TestClockAdvanceEnded', to: iso(to) },
    ],
  );
  t.same(state, { offsetMs: 48 * HOUR - 500, underWay: null, reached: to });
});

test('seconds count from what the clock shows, not from real time', async (t) => {
  const first = T0 + HOUR;
  const { state } = run(begin({ to: first }), move(first), end(first), begin({ bySeconds: 60 }, T0 + 5_000));
  t.same(state.underWay, { to: first + 5_000 + 60_000, bySeconds: 60 });
});

test('the clock goes forward only', async (t) => {
  const to = T0 + HOUR;
  const ended = [begin({ to }), move(to), end(to)];
  const { outcomes, state } = run(...ended, begin({ to: to - 1 }), move(to - 1), move(to, T0 + 1));
  t.same(outcomes.slice(3), [{ code: 'test_clock_forward_only', now: iso(to) }, 'unchanged', 'unchanged']);
  t.equal(state.offsetMs, HOUR);
});

test('an instant that was reached may be asked for again: the answer had been lost', async (t) => {
  const to = T0 + HOUR;
  const { outcomes } = run(begin({ to }), move(to), end(to), begin({ to }, T0 + 60_000));
  t.equal(outcomes[3], 'unchanged');
});

function goesOn(t: Test, first: AdvanceAsked, again: AdvanceAsked, to: number): void {
  const { outcomes, state } = run(begin(first), move(T0 + HOUR), begin(again, T0 + 9_000));
  t.same(outcomes, ['accepted', 'accepted', 'accepted']);
  t.equal(state.underWay?.to, to);
  t.equal(state.offsetMs, HOUR);
}

test('an advance that broke off is continued by the same request, to the same instant', async (t) => {
  goesOn(t, { bySeconds: 7_200 }, { bySeconds: 7_200 }, T0 + 2 * HOUR);
  goesOn(t, { to: T0 + 2 * HOUR }, { to: T0 + 2 * HOUR }, T0 + 2 * HOUR);
});

test('and by one that goes further', async (t) => {
  goesOn(t, { bySeconds: 7_200 }, { to: T0 + 3 * HOUR }, T0 + 3 * HOUR);
});

test('another request while one is under way is refused, and told where that one goes', async (t) => {
  const refusal = { code: 'advance_under_way', to: iso(T0 + 2 * HOUR) };
  const { outcomes } = run(
    begin({ bySeconds: 7_200 }),
    begin({ bySeconds: 60 }),
    begin({ to: T0 + 2 * HOUR - 1 }),
  );
  t.same(outcomes, ['accepted', refusal, refusal]);
});

test('only what is under way ends, and only by who goes to the same instant', async (t) => {
  const { outcomes, state } = run(
    end(T0),
    begin({ to: T0 + HOUR }),
    begin({ to: T0 + 2 * HOUR }),
    end(T0 + HOUR),
  );
  t.same(outcomes, ['unchanged', 'accepted', 'accepted', 'unchanged']);
  t.same(state.underWay, { to: T0 + 2 * HOUR, bySeconds: null });
});

test('whatever is asked in whatever order, the clock never goes back, nor beyond where an advance goes', async (t) => {
  const instant = fc.integer({ min: -100, max: 500 }).map((hours) => T0 + hours * HOUR);
  const asked = fc.oneof(
    instant.map((to): AdvanceAsked => ({ to })),
    fc.integer({ min: 1, max: 500 }).map((hours): AdvanceAsked => ({ bySeconds: hours * 3_600 })),
  );
  const real = fc.integer({ min: 0, max: 50 }).map((hours) => T0 + hours * HOUR);
  const command = fc.oneof(
    fc.tuple(asked, real).map(([what, at]) => begin(what, at)),
    fc.tuple(instant, real).map(([to, at]) => move(to, at)),
    instant.map(end),
  );
  fc.assert(
    fc.property(fc.array(command, { maxLength: 40 }), (commands) => {
      let offset = 0;
      let limit = Number.NEGATIVE_INFINITY;
      for (const { type, data } of run(...commands).events) {
        if (type === 'TestClockAdvanceBegun') limit = Math.max(limit, Date.parse(data.to));
        if (type !== 'TestClockMoved') continue;
        if (data.offset_ms <= offset) throw new Error(`from ${offset} to ${data.offset_ms}`);
        if (Date.parse(data.to) > limit) throw new Error(`${data.to} is beyond ${iso(limit)}`);
        offset = data.offset_ms;
      }
    }),
  );
  t.pass('for every history');
});

test('an event of another kind stops the clock; it is never skipped', async (t) => {
  const event = { type: 'TestClockTurnedBack', key: null, data: {}, facts: {} } as unknown as TestClockEvent;
  t.throws(() => testClockDecider.evolve(testClockDecider.initial(TEST_CLOCK_ID), event, 0), /does not know/);
});
