import { test } from 'tap';
import { parseCredits } from '../../amount.ts';
import type { PlanTerms } from '../../plans/terms.ts';
import {
  balanceBelow,
  muteAlerts,
  quotaAt,
  raisedIn,
  setAlerts,
  spendOver,
  told,
} from '../../testing/alert-orders.ts';
import { accept, DAY, given, later, type Past, START, when } from '../../testing/given.ts';
import * as order from '../../testing/orders.ts';
import * as buying from '../../testing/purchase-orders.ts';
import { balance, word } from '../../testing/sight.ts';
import {
  BASIC,
  cancel,
  changePlan,
  expandQuota,
  publish,
  subscribe,
} from '../../testing/subscription-orders.ts';
import type { WalletCommand } from '../commands.ts';
import { quotaWarnings } from './quota.ts';

const HOUR = 3_600_000;
const MONTH_END = '2026-02-01T00:00:00.000Z';

const tells = (past: Past, command: WalletCommand): string[] =>
  told(past, () => {
    accept(past, command);
  });
const tellsLater = (past: Past, ms: number): string[] =>
  told(past, () => {
    when(later(past, ms), order.carryOutDues);
  });

/** A subscriber of 10 calls a month at no price, with credits beside it. */
function subscriber(terms: Partial<PlanTerms> = {}): Past {
  const past = given(order.topUp('t1', '1000'));
  publish(past, 'plan', { ...BASIC, price: { credits: '0' }, ...terms }, 0);
  accept(past, subscribe('plan'));
  return past;
}

test('without settings 80 % of a quota is told, once, in the append that crosses it', async (t) => {
  const past = subscriber();
  t.same(tells(past, order.charge('u1', 7)), []);
  const events = accept(past, order.charge('u2', 1));
  t.match(events, [
    { type: 'UsageCharged' },
    {
      type: 'AlertRaised',
      key: null,
      data: {
        ...{ alert: 'quota', threshold: '80', unit: 'calls', model: '*' },
        ...{ granted: '10', used: '8', held: '0' },
        period_start: '2026-01-01T00:00:00.000Z',
        period_end: MONTH_END,
        effective_at: '2026-01-01T00:00:00.000Z',
      },
    },
  ]);
  t.same(tells(past, order.charge('u3', 2)), []);
  t.same(tells(past, order.charge('u4', 5)), [], 'beyond the quota it is paid by credits');
});

test('an account without quotas and settings is told nothing, and pays nothing for it', async (t) => {
  const past = given(order.topUp('t1', '10'), order.charge('u1', 10), order.record('u2', 100));
  t.same(raisedIn(past), []);
  t.same(past.wallet.alerts, { terms: null, quotas: [], low: [], day: null });
});

test('what a call under way has reserved counts; a hold that comes and goes tells once', async (t) => {
  const past = subscriber();
  t.same(tells(past, order.hold('h1', 8)), ['quota 80: 8 of 10 calls of *']);
  t.match(raisedIn(past)[0], { used: '0', held: '8' });
  t.same(tells(past, order.voidHold('h1')), []);
  t.same(tells(past, order.hold('h2', 9)), []);
  t.same(tells(past, order.settle('h2', 9)), []);
});

test('each of many thresholds tells once, the lowest first', async (t) => {
  const past = subscriber();
  accept(past, setAlerts(quotaAt(100), quotaAt(50), quotaAt(80)));
  t.same(tells(past, order.charge('u1', 4)), []);
  t.same(tells(past, order.charge('u2', 4)), [
    'quota 50: 8 of 10 calls of *',
    'quota 80: 8 of 10 calls of *',
  ]);
  t.same(tells(past, order.charge('u3', 2)), ['quota 100: 10 of 10 calls of *']);
});

test('after an expansion it may tell again, of what there is in all', async (t) => {
  const past = subscriber();
  t.same(tells(past, order.charge('u1', 8)), ['quota 80: 8 of 10 calls of *']);
  t.same(tells(past, expandQuota(10n, START + 5 * DAY)), [], 'more is nothing to warn of');
  t.same(tells(past, order.charge('u2', 7)), []);
  t.same(tells(past, order.charge('u3', 1)), ['quota 80: 16 of 20 calls of *']);
  t.equal(new Set(raisedIn(past).map(({ key }) => key)).size, 2);
});

