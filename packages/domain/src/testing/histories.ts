/**
 * Random histories of a wallet for fast-check. A step says by number which hold, usage or entry it means, of those that
 * are there when its turn comes: so most steps meet something, and a history stays one when steps are taken out of it.
 */
import fc from 'fast-check';
import { formatCredits } from '../amount.ts';
import type { WalletCommand } from '../wallet/commands.ts';
import { bookVersion, STANDARD } from './books.ts';
import { DAY, later, type Outcome, type Past, when } from './given.ts';
import * as order from './orders.ts';

export type Step =
  | { readonly type: 'wait'; readonly ms: number }
  /** A book that has a price for the model that had none; this process hears of it when it asks. */
  | { readonly type: 'publish' }
  | { readonly type: 'order'; readonly make: (past: Past) => WalletCommand; readonly label: string };

/** Now and then the same id twice: a conflict, or a replay. */
const id = (kind: string, count: number) => fc.integer({ min: 0, max: count - 1 }).map((n) => `${kind}${n}`);
const whole = fc.integer({ min: 1, max: 40 });
const fractions = fc.bigInt({ min: 1n, max: 150_000_000n });
const credits = fc.oneof(
  fc.integer({ min: 1, max: 150 }).map((n) => `${n}`),
  fractions.map(formatCredits),
);
const lifetime = fc.option(fc.integer({ min: 1, max: 6 }), { nil: null });
const seconds = fc.integer({ min: 1, max: 6 * 24 * 60 * 60 });
/** Prices that divide evenly and such that do not; a model without a price; one that costs nothing. */
const use = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({ model: fc.constant('fine'), usage: whole.map((calls) => ({ calls })) }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      model: fc.constant('fine'),
      usage: whole.map((n) => ({ characters: n, images: n % 3 })),
    }),
  },
  { weight: 1, arbitrary: fc.constant({ model: 'unheard-of', usage: { calls: 3 } }) },
  { weight: 1, arbitrary: fc.constant({ model: 'free', usage: { calls: 3 } }) },
);
const marks = fc.record({ days: lifetime, priority: fc.constantFrom(50, 100, 100, 100) });
const money = fc.option(
  fc.record({
    amount: fc.integer({ min: 0, max: 999_999 }).map((n) => `${n / 1000}`),
    currency: fc.constantFrom('USD', 'EUR'),
  }),
  { nil: undefined },
);

const step = (label: string, make: (past: Past) => WalletCommand): Step => ({ type: 'order', label, make });
const text = (value: unknown) => JSON.stringify(value);
const marksAt = (past: Past, { days, priority }: { days: number | null; priority: number }) => ({
  priority,
  expiresAt: days === null ? null : past.now + days * DAY,
});

const which = fc.nat({ max: 60 });
const nth = <T>(all: readonly T[], n: number): T | undefined => all[n % Math.max(1, all.length)];
const holdOf = ({ events }: Past, n: number): string | undefined =>
  nth(
    events.flatMap((event) => (event.type === 'HoldPlaced' ? [event.data.hold] : [])),
    n,
  );
const unpricedOf = ({ events }: Past, n: number): string | undefined =>
  nth(
    events.flatMap((event) => (event.type === 'UsageUnpriced' ? [event.data.usage_id] : [])),
    n,
  );

const incoming: fc.Arbitrary<Step> = fc.oneof(
  fc
    .tuple(id('r', 40), credits, marks, money)
    .map(([ref, amount, how, paid]) =>
      step(`topUp ${text([ref, amount, how, paid])}`, (past) =>
        order.topUp(ref, amount, { ...marksAt(past, how), ...(paid === undefined ? {} : { paid }) }),
      ),
    ),
  fc
    .tuple(id('g', 40), credits, marks)
    .map(([ref, amount, how]) =>
      step(`grant ${text([ref, amount, how])}`, (past) => order.grant(ref, amount, marksAt(past, how))),
    ),
  fc
    .tuple(id('a', 40), credits, fc.boolean())
    .map(([ref, amount, up]) =>
      step(`adjust ${text([ref, amount, up])}`, () => order.adjust(ref, up ? amount : `-${amount}`)),
    ),
);

