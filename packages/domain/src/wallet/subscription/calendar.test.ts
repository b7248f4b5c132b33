import fc from 'fast-check';
import { test } from 'tap';
import { type Rhythm, type Span, windowAt } from './calendar.ts';

const at = (text: string): number => Date.parse(text);
const months = (rhythm: Rhythm, from: string, count: number): string[] => {
  const starts: string[] = [];
  let instant = at(from);
  for (let n = 0; n < count; n++) {
    const { end } = windowAt(rhythm, 'month', instant);
    starts.push(new Date(end).toISOString());
    instant = end;
  }
  return starts;
};

test('months from the 31st fall on the last day where there is none, and come back to the 31st', async (t) => {
  const rhythm: Rhythm = {
    zone: 'UTC',
    anchor: 'subscription',
    anchorAt: at('2027-12-31T08:00:00Z'),
  };
  t.same(months(rhythm, '2027-12-31T08:00:00Z', 4), [
    '2028-01-31T08:00:00.000Z',
    '2028-02-29T08:00:00.000Z',
    '2028-03-31T08:00:00.000Z',
    '2028-04-30T08:00:00.000Z',
  ]);
});

test('a day of a zone keeps its hour on the wall when clocks change', async (t) => {
  const rhythm: Rhythm = {
    zone: 'Europe/Berlin',
    anchor: 'subscription',
    anchorAt: at('2026-03-27T01:30:00Z'),
  };
  // 02:30 on the wall; on 29 March that hour is skipped, so the day begins at 03:30 summer time, which is 01:30 UTC.
  t.same(windowAt(rhythm, 'day', at('2026-03-29T02:00:00Z')), {
    start: at('2026-03-29T01:30:00Z'),
    end: at('2026-03-30T00:30:00Z'),
  });
});

test('calendar windows begin at midnight, on Monday, on the first, on New Year, of the zone', async (t) => {
  const rhythm: Rhythm = { zone: 'Asia/Tokyo', anchor: 'calendar', anchorAt: at('2026-11-19T20:00:00Z') };
  const start = (span: Span): string =>
    new Date(windowAt(rhythm, span, at('2026-11-21T12:00:00Z')).start).toISOString();
  t.equal(start('day'), '2026-11-20T15:00:00.000Z');
  t.equal(start('week'), '2026-11-15T15:00:00.000Z');
  t.equal(start('month'), '2026-10-31T15:00:00.000Z');
  t.equal(start('year'), '2025-12-31T15:00:00.000Z');
});

test('windows of a rhythm follow each other without gap or overlap, whatever instant is asked for', async (t) => {
  const zones = fc.constantFrom(
    'UTC',
    'Europe/Berlin',
    'America/New_York',
    'Pacific/Apia',
    'Australia/Lord_Howe',
  );
  const spans = fc.constantFrom<Span>('day', 'week', 'month', 'year');
  const instants = fc.integer({ min: at('2005-01-01T00:00:00Z'), max: at('2045-01-01T00:00:00Z') });
  fc.assert(
    fc.property(
      zones,
      spans,
      fc.constantFrom<Rhythm['anchor']>('subscription', 'calendar'),
      instants,
      instants,
      (zone, span, anchor, anchorAt, instant) => {
        const rhythm: Rhythm = { zone, anchor, anchorAt };
        const { start, end } = windowAt(rhythm, span, instant);
        t.ok(start <= instant && instant < end);
        t.equal(windowAt(rhythm, span, end).start, end);
        t.equal(windowAt(rhythm, span, start - 1).end, start);
      },
    ),
    { numRuns: 200 },
  );
});