test('an upgrade in mid-period is more of the same window', async (t) => {
  const past = subscriber();
  publish(past, 'more', {
    ...BASIC,
    price: { credits: '1' },
    included: [{ unit: 'calls', model: '*', amount: '20', per: 'period' }],
  });
  t.same(tells(past, order.charge('u1', 8)), ['quota 80: 8 of 10 calls of *']);
  accept(past, changePlan('more', 'now'));
  t.same(tells(past, order.charge('u2', 7)), []);
  t.same(tells(past, order.charge('u3', 1)), ['quota 80: 16 of 20 calls of *']);
  t.match(raisedIn(past)[1], { period_start: '2026-01-01T00:00:00.000Z', period_end: MONTH_END });
});

test('the next window is another one; that of a day tells for each day, that of the month once', async (t) => {
  const past = subscriber({
    included: [
      { unit: 'calls', model: '*', amount: '2', per: 'day' },
      { unit: 'calls', model: '*', amount: '4', per: 'period' },
    ],
  });
  t.same(tells(past, order.charge('u1', 2)), ['quota 80: 2 of 2 calls of *']);
  t.same(tells(past, order.charge('u2', 3)), []);
  later(past, DAY);
  t.same(tells(past, order.charge('u3', 2)), ['quota 80: 2 of 2 calls of *']);
  t.same(tells(past, order.charge('u4', 1)), ['quota 80: 4 of 4 calls of *']);
});

test('an expansion is more of the window that ends last', async (t) => {
  const past = subscriber({
    included: [
      { unit: 'calls', model: '*', amount: '2', per: 'day' },
      { unit: 'calls', model: '*', amount: '10', per: 'period' },
    ],
  });
  accept(past, expandQuota(10n, START + 5 * DAY));
  t.same(tells(past, order.charge('u1', 2)), ['quota 80: 2 of 2 calls of *']);
  t.same(tells(past, order.charge('u2', 15)), []);
  t.same(tells(past, order.charge('u3', 1)), ['quota 80: 16 of 20 calls of *']);
});

test('an expansion that outlives the window in which it was given stands by itself from then on', async (t) => {
  const past = subscriber({ included: [{ unit: 'calls', model: '*', amount: '2', per: 'day' }] });
  accept(past, expandQuota(10n, START + 10 * DAY));
  t.same(tells(past, order.charge('u1', 9)), [], '9 of 12');
  later(past, DAY);
  t.same(tells(past, order.charge('u2', 2)), ['quota 80: 2 of 2 calls of *'], 'as if nothing had been given');
  t.same(tells(past, order.charge('u3', 1)), ['quota 80: 8 of 10 calls of *']);
});

test('an expansion of an account that has no plan is a window of its own; two at once are told apart', async (t) => {
  const past = given();
  accept(past, expandQuota(5n, START + DAY, { model: 'fine' }));
  accept(past, expandQuota(5n, START + DAY, { model: 'gpt-4', reference: 'e2' }));
  t.same(tells(past, order.charge('u1', 4)), ['quota 80: 4 of 5 calls of fine']);
  t.same(tells(past, order.charge('u2', 4, { model: 'gpt-4' })), ['quota 80: 4 of 5 calls of gpt-4']);
});

test('a call of no quota tells nothing of any', async (t) => {
  const past = subscriber({ included: [{ unit: 'calls', model: 'gpt-4', amount: '10', per: 'period' }] });
  t.same(tells(past, order.charge('u1', 9, { model: 'gpt-4' })), ['quota 80: 9 of 10 calls of gpt-4']);
  accept(past, setAlerts(quotaAt(50)));
  t.same(tells(past, order.charge('u2', 5)), []);
  t.same(tells(past, order.charge('u3', 1, { model: 'gpt-4' })), ['quota 50: 10 of 10 calls of gpt-4']);
});

