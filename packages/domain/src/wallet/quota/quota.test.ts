import { test } from 'tap';
import type { PlanTerms } from '../../plans/terms.ts';
import { accept, DAY, given, later, type Past, SECOND, START, when } from '../../testing/given.ts';
import * as order from '../../testing/orders.ts';
import { account, balance, word } from '../../testing/sight.ts';
import { BASIC, cancel, expandQuota, publish, subscribe } from '../../testing/subscription-orders.ts';
import type { Usage } from '../../usage.ts';
import type { WalletEventOf } from '../events.ts';

const HOUR = 3_600 * SECOND;

/** A subscriber of a plan that costs nothing, with so many credits beside it. */
function subscriber(terms: Partial<PlanTerms>, credits = '1000'): Past {
  const past = given();
  publish(past, 'plan', { ...BASIC, price: { credits: '0' }, ...terms }, 0);
  if (credits !== '0') accept(past, order.topUp('t1', credits));
  accept(past, subscribe('plan'));
  return past;
}

const left = (past: Past): string[] =>
  past.wallet.quotas.map(
    ({ unit, model, free, pinned }) => `${free} ${unit} of ${model}${pinned > 0n ? `, ${pinned} held` : ''}`,
  );

function charged(
  past: Past,
  command: ReturnType<typeof order.charge>,
): WalletEventOf<'UsageCharged'>['data'] {
  const event = accept(past, command).find(({ type }) => type === 'UsageCharged');
  return (event as WalletEventOf<'UsageCharged'>).data;
}

test('one usage splits over quota and credits: 10 videos, 8 used, 5 more at 15 each come to 45 (seed 000)', async (t) => {
  const past = subscriber({
    included: [{ unit: 'calls', model: 'video', amount: '10', per: 'period' }],
    overage_prices: { video: { calls: { credits: '15', per: 1 } } },
  });
  accept(past, order.charge('u1', 8, { model: 'video' }));
  const data = charged(past, order.charge('u2', 5, { model: 'video' }));
  t.equal(data.credits, '45');
  t.match(data.covered, [{ unit: 'calls', quantity: '2', model: 'video', usage: { calls: 2 } }]);
  t.equal(balance(past), '955, held 0');
});

test('the most specific quota pays first: its own model before all, calls before tokens, what ends first (billing rule 4)', async (t) => {
  const past = subscriber({
    included: [
      { unit: 'tokens', model: '*', amount: '1000', per: 'period' },
      { unit: 'calls', model: '*', amount: '1', per: 'period' },
      { unit: 'tokens', model: 'gpt-4', amount: '100', per: 'period' },
      { unit: 'calls', model: 'gpt-4', amount: '1', per: 'period' },
      { unit: 'calls', model: 'gpt-4', amount: '1', per: 'day' },
    ],
  });
  const paidBy = (id: string): string[] =>
    (charged(past, order.charge(id, { input_tokens: 150 }, { model: 'gpt-4' })).covered ?? []).map(
      ({ unit, model, quantity }) => `${quantity} ${unit} of ${model}`,
    );
  t.same(paidBy('u1'), ['1 calls of gpt-4']);
  t.equal(
    past.wallet.quotas.find(({ expiresAt }) => expiresAt === START + DAY)?.free,
    0n,
    'the day before the month',
  );
  t.same(paidBy('u2'), ['1 calls of gpt-4']);
  t.same(paidBy('u3'), ['100 tokens of gpt-4', '1 calls of *']);
  t.same(paidBy('u4'), ['150 tokens of *']);
});

test('a part-coverage in tokens is spread over the dimensions that count, by largest remainder (billing rule 5)', async (t) => {
  const past = subscriber({
    included: [
      {
        unit: 'tokens',
        model: '*',
        amount: '100',
        per: 'period',
        counted_dimensions: ['input_tokens', 'output_tokens'],
      },
    ],
  });
  const usage = { input_tokens: 200, output_tokens: 100 };
  const data = charged(past, order.charge('u1', usage, { model: 'gpt-4' }));
  t.same(data.covered?.[0]?.usage, { input_tokens: 67, output_tokens: 33 });
  t.equal(data.credits, '1', '133 and 67 tokens at 5 for 1,000 are exactly 1');
});

