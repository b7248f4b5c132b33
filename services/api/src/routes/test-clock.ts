/** The clock of a ledger that was born with one that can be moved: what it shows, and forward. Other ledgers refuse. */
import type { TestClock } from '@tallystick/connect';
import {
  type AdvanceAsked,
  TEST_CLOCK_ID,
  type TestClockCommand,
  type TestClockEvent,
  type TestClockState,
  testClockDecider,
} from '@tallystick/domain';
import { type Static, Type } from 'typebox';
import { advanceTo, couponDues, projected, walletDues } from '../advance-clock.ts';
import type { Api, App } from '../api.ts';
import { type Done, order } from '../orders.ts';
import { type Faults, instantOf, settle, YEAR_9999 } from '../parse.ts';
import { invalid, Refused, refuse } from '../problems.ts';
import { closed, found, Instant, orNull } from '../schemas.ts';

const ClockAnswer = Type.Object({
  now: Type.String({ description: 'What the clock shows.' }),
  offset_ms: Type.Integer({ description: 'How far it is ahead of real time.' }),
  advancing_to: orNull(
    Type.String({ description: 'Where an advance that has not ended is going; null where there is none.' }),
  ),
});
/** A hundred years. */
const SECONDS_MAX = 3_155_760_000;
const AdvanceBody = closed({
  to: Type.Optional(Instant),
  by_seconds: Type.Optional(Type.Integer({ minimum: 1, maximum: SECONDS_MAX })),
});

export function testClockRoutes(app: App, api: Api): void {
  const tags = ['test clock'];
  let stopped = false;
  // An advance ends with its next step, and can be continued; the process does not wait for a year to pass.
  app.addHook('preClose', (done) => {
    stopped = true;
    done();
  });

  app.get(
    '/v1/test-clock',
    {
      config: { access: { scopes: ['read'] } },
      schema: {
        tags,
        summary: 'What time is it in this ledger?',
        description: 'Only where the ledger was opened with a clock that can be moved (LEDGER_TEST_CLOCK).',
        response: found(ClockAnswer),
      },
    },
    async () => {
      const clock = clockOf(api);
      await clock.fresh();
      return answerOf(clock);
    },
  );

  app.post(
    '/v1/test-clock/advance',
    {
      config: { access: { scopes: ['admin'] } },
      schema: {
        tags,
        summary: 'Move the clock forward; answers when everything due in between has happened',
        description:
          'Either `to` or `by_seconds`. It may take long; after a 503 the same request goes on from where it stands.',
        body: AdvanceBody,
        response: found(ClockAnswer),
      },
    },
    async (request, reply) => {
      const clock = clockOf(api);
      const asked = readAsked(request.body, clock.now());
      await clock.fresh();
      const command: TestClockCommand = {
        type: 'BeginAdvance',
        key: null,
        fingerprint: null,
        asked,
        realNow: api.realNow(),
      };
      const done = await order(api, request, testClockDecider, TEST_CLOCK_ID, command);
      if (done.status === 'recorded') {
        await projected(api, done.position);
        const to = targetOf(done);
        const advance = { to, clock, due: [walletDues(api), couponDues(api)], isStopped: () => stopped };
        try {
          await advanceTo(api, advance);
        } finally {
          // The process ends with its last connection: this one must not be kept for another request.
          if (stopped) reply.header('connection', 'close');
        }
      }
      return answerOf(clock);
    },
  );
}

function clockOf({ testClock }: Api): TestClock {
  return testClock ?? refuse('test_clock_off');
}

function readAsked({ to, by_seconds: bySeconds }: Static<typeof AdvanceBody>, now: number): AdvanceAsked {
  const faults: Faults = [];
  const at = instantOf(to, 'to', faults);
  settle(faults);
  if ((at === null) === (bySeconds === undefined))
    throw new Refused(invalid([{ field: 'to', rule: 'must be given, or by_seconds, and not both' }]));
  if (at !== null) return { to: at };
  const seconds = bySeconds ?? 0;
  if (now + seconds * 1_000 > YEAR_9999)
    throw new Refused(invalid([{ field: 'by_seconds', rule: 'must not lead beyond the year 9999' }]));
  return { bySeconds: seconds };
}

function targetOf({ event }: Extract<Done<TestClockState, TestClockEvent>, { status: 'recorded' }>): number {
  return Date.parse(event.data.to);
}

function answerOf(clock: TestClock): Static<typeof ClockAnswer> {
  const { offsetMs, underWay } = clock.state;
  return {
    now: new Date(clock.now()).toISOString(),
    offset_ms: offsetMs,
    advancing_to: underWay === null ? null : new Date(underWay.to).toISOString(),
  };
}