test('what was told of windows that have ended is forgotten', async (t) => {
  const past = subscriber({ included: [{ unit: 'calls', model: '*', amount: '2', per: 'day' }] });
  for (let day = 0; day < 20; day++) {
    t.equal(tells(past, order.charge(`u${day}`, 2)).length, 1);
    later(past, DAY);
  }
  t.equal(past.wallet.alerts.quotas.length, 1);
});

test('the balance tells when it falls below, not when it is below; what a hold lets go of does not arm it again', async (t) => {
  const past = given(order.topUp('t1', '150'), setAlerts(balanceBelow('100')));
  t.same(tells(past, order.charge('u1', 50)), [], '100 is not below 100');
  t.same(tells(past, order.hold('h1', 10)), ['balance 100: 90']);
  t.same(tells(past, order.voidHold('h1')), []);
  t.same(tells(past, order.charge('u2', 1)), [], 'it was told, and nothing has come in since');
});

test('credits that come in arm it again, be they bought, given, adjusted or taken back', async (t) => {
  const past = given(order.topUp('t1', '100'), setAlerts(balanceBelow('100')));
  t.same(tells(past, order.charge('u1', 1)), ['balance 100: 99']);
  const ways = [
    order.topUp('t2', '1'),
    order.grant('g1', '1'),
    order.adjust('a1', '1'),
    order.reverse(past.events.findIndex(({ type }) => type === 'UsageCharged')),
  ];
  for (const [n, way] of ways.entries()) {
    t.match(accept(past, way), [{}, { type: 'AlertsRearmed', data: { thresholds: ['100'] } }]);
    t.same(past.wallet.alerts.low, []);
    const available = past.wallet.totals.available / 1_000_000n;
    const down = Number(available) - 99;
    t.same(tells(past, order.charge(`v${n}`, down)), ['balance 100: 99']);
  }
});

test('too little to rise above it tells nothing again', async (t) => {
  const past = given(order.topUp('t1', '100'), setAlerts(balanceBelow('100')), order.charge('u1', 50));
  accept(past, order.grant('g1', '1'));
  t.same(tells(past, order.charge('u2', 1)), []);
  accept(past, order.grant('g2', '100'));
  t.same(tells(past, order.charge('u3', 60)), ['balance 100: 90']);
});

test('of many thresholds on the balance each tells as it is passed, the highest first', async (t) => {
  const past = given(
    order.topUp('t1', '100'),
    setAlerts(balanceBelow('0'), balanceBelow('50'), balanceBelow('90')),
  );
  t.same(tells(past, order.charge('u1', 60)), ['balance 90: 40', 'balance 50: 40']);
  t.same(tells(past, order.record('u2', 41)), ['balance 0: -1'], 'in debt');
  t.equal(balance(past), '-1, held 0, debt 1');
});

test('credits that expire and a renewal tell too, as of their own instant', async (t) => {
  const past = given(
    order.topUp('t1', '150'),
    order.grant('g1', '100', { expiresAt: START + 3 * DAY, priority: 200 }),
    setAlerts(balanceBelow('160'), balanceBelow('20')),
  );
  publish(past, 'plan', { ...BASIC, price: { credits: '45' } }, 0);
  accept(past, subscribe('plan'));
  t.same(tellsLater(past, 10 * DAY), ['balance 160: 105']);
  t.match(raisedIn(past)[0], { effective_at: new Date(START + 3 * DAY).toISOString() });
  t.same(tellsLater(past, 60 * DAY), ['balance 20: 15'], 'two renewals at once, 60 and 15 are left');
  t.match(raisedIn(past)[1], { effective_at: '2026-03-01T00:00:00.000Z' });
});

test('what pays for a period in the same append counts', async (t) => {
  const past = given(order.topUp('t1', '100'), setAlerts(balanceBelow('10')));
  publish(past, 'plan', { ...BASIC, grace: { days: 20, quota: 'none' } }, 0);
  accept(past, subscribe('plan'));
  t.match(raisedIn(past), [{ threshold: '10', available: '0' }]);
  later(past, 35 * DAY);
  t.same(
    tells(past, order.topUp('t2', '105')),
    [],
    'it was below, and having paid it is below again: nothing has been crossed',
  );
  t.equal(balance(past), '5, held 0');
});

