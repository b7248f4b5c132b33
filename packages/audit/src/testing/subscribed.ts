/**
 * Histories with subscriptions, through the real decider: every way in which a period begins, is paid, changes and ends,
 * and every way in which quotas are granted, used, held and lost.
 */
import type { PlanTerms, WalletCommand } from '@tallystick/domain';
import { charge, type Plain, type TestLedger, topUp } from '@tallystick/projections/testing';

type Command = Plain<WalletCommand>;
type Of<T extends Command['type']> = Extract<Command, { type: T }>;

export const HOUR = 3_600_000;
export const DAY = 24 * HOUR;

/** 30 credits a month: calls of the period and by the day, tokens of one model, what is beyond at half as much again. */
export const HYBRID: PlanTerms = {
  name: 'Hybrid',
  price: { credits: '30' },
  interval: 'month',
  anchor: 'subscription',
  trial_days: 14,
  grace: { days: 5, quota: 'provisional' },
  included: [
    { unit: 'calls', model: 'plain', amount: '20', per: 'period' },
    { unit: 'calls', model: 'maker/costly', amount: '3', per: 'day' },
    { unit: 'tokens', model: 'talk', amount: '1000', per: 'period' },
    { unit: 'calls', model: 'extra', amount: 'unlimited', per: 'period' },
  ],
  caps: [{ unit: 'calls', model: '*', amount: '100', per: 'day' }],
  overage: 'credits',
  overage_multiplier: '1.5',
  refund_on_cancel: true,
};

/** The same with more of it, at a higher price. */
export const LARGE: PlanTerms = {
  ...HYBRID,
  name: 'Large',
  price: { credits: '75' },
  included: [
    { unit: 'calls', model: 'maker/costly', amount: '10', per: 'day' },
    { unit: 'calls', model: 'plain', amount: '60', per: 'period' },
    { unit: 'tokens', model: 'talk', amount: '1000', per: 'period' },
    { unit: 'tokens', model: '*', amount: '5000', per: 'week' },
  ],
  caps: [
    { unit: 'tokens', model: '*', amount: '100000', per: 'month' },
    { unit: 'calls', model: '*', amount: '500', per: 'day' },
  ],
};

/** Its quotas tell all that it gives: what is left of them comes back. */
export const MEASURED: PlanTerms = {
  name: 'Measured',
  price: { credits: '30' },
  interval: 'month',
  anchor: 'subscription',
  included: [
    { unit: 'calls', model: 'plain', amount: '20', per: 'period' },
    { unit: 'calls', model: 'maker/costly', amount: '3', per: 'day' },
  ],
  caps: [{ unit: 'calls', model: '*', amount: '100', per: 'day' }],
  overage: 'credits',
  refund_on_cancel: true,
};

/** Paid outside; what is beyond is refused. */
export const STOPPED: PlanTerms = {
  name: 'Stopped',
  price: { amount: '9.99', currency: 'USD' },
  interval: 'month',
  anchor: 'calendar',
  grace: { days: 7, quota: 'full' },
  included: [
    { unit: 'calls', model: '*', amount: '10', per: 'month' },
    { unit: 'tokens', model: 'talk', amount: '300', per: 'week', counted_dimensions: ['output_tokens'] },
  ],
  caps: [{ unit: 'calls', model: 'plain', amount: '4', per: 'day' }],
  overage: 'refuse',
};

/** Tried for less than its window: a trial has the part of it that it lasts. */
export const BRIEF: PlanTerms = {
  name: 'Brief',
  price: { credits: '4' },
  interval: 'month',
  anchor: 'calendar',
  trial_days: 2,
  included: [{ unit: 'tokens', model: 'talk', amount: '700', per: 'week' }],
  overage: 'credits',
};

/** Costs nothing: not begun anew before its last period has passed. */
export const FREE: PlanTerms = {
  name: 'Free',
  price: { credits: '0' },
  interval: 'week',
  anchor: 'calendar',
  included: [{ unit: 'calls', model: '*', amount: '2', per: 'day' }],
  overage: 'credits',
};

const TALK = {
  talk: {
    supplier: 'Maker & Co',
    prices: {
      input_tokens: { credits: '2', per: 1000 },
      output_tokens: { cost: { amount: '0.03', currency: 'USD' }, per: 1000, markup: '0.31' },
    },
  },
  extra: { prices: { calls: { credits: '1', per: 1 } } },
} as const;

export function publishPlans(ledger: TestLedger): void {
  ledger.publishPlan('hybrid', HYBRID);
  ledger.publishPlan('large', LARGE);
  ledger.publishPlan('measured', MEASURED);
  ledger.publishPlan('stopped', STOPPED);
  ledger.publishPlan('brief', BRIEF);
  ledger.publishPlan('free', FREE);
  ledger.publish({
    credit_value: { amount: '0.01', currency: 'USD' },
    models: {
      plain: { round_to: '0.5', prices: { calls: { credits: '1', per: 1 } } },
      'maker/costly': {
        supplier: 'Maker & Co',
        round_to: '0.000001',
        prices: { calls: { cost: { amount: '0.0137', currency: 'USD' }, per: 1, markup: '0.31' } },
      },
      ...TALK,
    },
  });
}

