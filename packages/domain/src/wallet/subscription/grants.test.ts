import fc from 'fast-check';
import { test } from 'tap';
import type { PlanTerms } from '../../plans/terms.ts';
import { accept, DAY, given, later, type Past } from '../../testing/given.ts';
import * as order from '../../testing/orders.ts';
import { BASIC, changePlan, publish, subscribe } from '../../testing/subscription-orders.ts';
import type { QuotaMovement } from '../quota/events.ts';
import { prorated } from './grants.ts';

const HOUR = DAY / 24;
/** By the calendar: 1 January 2026 is a Thursday. */
const CALENDAR: PlanTerms = {
  ...BASIC,
  anchor: 'calendar',
  included: [{ unit: 'calls', model: '*', amount: '70', per: 'week' }],
};

function customer(weekly: PlanTerms): Past {
  const past = given();
  publish(past, 'weekly', weekly, 0);
  accept(past, order.topUp('t1', '1000', { paid: '10' }));
  return past;
}

const grants = (past: Past): string[] =>
  past.events
    .flatMap(({ data }) => (data as { quotas?: QuotaMovement }).quotas?.granted ?? [])
    .map(
      ({ quantity, starts_at, expires_at }) =>
        `${quantity} from ${starts_at.slice(5, 10)} to ${expires_at.slice(5, 10)}`,
    );

test('a window that goes on from a trial is not granted a second time with the first period', async (t) => {
  const weekly: PlanTerms = {
    ...BASIC,
    trial_days: 3,
    included: [{ unit: 'calls', model: '*', amount: '70', per: 'week' }],
  };
  const past = customer(weekly);
  accept(past, subscribe('weekly', { trial: true }));
  later(past, 8 * DAY);
  accept(past, order.carryOutDues);
  // Of the trial's week three days are its own; the weeks of the paid periods begin with them.
  t.same(grants(past), ['30 from 01-01 to 01-04', '70 from 01-04 to 01-11']);
});

test('the rest of a calendar month pays for its part of a week, and the next month for the rest of it', async (t) => {
  const past = customer(CALENDAR);
  later(past, 24 * DAY + 12 * HOUR);
  accept(past, subscribe('weekly'));
  t.same(grants(past), ['5 from 01-25 to 01-26'], 'half of Sunday');
  later(past, DAY);
  accept(past, order.carryOutDues);
  t.same(
    grants(past).slice(1),
    ['60 from 01-26 to 02-01'],
    'six days of the week that begins in this period',
  );
  later(past, 6 * DAY);
  accept(past, order.carryOutDues);
  t.same(grants(past).slice(2), ['10 from 02-01 to 02-02'], 'Sunday');
  later(past, 25 * DAY);
  accept(past, order.carryOutDues);
  t.equal(grants(past).at(-1), '70 from 02-23 to 03-02', 'a whole month pays for whole weeks');
});

test('nobody subscribes for the last hours of a month and has a week', async (t) => {
  const past = customer(CALENDAR);
  later(past, 31 * DAY - 12 * HOUR);
  accept(past, subscribe('weekly', { autoRenew: false }));
  later(past, DAY);
  accept(past, order.carryOutDues);
  t.same(grants(past), ['5 from 01-31 to 02-01']);
});

test('what an upgrade adds in a part of a month ends with it too, and nothing of the week is lost', async (t) => {
  const past = customer(CALENDAR);
  const more: PlanTerms = {
    ...CALENDAR,
    price: { credits: '200' },
    included: [{ unit: 'calls', model: '*', amount: '140', per: 'week' }],
  };
  publish(past, 'more', more, 0);
  later(past, 27 * DAY);
  accept(past, subscribe('weekly'));
  later(past, DAY);
  accept(past, changePlan('more', 'now'));
  t.same(grants(past), ['40 from 01-28 to 02-01', '30 from 01-29 to 02-01']);
  later(past, 3 * DAY + 12 * HOUR);
  accept(past, order.carryOutDues);
  t.same(grants(past).slice(2, 3), ['20 from 02-01 to 02-02']);
});

test('the parts of a window that follow one another are the whole of it, to the last unit', async () => {
  const instants = fc.array(fc.integer({ min: 0, max: 604_800_000 }), { maxLength: 5 });
  fc.assert(
    fc.property(fc.bigInt({ min: 0n, max: 10n ** 15n }), instants, (amount, cuts) => {
      const whole = { start: 1_000_000, end: 605_800_000 };
      const at = [whole.start, ...cuts.map((cut) => whole.start + cut).sort((a, b) => a - b), whole.end];
      const parts = at.slice(1).map((end, index) => prorated(amount, whole, { start: at[index] ?? 0, end }));
      return parts.every((part) => part >= 0n) && parts.reduce((sum, part) => sum + part, 0n) === amount;
    }),
  );
});