test('a day of spending tells once, when it goes beyond', async (t) => {
  const past = given(order.topUp('t1', '1000'), setAlerts(spendOver('50')));
  t.same(tells(past, order.charge('u1', 50)), [], '50 is not beyond 50');
  t.same(tells(past, order.charge('u2', 1)), ['daily_spend 50: 51 on 2026-01-01']);
  t.same(tells(past, order.charge('u3', 100)), []);
  later(past, DAY);
  t.same(tells(past, order.charge('u4', 51)), ['daily_spend 50: 51 on 2026-01-02']);
});

test('only what was charged for usage is spending: no holds, no plans, nothing that quotas cover', async (t) => {
  const past = given(order.topUp('t1', '1000'), setAlerts(spendOver('10')));
  publish(past, 'plan', BASIC, 0);
  accept(past, subscribe('plan'));
  t.same(tells(past, order.charge('u1', 10)), []);
  t.same(tells(past, order.hold('h1', 20)), []);
  t.same(tells(past, order.settle('h1', 10)), []);
  t.same(tells(past, order.charge('u2', 1)), ['daily_spend 10: 11 on 2026-01-01']);
});

test('a charge of the day that is taken back was not spent; one of another day says nothing of this one', async (t) => {
  const past = given(order.topUp('t1', '1000'), setAlerts(spendOver('50')), order.charge('u1', 40));
  const yesterdays = past.events.findIndex(({ type }) => type === 'UsageCharged');
  later(past, DAY);
  accept(past, order.charge('u2', 45));
  const todays = past.events.findLastIndex(({ type }) => type === 'UsageCharged');
  accept(past, order.reverse(todays));
  accept(past, order.reverse(yesterdays));
  t.equal(past.wallet.alerts.day?.spent, 0n);
  t.same(tells(past, order.charge('u3', 50)), []);
  t.same(tells(past, order.charge('u4', 1)), ['daily_spend 50: 51 on 2026-01-02']);
});

test('a day is one where the account lives, 23 hours of it where clocks go forward', async (t) => {
  const past = given(order.topUp('t1', '1000'), order.change({ time_zone: 'Europe/Berlin' }));
  accept(past, setAlerts(spendOver('50')));
  past.now = Date.parse('2026-03-28T23:00:00.000Z');
  t.same(tells(past, order.charge('u1', 51)), ['daily_spend 50: 51 on 2026-03-29']);
  later(past, 23 * HOUR - 1);
  t.same(tells(past, order.charge('u2', 51)), []);
  later(past, 1);
  t.same(tells(past, order.charge('u3', 51)), ['daily_spend 50: 51 on 2026-03-30']);
  t.match(past.wallet.alerts.day, { start: past.now, end: past.now + 24 * HOUR });
});

test('a day counts from when somebody wanted to know', async (t) => {
  const past = given(order.topUp('t1', '1000'), order.charge('u1', 40));
  accept(past, setAlerts(spendOver('50')));
  t.same(tells(past, order.charge('u2', 40)), []);
  t.same(tells(past, order.charge('u3', 11)), ['daily_spend 50: 51 on 2026-01-01']);
});

test('settings are what is wanted and nothing else: a list without quotas warns of none', async (t) => {
  const past = subscriber();
  accept(past, setAlerts(balanceBelow('10')));
  t.same(tells(past, order.charge('u1', 10)), []);
  accept(past, setAlerts());
  t.same(tells(past, order.charge('u2', 1000)), []);
});

test('the same settings again change nothing; others forget no window and no day that was told', async (t) => {
  const past = subscriber();
  accept(past, setAlerts(quotaAt(80), spendOver('5')));
  t.equal(word(when(past, setAlerts(quotaAt(80), spendOver('5')))), 'unchanged');
  t.equal(tells(past, order.charge('u1', 16)).length, 2);
  accept(past, setAlerts());
  accept(past, setAlerts(quotaAt(80), spendOver('5'), spendOver('6')));
  t.same(tells(past, order.charge('u2', 1)), ['daily_spend 6: 7 on 2026-01-01']);
});