test('what is wholly covered needs no price; what is not is parked whole, and takes nothing (P10)', async (t) => {
  const past = subscriber({ included: [{ unit: 'calls', model: '*', amount: '1', per: 'period' }] });
  const data = charged(past, order.charge('u1', 1, { model: 'unheard-of' }));
  t.equal(data.credits, '0');
  t.same(left(past), ['0 calls of *']);
  const parked = subscriber({ included: [{ unit: 'calls', model: '*', amount: '1', per: 'period' }] });
  accept(parked, order.charge('u1', 2, { model: 'unheard-of' }));
  t.same(left(parked), ['1 calls of *']);
});

test('a factor on the price of what is not covered is a factor of the charge, rounded once (billing rule 11)', async (t) => {
  const past = subscriber({
    included: [{ unit: 'tokens', model: '*', amount: '500', per: 'period' }],
    overage_multiplier: '1.5',
  });
  const [event] = accept(past, order.charge('u1', { input_tokens: 1_500 }, { model: 'gpt-4' }));
  const { data, facts } = event as WalletEventOf<'UsageCharged'>;
  t.equal(data.credits, '8', '1,000 tokens are 5, times 1.5 is 7.5');
  t.match(facts.price, { exact: '7.5', factors: [{ kind: 'overage', value: '1.5', version: 'plan:1' }] });
});

test('a hard stop tells when there is more of what is lacking, whatever else is granted before', async (t) => {
  const tokens = { unit: 'tokens', model: 'gpt-4', amount: '1000' } as const;
  const resets = (included: PlanTerms['included'], model: string, usage: Usage): unknown => {
    const outcome = when(subscriber({ overage: 'refuse', included }), order.charge('u1', usage, { model }));
    return outcome.status === 'refused' && 'resets_at' in outcome.refusal ? outcome.refusal.resets_at : null;
  };
  const [ofPeriod, ofWeek, ofDay] = [
    '2026-02-01T00:00:00.000Z',
    '2026-01-08T00:00:00.000Z',
    '2026-01-02T00:00:00.000Z',
  ];
  const calls = { unit: 'calls', model: '*', amount: '1' } as const;
  const fine = { unit: 'calls', model: 'fine', amount: '1' } as const;
  const both = [
    { ...calls, per: 'period' },
    { ...calls, model: 'free', per: 'day' },
  ] as const;
  t.equal(resets(both, 'fine', { calls: 9 }), ofPeriod, 'not what is for another model');
  t.equal(resets(both, 'free', { calls: 9 }), ofDay);
  const units = [
    { ...fine, per: 'day' },
    { ...tokens, per: 'week' },
  ] as const;
  t.equal(resets(units, 'gpt-4', { input_tokens: 9_999 }), ofWeek, 'nor what is of another unit');
  t.equal(
    resets(
      [
        { ...calls, per: 'week' },
        { ...fine, per: 'period' },
      ],
      'fine',
      { calls: 9 },
    ),
    ofWeek,
    'the first of several',
  );
});

test('a hard stop refuses, and takes nothing of what was left', async (t) => {
  const past = subscriber({ overage: 'refuse' });
  accept(past, order.charge('u1', 9));
  const outcome = when(past, order.charge('u2', 2));
  t.match(outcome, {
    status: 'refused',
    refusal: { code: 'quota_exhausted', resets_at: '2026-02-01T00:00:00.000Z' },
  });
  t.same(left(past), ['1 calls of *']);
  t.equal(word(when(past, order.hold('h1', 2))), 'quota_exhausted');
});

test('what has run beyond a hard stop is at our own expense, and listed (billing rule 6)', async (t) => {
  const past = subscriber({
    overage: 'refuse',
    included: [{ unit: 'calls', model: '*', amount: '1', per: 'day' }],
  });
  const cost = { amount: '0.02', currency: 'USD' };
  const [event] = accept(past, order.record('u1', 3, { cost }));
  const { data } = event as WalletEventOf<'UsageCharged'>;
  t.same(data.violations, ['quota_exhausted']);
  t.equal(data.credits, '0');
  t.equal(balance(past), '1000, held 0', "not the customer's credits");
  t.equal(account(past, 'expenses:overrun:plan'), '0.02');
  later(past, DAY);
  accept(past, order.charge('u2', 1));
  t.same(left(past), ['0 calls of *'], "nor tomorrow's quota");
});

