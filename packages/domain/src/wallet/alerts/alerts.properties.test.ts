/**
 * Whatever comes in whatever order: no crossing is told twice, and none is missed. What should be told is worked out here
 * a second time, from the history alone and not from what the wallet remembers.
 */
import fc from 'fast-check';
import { test } from 'tap';
import { parseCredits } from '../../amount.ts';
import { balanceBelow, quotaAt, raisedIn, setAlerts, spendOver } from '../../testing/alert-orders.ts';
import { accept, DAY, given, type Outcome, type Past, START } from '../../testing/given.ts';
import { histories, labelsOf, type Step, take } from '../../testing/histories.ts';
import * as order from '../../testing/orders.ts';
import { BASIC, expandQuota, publish, subscribe } from '../../testing/subscription-orders.ts';
import type { Movement, WalletEvent } from '../events.ts';
import { quotaWarnings } from './quota.ts';

const PERCENTS = [30, 80, 100];
const LOWS = ['0', '60', '150'];
const HIGHS = ['0', '35', '90'];
/** Of every kind that carries a figure of its own. */
const isAlert = ({ type }: WalletEvent): boolean =>
  type === 'AlertRaised' || type === 'AlertsRearmed' || type === 'SpendDayBegan';

const expanding: fc.Arbitrary<Step> = fc
  .tuple(fc.nat({ max: 9 }), fc.integer({ min: 1, max: 60 }), fc.integer({ min: 1, max: 40 }))
  .map(([n, amount, days]) => ({
    type: 'order',
    label: `expand ${n} ${amount} ${days}`,
    make: (past) => expandQuota(BigInt(amount), past.now + days * DAY, { model: 'fine', reference: `e${n}` }),
  }));

const steps = fc
  .tuple(histories(50), fc.array(fc.tuple(fc.nat({ max: 50 }), expanding), { maxLength: 6 }))
  .map(([history, more]) => {
    const all = [...history];
    for (const [at, step] of more) all.splice(at % (all.length + 1), 0, step);
    return all;
  });

/** A subscriber with credits, who wants to know everything. */
function watched(): Past {
  const past = given(order.topUp('first', '200'));
  publish(
    past,
    'plan',
    {
      ...BASIC,
      price: { credits: '5' },
      included: [
        { unit: 'calls', model: 'fine', amount: '25', per: 'day' },
        { unit: 'calls', model: 'fine', amount: '70', per: 'period' },
      ],
    },
    0,
  );
  accept(past, subscribe('plan'));
  const thresholds = [...PERCENTS.map(quotaAt), ...LOWS.map(balanceBelow), ...HIGHS.map(spendOver)];
  accept(past, setAlerts(...thresholds));
  return past;
}

/** Calls back after each order that was recorded; a failure shows the history. */
function always(
  runs: number,
  make: () => (past: Past, outcome: Outcome & { status: 'recorded' }) => void,
): void {
  fc.assert(
    fc.property(steps, (history) => {
      const past = watched();
      const check = make();
      try {
        for (const step of history) {
          const outcome = take(past, step)?.outcome;
          if (outcome?.status === 'recorded') check(past, outcome);
        }
      } catch (error) {
        throw new Error(`${labelsOf(history).join('\n')}\n${(error as Error).stack}`);
      }
    }),
    { numRuns: runs },
  );
}

function same(told: readonly string[], due: readonly string[], what: string): void {
  if (told.join() !== due.join()) throw new Error(`${what}: told ${told.join()}, due ${due.join()}`);
}

test('no key is told twice', async (t) => {
  let told = 0;
  always(50, () => (past) => {
    const keys = raisedIn(past).map(({ key }) => key);
    told += keys.length;
    if (new Set(keys).size !== keys.length) throw new Error(`told twice: ${keys.join('\n')}`);
  });
  t.ok(told > 0);
});

