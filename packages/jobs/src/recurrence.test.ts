import fc from 'fast-check';
import t from 'tap';
import type { Recurrence } from './port.ts';
import { latestTime, nextTime } from './recurrence.ts';

const ms = (text: string): number => Date.parse(`2026-${text}Z`);
const BERLIN = { cron: '30 2 * * *', timeZone: 'Europe/Berlin' };
const TIMES: [Recurrence, string, string][] = [
  [{ everyMs: 60_000 }, '11-21T17:31:08.250', '11-21T17:32:00'],
  [{ everyMs: 60_000 }, '11-21T17:32:00', '11-21T17:33:00'],
  [{ cron: '*/5 * * * *' }, '11-21T17:31:08', '11-21T17:35:00'],
  [{ cron: '0 0 1 * *' }, '11-21T17:31:08', '12-01T00:00:00'],
  [{ cron: '0 0 1 * *', timeZone: 'Asia/Shanghai' }, '11-21T17:31:08', '11-30T16:00:00'],
  [BERLIN, '03-28T12:00:00', '03-29T01:30:00'],
  [BERLIN, '03-29T12:00:00', '03-30T00:30:00'],
  [BERLIN, '10-24T12:00:00', '10-25T00:30:00'],
  [BERLIN, '10-25T00:30:00', '10-26T01:30:00'],
];
for (const [when, after, next] of TIMES) {
  t.test(`after ${after} the next of ${JSON.stringify(when)} is ${next}`, async (t) => {
    t.equal(nextTime(when, ms(after)), ms(next));
    t.equal(latestTime(when, ms(after), ms(next) - 1), null);
    t.equal(latestTime(when, ms(after), ms(next)), ms(next));
  });
}

t.test(
  'the latest time is the one that counting all of them ends with, however long ago the last was',
  async (t) => {
    const cron = fc.constantFrom('0 * * * *', '15 4 * * *', '30 2 * * *', '0 0 1 * *', '45 */7 * * 1-5');
    const timeZone = fc.constantFrom('UTC', 'Europe/Berlin', 'America/New_York', 'Asia/Kolkata');
    const instant = fc.integer({ min: ms('01-01T00:00:00'), max: ms('12-31T00:00:00') });
    fc.assert(
      fc.property(
        cron,
        timeZone,
        instant,
        fc.integer({ min: 0, max: 20 * 86_400_000 }),
        (cron, timeZone, after, ahead) => {
          const when = { cron, timeZone };
          let counted: number | null = null;
          for (let at = nextTime(when, after); at <= after + ahead; at = nextTime(when, at)) counted = at;
          return latestTime(when, after, after + ahead) === counted;
        },
      ),
      { numRuns: 150 },
    );
    t.pass();
  },
);