export const subscribe = (plan: string, more: Partial<Of<'Subscribe'>> = {}): Command => ({
  ...{ type: 'Subscribe', plan, autoRenew: true, trial: false, pay: 'credits', reference: 's1' },
  ...{ timeZone: null, startAt: null },
  ...more,
});
export const changePlan = (plan: string, when: 'now' | 'period_end', reference = `to-${plan}`): Command => ({
  type: 'ChangePlan',
  ...{ plan, when, reference },
});
export const cancel = (when: 'now' | 'period_end', reference = `cancel-${when}`): Command => ({
  type: 'CancelSubscription',
  ...{ when, reference },
});
export const expand = (
  unit: 'calls' | 'tokens',
  model: string,
  amount: bigint,
  expiresAt: number,
): Command => ({
  type: 'ExpandQuota',
  ...{ unit, model, amount, expiresAt, reason: 'goodwill', reference: `more-${expiresAt}` },
});
export const hold = (
  id: string,
  model: string,
  estimate: Of<'PlaceHold'>['estimate'],
  expiresInMs = HOUR,
): Command => ({
  type: 'PlaceHold',
  ...{ hold: id, model, estimate, expiresInMs },
});
export const settle = (id: string, usage: Of<'SettleHold'>['usage']): Command => ({
  type: 'SettleHold',
  ...{ hold: id, usage, cost: null },
});
export const talk = (
  id: string,
  input_tokens: number,
  output_tokens: number,
  more: Partial<Of<'ChargeUsage'>> = {},
) => charge(id, 0, { model: 'talk', usage: { input_tokens, output_tokens }, ...more });

const USD = 'USD';

/** Runs, and throws where a command that should go through does not. */
export async function must(ledger: TestLedger, account: string, ...commands: Command[]): Promise<void> {
  const answers = await ledger.run(account, ...commands);
  answers.forEach((answer, at) => {
    if (answer.status !== 'recorded' && answer.status !== 'unchanged')
      throw new Error(`${commands[at]?.type} of ${account}: ${JSON.stringify(answer)}`);
  });
}

/**
 * `sub-*` are accounts of one story each. Ends some four months after it began.
 * @returns the accounts
 */
export async function subscribeThrough(ledger: TestLedger): Promise<readonly string[]> {
  publishPlans(ledger);
  const accounts = [
    'upgrader',
    'refunded',
    'lapser',
    'late',
    'outside',
    'trial',
    'holder',
    'short',
    'free',
  ].map((one) => `sub-${one}`);
  for (const account of accounts) {
    await ledger.open(account);
    await must(ledger, account, topUp('t1', 200, { paid: { amount: '181.37', currency: 'EUR' } }));
    await must(
      ledger,
      account,
      topUp('t2', 10, { paid: { amount: '9', currency: USD }, expiresAt: ledger.now() + 90 * DAY }),
    );
  }
  const [
    upgrader = '',
    refunded = '',
    lapser = '',
    late = '',
    outside = '',
    trial = '',
    holder = '',
    short = '',
    free = '',
  ] = accounts;
  for (const account of [upgrader, holder]) await must(ledger, account, subscribe('hybrid'));
  await must(ledger, refunded, subscribe('measured'));
  await must(ledger, trial, subscribe('hybrid', { trial: true }));
  await must(ledger, outside, subscribe('stopped', { pay: 'external' }));
  await must(ledger, lapser, subscribe('hybrid', { autoRenew: false }));
  await must(ledger, late, subscribe('hybrid'));
  await useAll(ledger, [upgrader, lapser, late, trial, holder]);
  // What is used is not given back: 5 of 20 are a quarter of the price.
  await must(ledger, refunded, charge('c1', 5));
  ledger.advance(3 * DAY + 5 * HOUR);
  await must(ledger, outside, ...payment(ledger, outside, await periodOf(ledger, outside), '9.99', 'p1'));
  await overrun(ledger, outside);
  await takeBackAll(ledger, lapser);
  await must(ledger, upgrader, expand('calls', 'plain', 5n, ledger.now() + 2 * DAY));
  await must(ledger, upgrader, changePlan('large', 'now'), talk('after', 700, 900), charge('after-2', 50));
  await must(ledger, refunded, cancel('period_end'), { type: 'ResumeSubscription' }, cancel('now'));
  await must(ledger, refunded, topUp('back', 1), subscribe('large', { reference: 's2' }));
  // It names no token, and has one all the same.
  await must(ledger, refunded, hold('h1', 'talk', {}), settle('h1', { input_tokens: 20 }));
  // The first window of its week is longer than what is tried.
  await must(ledger, short, subscribe('brief', { trial: true }));
  await must(ledger, free, subscribe('free'), charge('f1', 3), cancel('now'));
  const again = await ledger.run(free, subscribe('free', { reference: 's2' }));
  if (again[0]?.status !== 'refused') throw new Error('what costs nothing was begun twice');
  await holdsOverEnd(ledger, holder);
  // Spent to the last: the next period cannot be paid at once.
  await must(ledger, late, {
    type: 'AdjustCredits',
    credits: -170_000_000n,
    reason: 'spent',
    reference: 'a1',
  });
  for (let day = 0; day < 30; day += 1) {
    ledger.advance(DAY + 7 * 60_000);
    for (const account of accounts)
      await ledger.run(account, { type: 'CarryOutDues' }, charge(`d${day}`, 1, { model: 'maker/costly' }));
  }
  await must(ledger, late, charge('in-grace', 2), topUp('t3', 90, { paid: { amount: '80', currency: USD } }));
  await must(ledger, trial, changePlan('large', 'period_end'), cancel('period_end'));
  await must(ledger, outside, ...payment(ledger, outside, await periodOf(ledger, outside), '9.99', 'p2'));
  await must(ledger, outside, ...payment(ledger, outside, 1, '5', 'stray'));
  ledger.advance(70 * DAY);
  for (const account of accounts) await ledger.run(account, { type: 'CarryOutDues' });
  // Stays open.
  await must(ledger, holder, hold('h9', 'maker/costly', { calls: 1 }, 90 * DAY));
  return accounts;
}