test('a window of which something was taken has told of every threshold that it has reached, and of no other', async (t) => {
  let told = 0;
  always(50, () => (past, { events }) => {
    const taken = new Set<string>();
    for (const { data } of events) {
      const { moves = [] } = ('quotas' in data ? data.quotas : undefined) ?? {};
      for (const { quota, from, to } of moves)
        if (from === 'free' && (to === 'used' || to.startsWith('hold:'))) taken.add(quota);
    }
    for (const { window, reached } of quotaWarnings(past.wallet, past.now)) {
      const of = raisedIn(past).filter(
        (alert) =>
          alert.alert === 'quota' &&
          Date.parse(alert.period_start) === window.start &&
          Date.parse(alert.period_end) === window.end &&
          alert.granted === window.granted.toString(),
      );
      if (window.quotas.some((id) => taken.has(id)))
        for (const percent of reached)
          if (!of.some(({ threshold }) => Number(threshold) === percent))
            throw new Error(`${percent} % of ${window.of} was not told`);
      told += of.length;
    }
    for (const alert of events.flatMap((event) => (event.type === 'AlertRaised' ? [event.data] : [])))
      if (alert.alert === 'quota') {
        const taken = BigInt(alert.used) + BigInt(alert.held);
        if (taken * 100n < BigInt(alert.granted) * BigInt(alert.threshold))
          throw new Error(`told too early: ${JSON.stringify(alert)}`);
      }
  });
  t.ok(told > 0);
});

test('the balance tells of each fall below a threshold since credits have last come in', async (t) => {
  let told = 0;
  always(50, () => {
    let available = parseCredits('195');
    const armed = new Set(LOWS);
    const judge = (events: readonly WalletEvent[], alerts: readonly WalletEvent[]): void => {
      const before = available;
      for (const { data } of events)
        if ('after' in data) {
          const { after, moves } = data as Movement;
          available = parseCredits(after.available);
          if (moves.some(({ from }) => /^(granted|adjusted|spent)$/.test(from)))
            for (const low of LOWS) armed.add(low);
        }
      const isCrossed = (low: string): boolean =>
        before >= parseCredits(low) && available < parseCredits(low);
      const due = LOWS.filter((low) => isCrossed(low) && armed.has(low));
      for (const low of due) armed.delete(low);
      const got = alerts.flatMap((event) =>
        event.type === 'AlertRaised' && event.data.alert === 'balance' ? [event.data.threshold] : [],
      );
      same(got.sort(), due.sort(), 'balance');
      told += got.length;
    };
    return (_past, { events, dues }) => {
      // Of what falls due each event is looked at by itself, of an order all that comes of it.
      let at = 0;
      while (at < dues.length) {
        const next = dues.findIndex((event, index) => index > at && !isAlert(event));
        const end = next === -1 ? dues.length : next;
        judge(dues.slice(at, at + 1), dues.slice(at + 1, end));
        at = end;
      }
      judge(
        events.filter((event) => !isAlert(event)),
        events.filter(isAlert),
      );
    };
  });
  t.ok(told > 0);
});

test('a day has told of every limit that its charges have gone beyond, and of no other', async (t) => {
  let told = 0;
  always(50, () => {
    const spent = new Map<number, bigint>();
    const toldOf = new Map<number, Set<string>>();
    return (past, { events }) => {
      const day = Math.floor((past.now - START) / DAY);
      const limits = toldOf.get(day) ?? new Set();
      toldOf.set(day, limits);
      for (const event of events) {
        if (event.type === 'UsageCharged')
          spent.set(day, (spent.get(day) ?? 0n) + parseCredits(event.data.credits));
        if (event.type === 'EntryReversed' && event.data.reversed_type === 'UsageCharged') {
          const of = Math.floor(((past.events[event.data.reverses]?.recordedAt ?? 0) - START) / DAY);
          spent.set(of, (spent.get(of) ?? 0n) - parseCredits(event.data.credits));
        }
      }
      const isCharge = events.some(({ type }) => type === 'UsageCharged');
      const due = HIGHS.filter(
        (high) => isCharge && (spent.get(day) ?? 0n) > parseCredits(high) && !limits.has(high),
      );
      for (const high of due) limits.add(high);
      const got = events.flatMap((event) =>
        event.type === 'AlertRaised' && event.data.alert === 'daily_spend' ? [event.data.threshold] : [],
      );
      same(got, due, 'spent');
      told += got.length;
    };
  });
  t.ok(told > 0);
});