const usage: fc.Arbitrary<Step> = fc
  .tuple(
    id('u', 60),
    use,
    fc.constantFrom('charge', 'charge', 'record'),
    fc.option(which, { nil: undefined, freq: 2 }),
  )
  .map(([name, { model, usage: used }, mode, held]) =>
    step(`${mode} ${text([name, model, used, held])}`, (past) => {
      const hold = held === undefined ? undefined : holdOf(past, held);
      return order.charge(name, used, { model, ...(hold === undefined ? {} : { hold }) }, mode as 'charge');
    }),
  );

const holds: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 3,
    arbitrary: fc
      .tuple(id('h', 40), use, seconds)
      .map(([name, { model, usage: estimate }, life]) =>
        step(`hold ${text([name, model, estimate, life])}`, () => order.hold(name, estimate, life, model)),
      ),
  },
  {
    weight: 2,
    arbitrary: fc
      .tuple(which, fc.option(whole), fc.option(seconds))
      .map(([n, estimate, life]) =>
        step(`extend ${text([n, estimate, life])}`, (past) =>
          order.extend(holdOf(past, n) ?? 'none', estimate, life),
        ),
      ),
  },
  {
    weight: 2,
    arbitrary: fc
      .tuple(which, use)
      .map(([n, { usage: used }]) =>
        step(`settle ${text([n, used])}`, (past) => order.settle(holdOf(past, n) ?? 'none', used)),
      ),
  },
  {
    weight: 1,
    arbitrary: which.map((n) => step(`void ${n}`, (past) => order.voidHold(holdOf(past, n) ?? 'none'))),
  },
);

const finance: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc
      .tuple(which, fc.boolean())
      .map(([n, debt]) =>
        step(`reverse ${n} ${debt}`, (past) => order.reverse(n % past.events.length, debt)),
      ),
  },
  {
    weight: 1,
    arbitrary: which.map((n) => step(`reprice ${n}`, (past) => order.reprice(unpricedOf(past, n) ?? 'none'))),
  },
  {
    weight: 1,
    arbitrary: fc
      .tuple(id('f', 9), fc.boolean())
      .map(([name, frozen]) =>
        step(`${frozen ? 'freeze' : 'unfreeze'} ${name}`, (past) =>
          frozen ? order.freeze(name) : order.unfreeze([...past.wallet.frozen.keys()][0] ?? name),
        ),
      ),
  },
  {
    weight: 1,
    arbitrary: fc
      .constantFrom('0', '100', '25.5')
      .map((limit) => step(`limit ${limit}`, () => order.change({ overdraft_limit: limit }))),
  },
);

const time: fc.Arbitrary<Step> = fc.oneof(
  { weight: 3, arbitrary: seconds.map((s): Step => ({ type: 'wait', ms: s * 1000 })) },
  { weight: 1, arbitrary: fc.constant(step('dues', () => order.carryOutDues)) },
);

export const histories = (maxLength: number): fc.Arbitrary<Step[]> =>
  fc.array(
    fc.oneof(
      { weight: 5, arbitrary: incoming },
      { weight: 5, arbitrary: usage },
      { weight: 6, arbitrary: holds },
      { weight: 3, arbitrary: finance },
      { weight: 3, arbitrary: time },
      { weight: 1, arbitrary: fc.constant<Step>({ type: 'publish' }) },
    ),
    { minLength: Math.floor(maxLength / 2), maxLength, size: 'max' },
  );

/** Takes one step; null where it was none of the wallet's. */
export function take(past: Past, next: Step): { command: WalletCommand; outcome: Outcome } | null {
  switch (next.type) {
    case 'wait':
      later(past, next.ms);
      return null;
    case 'publish':
      publish(past);
      return null;
    case 'order': {
      const command = next.make(past);
      return { command, outcome: when(past, command) };
    }
  }
}

function publish(past: Past): void {
  const version = (past.freshBooks.latest('default')?.version ?? 0) + 1;
  const models = { ...STANDARD.models, 'unheard-of': { prices: { calls: { credits: '2', per: 1 } } } };
  const book = bookVersion('default', version, past.now, { ...STANDARD, models });
  past.books = past.freshBooks;
  past.freshBooks = past.freshBooks.with(book);
}

/** For messages: what happened, in short. */
export function labelsOf(steps: readonly Step[]): string[] {
  return steps.map((each) => (each.type === 'order' ? each.label : text(each)));
}