test('a threshold on a window tells only when something of that window is taken', async (t) => {
  const past = subscriber({
    included: [
      { unit: 'calls', model: '*', amount: '2', per: 'day' },
      { unit: 'calls', model: '*', amount: '10', per: 'period' },
    ],
  });
  accept(past, setAlerts());
  accept(past, order.charge('u1', 2));
  accept(past, setAlerts(quotaAt(50)));
  t.same(tells(past, order.charge('u2', 1)), [], 'of the month; the day was full before');
  later(past, DAY);
  t.same(tells(past, order.charge('u3', 1)), ['quota 50: 1 of 2 calls of *']);
});

test('thresholds on the balance that are set anew tell anew', async (t) => {
  const past = given(order.topUp('t1', '150'), setAlerts(balanceBelow('100')));
  t.same(tells(past, order.hold('h1', 60)), ['balance 100: 90']);
  accept(past, order.voidHold('h1'));
  accept(past, setAlerts(balanceBelow('100'), balanceBelow('95')));
  t.same(tells(past, order.hold('h2', 60)), ['balance 100: 90', 'balance 95: 90']);
});

test('turned off nothing is told; turned on again, what is crossed from then on', async (t) => {
  const past = subscriber();
  accept(past, muteAlerts(quotaAt(80), balanceBelow('995'), spendOver('2')));
  t.same(tells(past, order.charge('u1', 18)), []);
  accept(past, setAlerts(quotaAt(80), balanceBelow('995'), balanceBelow('990'), spendOver('2')));
  t.same(tells(past, order.charge('u2', 3)), ['balance 990: 989', 'daily_spend 2: 3 on 2026-01-01']);
});

test('a refused call tells nothing', async (t) => {
  const past = subscriber({ overage: 'refuse' });
  accept(past, order.charge('u1', 7));
  t.same(
    told(past, () => {
      t.equal(word(when(past, order.charge('u2', 4))), 'quota_exhausted');
    }),
    [],
  );
});

test('an order that asks for a top-up as well tells of the balance that it leaves', async (t) => {
  const past = given(order.grant('g1', '150'), buying.setAutoTopUp(), setAlerts(balanceBelow('100')));
  const events = accept(past, order.charge('u1', 51));
  t.same(
    events.map(({ type }) => type),
    ['UsageCharged', 'AutoTopUpRequested', 'AlertRaised'],
  );
});

test('how each window stands can be asked for at any time', async (t) => {
  const past = subscriber({
    included: [
      { unit: 'calls', model: '*', amount: '9', per: 'period' },
      { unit: 'tokens', model: 'gpt-4', amount: '1000', per: 'period' },
      { unit: 'calls', model: 'free', amount: 'unlimited', per: 'period' },
    ],
  });
  accept(past, setAlerts(quotaAt(50), quotaAt(80)));
  accept(past, order.charge('u1', 6));
  accept(past, order.hold('h1', 2));
  t.match(quotaWarnings(past.wallet, past.now), [
    { window: { unit: 'calls', granted: 9n, used: 6n, held: 2n }, percent: 88, reached: [50, 80] },
    { window: { unit: 'tokens', model: 'gpt-4', used: 0n }, percent: 0, reached: [] },
  ]);
  t.same(quotaWarnings(past.wallet, START + 40 * DAY), []);
});

test('a subscription that was canceled leaves nothing to warn of', async (t) => {
  const past = subscriber();
  t.equal(tells(past, order.charge('u1', 9)).length, 1);
  accept(past, cancel('now'));
  t.same(tells(past, order.charge('u2', 9)), []);
});

test('amounts in settings are compared as amounts', async (t) => {
  const past = given(order.topUp('t1', '1'), setAlerts(balanceBelow('0.000001')));
  t.same(tells(past, order.charge('u1', 1)), ['balance 0.000001: 0']);
  t.equal(past.wallet.totals.consumed, parseCredits('1'));
});