test('caps limit whoever pays, open holds count, and a settled hold does not stand in its own way', async (t) => {
  const past = subscriber({
    included: [],
    caps: [
      { unit: 'calls', model: '*', amount: '5', per: 'day' },
      { unit: 'calls', model: 'fine', amount: '8', per: 'period' },
    ],
  });
  accept(past, order.charge('u1', 2));
  accept(past, order.hold('h1', 3, 7_200));
  t.match(when(past, order.charge('u2', 1)), {
    status: 'refused',
    refusal: { code: 'cap_reached', amount: '5', resets_at: '2026-01-02T00:00:00.000Z' },
  });
  accept(past, order.settle('h1', 3));
  later(past, DAY);
  accept(past, order.charge('u3', 3));
  t.match(when(past, order.charge('u4', 1)), { refusal: { code: 'cap_reached', amount: '8' } });
  const [event] = accept(past, order.record('u5', 1));
  t.same((event as WalletEventOf<'UsageCharged'>).data.violations, ['cap_reached']);
});

test('models that the plan does not allow are refused, and recorded ones are listed (billing rule 9)', async (t) => {
  const past = subscriber({ allowed_models: ['gpt-4'] });
  t.match(when(past, order.charge('u1', 1)), {
    refusal: { code: 'model_not_allowed', model: 'fine', plan: 'plan' },
  });
  t.equal(word(when(past, order.hold('h1', 1))), 'model_not_allowed');
  const [event] = accept(past, order.record('u2', 1));
  t.match((event as WalletEventOf<'UsageCharged'>).data.violations, ['model_not_allowed']);
});

test('only so many calls at once', async (t) => {
  const past = subscriber({ max_concurrent_requests: 2 });
  accept(past, order.hold('h1', 1));
  accept(past, order.hold('h2', 1));
  t.equal(word(when(past, order.hold('h3', 1))), 'too_many_concurrent');
  accept(past, order.voidHold('h1'));
  accept(past, order.hold('h3', 1));
  later(past, 30 * SECOND);
  accept(past, order.voidHold('h2'));
  accept(past, order.hold('h4', 1));
  later(past, 40 * SECOND);
  accept(past, order.hold('h5', 1));
  t.equal(word(when(past, order.extend('h3', 1))), 'too_many_concurrent', 'an expired one is opened anew');
});

test('a hold keeps its part of a quota: a settle uses it, a void gives it back, and nobody else has it', async (t) => {
  const past = subscriber({ overage: 'refuse' });
  accept(past, order.hold('h1', 6));
  t.same(left(past), ['4 calls of *, 6 held']);
  t.equal(word(when(past, order.charge('u1', 5))), 'quota_exhausted');
  accept(past, order.extend('h1', 8));
  t.same(left(past), ['2 calls of *, 8 held']);
  accept(past, order.settle('h1', 3));
  t.same(left(past), ['7 calls of *']);
  accept(past, order.hold('h2', 7));
  accept(past, order.voidHold('h2'));
  t.same(left(past), ['7 calls of *']);
});

test('a hold outlives the window of its quota by an hour, no more (billing rule 8)', async (t) => {
  const day = { included: [{ unit: 'calls', model: '*', amount: '5', per: 'day' }] } as const;
  const soon = subscriber(day);
  later(soon, DAY - HOUR);
  accept(soon, order.hold('h1', 5, 7_200));
  later(soon, HOUR + 10 * SECOND);
  accept(soon, order.settle('h1', 5));
  t.equal(balance(soon), '1000, held 0', 'what it had kept pays');
  t.same(left(soon).at(-1), '5 calls of *', "not today's quota");
  const late = subscriber(day);
  later(late, DAY - HOUR);
  accept(late, order.hold('h1', 5, 3 * 3_600));
  later(late, 2 * HOUR + SECOND);
  accept(late, order.settle('h1', 5));
  t.same(left(late), ['0 calls of *'], 'it was lost, so that of the new day pays');
});

test('a reversal gives back what a quota had paid, while its window lasts', async (t) => {
  const past = subscriber({});
  const [event] = accept(past, order.charge('u1', 12));
  t.equal(balance(past), '998, held 0');
  accept(past, order.reverse(event?.revision ?? -1));
  t.equal(balance(past), '1000, held 0');
  t.same(left(past), ['10 calls of *']);
});