async function useAll(ledger: TestLedger, accounts: readonly string[]): Promise<void> {
  for (const account of accounts) {
    await must(ledger, account, charge('c1', 3), charge('c2', 5, { model: 'maker/costly' }));
    await must(
      ledger,
      account,
      talk('talk-1', 401, 333),
      talk('talk-2', 500, 77),
      charge('x', 9, { model: 'extra' }),
    );
    await must(ledger, account, charge('c3', 30));
  }
}

/** Beyond a hard stop only what has run is booked, at the platform's own expense; and beyond a cap. */
async function overrun(ledger: TestLedger, account: string): Promise<void> {
  await must(ledger, account, charge('o1', 3), talk('o2', 9_000, 250, { mode: 'record' }));
  const refused = await ledger.run(account, charge('o3', 3), charge('o4', 20, { model: 'maker/costly' }));
  if (refused.some(({ status }) => status !== 'refused'))
    throw new Error('a cap or a hard stop let a call through');
  await must(
    ledger,
    account,
    charge('o5', 3, { mode: 'record' }),
    charge('o6', 20, { model: 'maker/costly', mode: 'record' }),
  );
  await must(ledger, account, talk('o7', 10, 400, { mode: 'record' }));
}

/** Every charge so far: of quotas that last, and of those that have ended. */
async function takeBackAll(ledger: TestLedger, account: string): Promise<void> {
  await must(ledger, account, { type: 'CarryOutDues' });
  const charged = await ledger.store.readStream(`wallet-${account}`, { from: 0, limit: 1_000 });
  for (const { type, revision } of charged)
    if (type === 'UsageCharged')
      await must(ledger, account, { type: 'ReverseEntry', revision, reason: 'a mistake', allowDebt: false });
}

/** Holds that still have something of a quota when its window ends: settled, let go of, kept beyond the hour. */
async function holdsOverEnd(ledger: TestLedger, account: string): Promise<void> {
  const voided = hold('h4', 'maker/costly', { calls: 1 });
  await must(ledger, account, voided, { type: 'VoidHold', hold: 'h4' });
  await must(
    ledger,
    account,
    hold('h1', 'maker/costly', { calls: 2 }, 40 * HOUR),
    hold('h2', 'talk', { output_tokens: 600 }),
  );
  await must(
    ledger,
    account,
    settle('h2', { input_tokens: 10, output_tokens: 90 }),
    hold('h3', 'maker/costly', { calls: 5 }, 20 * HOUR),
  );
  ledger.advance(DAY);
  await must(ledger, account, hold('h5', 'maker/costly', { calls: 1 }, 40 * HOUR));
  await must(ledger, account, { type: 'ExtendHold', hold: 'h5', estimate: { calls: 3 }, expiresInMs: null });
  ledger.advance(19 * HOUR);
  await must(
    ledger,
    account,
    settle('h5', { calls: 2 }),
    settle('h1', { calls: 1 }),
    settle('h3', { calls: 7 }),
  );
}

async function periodOf(ledger: TestLedger, account: string): Promise<number> {
  const { state } = await ledger.wallet(account);
  return Date.parse(state.subscription?.now.period_start ?? '');
}

function payment(
  _: TestLedger,
  account: string,
  periodStart: number,
  amount: string,
  reference: string,
): Command[] {
  const paid = { amount, currency: USD };
  return [
    {
      type: 'RecordSubscriptionPayment',
      periodStart,
      result: 'failed',
      paid: null,
      reference: `${account}-${reference}-failed`,
    },
    {
      type: 'RecordSubscriptionPayment',
      periodStart,
      result: 'paid',
      paid,
      reference: `${account}-${reference}`,
    },
  ];
}
