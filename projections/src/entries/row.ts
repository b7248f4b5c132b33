/** An event that moves value, as its row; and whether the row alone gives its postings. */
import {
  accounts,
  type Covered,
  CREDITS,
  formatAmount,
  formatCredits,
  type Money,
  type Posting,
  parseAmount,
  parseCredits,
  type UsageCharged,
  type UsageFacts,
} from '@tallystick/domain';
import type { Item, Leg } from '../item.ts';

export interface EntryRow {
  readonly stream: string;
  readonly revision: number;
  readonly position: bigint;
  readonly at: string;
  readonly type: string;
  readonly available: bigint;
  readonly held: bigint;
  readonly afterAvailable: bigint;
  readonly afterHeld: bigint;
  readonly credits: bigint | null;
  readonly data: EntryData;
  readonly lots: string | null;
  readonly quota: string | null;
  readonly supplier: string | null;
  readonly cost: bigint | null;
  readonly costCurrency: string | null;
  readonly revenue: bigint | null;
  readonly revenueCurrency: string | null;
  readonly postings: string | null;
}

/** The fields of all kinds of entries, each where it has them. */
export interface EntryData
  extends Partial<
    Pick<
      UsageCharged,
      | 'usage_id'
      | 'source'
      | 'hold'
      | 'model'
      | 'mode'
      | 'occurred_at'
      | 'usage'
      | 'price_book'
      | 'late'
      | 'repriced'
      | 'covered'
      | 'violations'
    >
  > {
  readonly credits?: string;
  readonly kind?: string;
  readonly reference?: string;
  readonly reason?: string;
  readonly reverses?: number;
}

/** Entries whose `credits` is the number they are about; a hold's says what it holds in all, which is another thing. */
const ABOUT_CREDITS = new Set([
  'TopUp',
  'CreditsGranted',
  'CreditsAdjusted',
  'UsageCharged',
  'EntryReversed',
  'PurchasePaid',
  'CouponApplied',
  'ReferralGranted',
]);

/** Null where the event carries no entry. Usage without a price has a row all the same: it is to be seen. */
export function entryOf(item: Item): EntryRow | null {
  const { movement, facts, type } = item;
  if (movement === null || facts === null) return null;
  if (
    movement.entry.length === 0 &&
    facts.entry.length === 0 &&
    type !== 'UsageUnpriced' &&
    type !== 'UsageCharged'
  )
    return null;
  const data = movement as unknown as EntryData;
  const wallet = item.category === 'wallet' ? walletLegs(item.legs) : NO_LEGS;
  const { cost = null, supplier = null } = facts as Partial<UsageFacts>;
  const revenue = type === 'UsageCharged' ? revenueOf(facts.entry) : null;
  const row = {
    stream: item.stream,
    revision: item.revision,
    position: item.position,
    at: item.at,
    type,
    ...wallet,
    afterAvailable: parseCredits(movement.after.available),
    afterHeld: parseCredits(movement.after.held),
    credits: data.credits !== undefined && ABOUT_CREDITS.has(type) ? parseCredits(data.credits) : null,
    data,
    lots: type === 'UsageCharged' ? lotsOf(item) : null,
    quota: type === 'UsageCharged' && data.covered !== undefined ? quotaOf(data.covered) : null,
    supplier,
    cost: cost === null ? null : parseAmount(cost.amount, cost.currency),
    costCurrency: cost?.currency ?? null,
    revenue: revenue === null ? null : parseAmount(revenue.amount, revenue.currency),
    revenueCurrency: revenue?.currency ?? null,
  };
  const stored = [...movement.entry, ...facts.entry];
  const derived = derivedPostings(row, item.id, facts.entry, { cost, supplier, revenue });
  return { ...row, postings: samePostings(stored, derived) ? null : JSON.stringify(stored) };
}

const NO_LEGS = { available: 0n, held: 0n };

function walletLegs(legs: readonly Leg[]): { available: bigint; held: bigint } {
  let available = 0n;
  let held = 0n;
  for (const { account, steps } of legs) {
    // Quotas stand there too, in their own units.
    if (!account.startsWith('liabilities:wallets:')) continue;
    if (account.endsWith(':available')) available -= steps;
    else if (account.endsWith(':held')) held -= steps;
  }
  return { available, held };
}

/** Deferred revenue released by a charge, where it is all in one currency. */
function revenueOf(entry: readonly Posting[]): Money | null {
  for (const { account, unit, amount } of entry) {
    if (account === accounts.deferred) return { amount, currency: unit };
  }
  return null;
}

function lotsOf({ flows }: Item): string {
  const paid = new Map<string, bigint>();
  for (const { lot, to, credits } of flows) {
    if (to === 'spent' && lot !== undefined) paid.set(lot, (paid.get(lot) ?? 0n) + credits);
  }
  return [...paid].map(([lot, credits]) => `${lot}=${credits}`).join(' ');
}

/** One part per kind of quota; what several of one kind cover is one sum. */
function quotaOf(covered: readonly Covered[]): string {
  const parts: { unit: string; model: string; amount: string }[] = [];
  for (const { unit, model, quantity } of covered) {
    const before = parts.find((part) => part.unit === unit && part.model === model);
    if (before === undefined) parts.push({ unit, model, amount: quantity });
    else before.amount = (BigInt(before.amount) + BigInt(quantity)).toString();
  }
  return JSON.stringify(parts);
}

/** What the view makes of the row: the same rules as in table.ts. */
function derivedPostings(
  row: { readonly type: string; readonly available: bigint; readonly held: bigint; readonly data: EntryData },
  account: string,
  moneyLegs: readonly Posting[],
  money: { cost: Money | null; supplier: string | null; revenue: Money | null },
): Posting[] {
  const legs: Posting[] = [];
  const post = (name: string, unit: string, amount: string): void => {
    if (amount !== '0') legs.push({ account: name, unit, amount });
  };
  post(accounts.available(account), CREDITS, formatCredits(-row.available));
  post(accounts.held(account), CREDITS, formatCredits(-row.held));
  const { model = '', credits = '0' } = row.data;
  if (row.type === 'UsageCharged') post(accounts.usage(model), CREDITS, negated(credits));
  if (moneyLegs.length === 0 && money.cost === null) return legs;
  if (money.revenue !== null) {
    post(accounts.deferred, money.revenue.currency, money.revenue.amount);
    post(accounts.usage(model), money.revenue.currency, negated(money.revenue.amount));
  }
  if (money.cost !== null) {
    const { currency } = money.cost;
    // In canonical form: a caller may have sent "0.50".
    const amount = formatAmount(parseAmount(money.cost.amount, currency), currency);
    post(accounts.supplierExpense(money.supplier ?? 'unknown'), currency, amount);
    post(accounts.supplierPayable(money.supplier ?? 'unknown'), currency, negated(amount));
  }
  return legs;
}

const negated = (amount: string): string => {
  if (amount === '0') return amount;
  return amount.startsWith('-') ? amount.slice(1) : `-${amount}`;
};

/** As sets: an entry has one posting for each account and unit. */
function samePostings(stored: readonly Posting[], derived: readonly Posting[]): boolean {
  return (
    stored.length === derived.length &&
    stored.every((one) =>
      derived.some(
        ({ account, unit, amount }) => one.amount === amount && one.unit === unit && one.account === account,
      ),
    )
  );
}