test('a line without limit covers everything and is never used up', async (t) => {
  const past = subscriber(
    { included: [{ unit: 'calls', model: '*', amount: 'unlimited', per: 'period' }] },
    '0',
  );
  const data = charged(past, order.charge('u1', 1_000_000));
  t.equal(data.credits, '0');
  t.match(data.covered, [{ quantity: '1000000', unit: 'calls' }]);
});

test('an expansion is used like any other quota, and ends at its own time', async (t) => {
  const past = subscriber({ overage: 'refuse' });
  accept(past, expandQuota(5n, START + HOUR));
  accept(past, order.charge('u1', 12));
  t.same(left(past), ['3 calls of *', '0 calls of *'], 'what ends first is used first');
});

test('tokens of its own model may cover a call wholly: no call of another quota is taken, nor missed', async (t) => {
  const past = subscriber({
    included: [
      { unit: 'tokens', model: 'gpt-4', amount: '1000', per: 'period' },
      { unit: 'calls', model: '*', amount: '1', per: 'period' },
    ],
    overage: 'refuse',
  });
  const use = { model: 'gpt-4' };
  for (const id of ['u1', 'u2', 'u3']) accept(past, order.charge(id, { input_tokens: 100 }, use));
  t.same(left(past), ['700 tokens of gpt-4', '1 calls of *']);
});

test('a hold under a cap still counts after its subscription has ended and another has begun', async (t) => {
  const caps = [{ unit: 'calls', model: '*', amount: '10', per: 'period' }] as const;
  const past = subscriber({ included: [], caps, price: { credits: '1' } });
  accept(past, order.hold('h1', 6, 7_200));
  accept(past, cancel('now'));
  accept(past, subscribe('plan', { reference: 's2' }));
  t.equal(word(when(past, order.charge('u1', 5))), 'cap_reached');
  accept(past, order.voidHold('h1'));
  accept(past, order.charge('u1', 5));
});

test('a charge of a window that has ended is reversed without its quota, and what was earned stays', async (t) => {
  const past = given(order.topUp('t1', '1000', { paid: '10' }));
  publish(past, 'plan', { ...BASIC, included: [{ unit: 'calls', model: '*', amount: '5', per: 'day' }] }, 0);
  accept(past, subscribe('plan'));
  const [event] = accept(past, order.charge('u1', 5));
  const earned = account(past, 'income:usage:fine');
  later(past, DAY + SECOND);
  accept(past, order.reverse(event?.revision ?? -1));
  t.equal(account(past, 'income:usage:fine'), earned);
});

test('a hold without a plan is settled by credits, whatever plan is joined before: its stop is not had afterwards', async (t) => {
  const past = given(order.topUp('t1', '1000'));
  publish(past, 'free', { ...BASIC, price: { credits: '0' }, overage: 'refuse' }, 0);
  accept(past, order.hold('h1', 500));
  accept(past, subscribe('free'));
  accept(past, order.settle('h1', 500));
  t.equal(balance(past), '510, held 0', 'its quota pays for ten of them, and no more');
});

test('a plan that nobody has paid for stops, but makes nothing ours and nothing cheaper', async (t) => {
  const past = given(order.topUp('t1', '1000'));
  const price = { amount: '9', currency: 'USD' };
  publish(past, 'dear', { ...BASIC, price, overage: 'refuse' }, 0);
  accept(past, subscribe('dear', { pay: 'external' }));
  t.equal(word(when(past, order.charge('u1', 1))), 'quota_exhausted');
  accept(past, order.record('u2', 100));
  t.equal(balance(past), '900, held 0', 'what has run is paid for');
});

test('what a line without limit had promised to a call holds, though the plan changes while it runs', async (t) => {
  const included = [{ unit: 'calls', model: '*', amount: 'unlimited', per: 'period' }] as const;
  const past = subscriber({ included });
  accept(past, order.hold('h1', 50, 7_200));
  publish(past, 'plan', { ...BASIC, price: { credits: '0' }, included });
  accept(past, cancel('now'));
  accept(past, order.settle('h1', 50));
  t.equal(balance(past), '1000, held 0');
});

test("what a hold lets go of after its subscription has ended is nobody's", async (t) => {
  const past = subscriber({});
  accept(past, order.hold('h1', 10));
  accept(past, cancel('now'));
  accept(past, order.voidHold('h1'));
  t.equal(
    past.wallet.quotas.reduce((sum, { free }) => sum + free, 0n),
    0n,
  );
});
