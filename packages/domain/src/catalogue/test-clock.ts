/**
 * The clock of a store that was born with one that can be moved (billing rule 14): real time, and an offset that only
 * grows. The offset is an event, so every process goes by the same one and a restart keeps it. An advance stops at every
 * instant at which something falls due; where it is going stands in the stream as well, so that one that broke off is
 * continued by the same request. Real time comes with the commands: the decider knows no clock.
 */
import type { CommandKey, Decider, Decision, DomainEvent } from '../decider.ts';
import { quiet, unknownEvent } from './quiet.ts';

/** Instants are RFC 3339, in the time of the moved clock. */
interface TestClockAdvanceBegun extends DomainEvent {
  readonly type: 'TestClockAdvanceBegun';
  /** `by_seconds` where it was asked for in that way: then the same request is the same advance. */
  readonly data: { readonly to: string; readonly by_seconds?: number };
  readonly facts: object;
}
interface TestClockMoved extends DomainEvent {
  readonly type: 'TestClockMoved';
  /** `to` is what the clock showed at that moment; from now on it is `offset_ms` ahead of real time. */
  readonly data: { readonly to: string; readonly offset_ms: number };
  readonly facts: object;
}
interface TestClockAdvanceEnded extends DomainEvent {
  readonly type: 'TestClockAdvanceEnded';
  /** Everything that was due by then has happened. */
  readonly data: { readonly to: string };
  readonly facts: object;
}
export type TestClockEvent = TestClockAdvanceBegun | TestClockMoved | TestClockAdvanceEnded;

/** Milliseconds since 1970, of the moved clock; or seconds from what it shows now. */
export type AdvanceAsked = { readonly to: number } | { readonly bySeconds: number };

export type TestClockCommand = CommandKey &
  (
    | { readonly type: 'BeginAdvance'; readonly asked: AdvanceAsked; readonly realNow: number }
    | { readonly type: 'MoveTestClock'; readonly to: number; readonly realNow: number }
    | { readonly type: 'EndAdvance'; readonly to: number }
  );

export type TestClockRefusal =
  | { readonly code: 'test_clock_forward_only'; readonly now: string }
  /** Another advance goes on, or broke off: it has to come to its end first. */
  | { readonly code: 'advance_under_way'; readonly to: string };

export interface TestClockState {
  offsetMs: number;
  underWay: { readonly to: number; readonly bySeconds: number | null } | null;
  /** Where the last advance ended. */
  reached: number | null;
}

export const TEST_CLOCK_ID = 'ledger';

type TestClockDecision = Decision<TestClockEvent, TestClockRefusal>;

export const testClockDecider: Decider<TestClockState, TestClockCommand, TestClockEvent, TestClockRefusal> = {
  ...quiet,
  category: 'testclock',
  foldVersion: 1,
  initial: () => ({ offsetMs: 0, underWay: null, reached: null }),
  fork: (state) => ({ ...state }),
  evolve(state, event) {
    switch (event.type) {
      case 'TestClockAdvanceBegun':
        state.underWay = { to: Date.parse(event.data.to), bySeconds: event.data.by_seconds ?? null };
        return;
      case 'TestClockMoved':
        state.offsetMs = event.data.offset_ms;
        return;
      case 'TestClockAdvanceEnded':
        state.underWay = null;
        state.reached = Date.parse(event.data.to);
        return;
      default:
        throw unknownEvent('test-clock', event);
    }
  },
  decide(state, command) {
    switch (command.type) {
      case 'BeginAdvance':
        return begin(state, command.asked, command.realNow);
      case 'MoveTestClock':
        return move(state, command.to, command.realNow);
      case 'EndAdvance':
        // Another process has ended it, or gone on to a later instant.
        if (state.underWay?.to !== command.to) return { kind: 'unchanged' };
        return accepted({ type: 'TestClockAdvanceEnded', data: { to: instant(command.to) } });
      default:
        return command satisfies never;
    }
  },
};

function begin(
  { offsetMs, underWay, reached }: TestClockState,
  asked: AdvanceAsked,
  realNow: number,
): TestClockDecision {
  const now = realNow + offsetMs;
  if ('bySeconds' in asked) {
    const { bySeconds } = asked;
    // The same request again goes on to where the first was going, and not further.
    if (underWay !== null && underWay.bySeconds !== bySeconds) return isUnderWay(underWay.to);
    return begun(underWay?.to ?? now + bySeconds * 1_000, bySeconds);
  }
  const { to } = asked;
  if (underWay !== null) return to < underWay.to ? isUnderWay(underWay.to) : begun(to, null);
  // Sent again because its answer was lost: it has been done.
  if (to === reached) return { kind: 'unchanged' };
  if (to < now) return { kind: 'refused', refusal: { code: 'test_clock_forward_only', now: instant(now) } };
  return begun(to, null);
}

/** Never back, and never beyond where the advance goes: that an instant before it falls due might not be known yet. */
function move({ offsetMs, underWay }: TestClockState, to: number, realNow: number): TestClockDecision {
  const moved = to - realNow;
  if (underWay === null || to > underWay.to || moved <= offsetMs) return { kind: 'unchanged' };
  return accepted({ type: 'TestClockMoved', data: { to: instant(to), offset_ms: moved } });
}

function begun(to: number, bySeconds: number | null): TestClockDecision {
  const asked = bySeconds === null ? {} : { by_seconds: bySeconds };
  return accepted({ type: 'TestClockAdvanceBegun', data: { to: instant(to), ...asked } });
}

const isUnderWay = (to: number): TestClockDecision => ({
  kind: 'refused',
  refusal: { code: 'advance_under_way', to: instant(to) },
});

function accepted(event: Pick<TestClockEvent, 'type' | 'data'>): TestClockDecision {
  return { kind: 'accepted', events: [{ ...event, key: null, facts: {} } as TestClockEvent] };
}

const instant = (ms: number): string => new Date(ms).toISOString();
