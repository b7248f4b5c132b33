/** An event that moves value, as the row of `entries` that it should be, by the audit's own reading. */
import { stepsOf, textOf } from '../decimal.ts';
import type { MoveText } from '../event.ts';
import type { AccountedEvent, Leg } from './accounted.ts';
import { type Cell, creditCell, creditTextCell, textCell, timeCell, timeCellOf, unitCell } from './cells.ts';
import type { CoveredText } from './covered.ts';

interface Money {
  readonly amount: string;
  readonly currency: string;
}

interface EntryData {
  readonly moves?: readonly MoveText[];
  readonly after?: { readonly available: string; readonly held: string };
  readonly credits?: string;
  readonly usage_id?: string;
  readonly source?: string;
  readonly kind?: string;
  readonly reference?: string;
  readonly reason?: string;
  readonly hold?: string;
  readonly model?: string;
  readonly mode?: string;
  readonly occurred_at?: string;
  readonly usage?: object;
  readonly price_book?: { readonly name: string; readonly version: number };
  readonly late?: boolean;
  readonly repriced?: string;
  readonly covered?: readonly CoveredText[];
  readonly violations?: readonly string[];
  readonly reverses?: number;
}

/** Their `credits` is what the entry is about; a hold's says what is held in all. */
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

const WALLETS = 'liabilities:wallets:';

/** The columns of ENTRIES, in their order; null where the event has no row. */
export function entryCells(event: AccountedEvent): Cell[] | null {
  const { type, entry, legs } = event;
  const data = event.data as EntryData;
  const { moves, after } = data;
  if (moves === undefined || after === undefined) return null;
  const isCharge = type === 'UsageCharged';
  if (legs.length === 0 && type !== 'UsageUnpriced' && !isCharge) return null;
  const supplier = (event.facts.supplier as string | null | undefined) ?? null;
  const cost = (event.facts.cost as Money | null | undefined) ?? null;
  const revenue = isCharge ? legs.find(({ account }) => account === DEFERRED) : undefined;
  const { available, held } = walletSides(legs);
  return [
    event.stream,
    String(event.revision),
    event.position.toString(),
    timeCell(event.recordedAt),
    type,
    creditCell(available),
    creditCell(held),
    creditTextCell(after.available),
    creditTextCell(after.held),
    data.credits !== undefined && ABOUT_CREDITS.has(type) ? creditTextCell(data.credits) : null,
    textCell(data.usage_id),
    textCell(data.source ?? data.kind),
    textCell(data.reference),
    textCell(data.reason),
    textCell(data.hold),
    textCell(data.model),
    textCell(data.mode),
    timeCellOf(data.occurred_at),
    data.usage === undefined ? null : JSON.stringify(data.usage),
    isCharge ? lotsCell(moves) : null,
    textCell(data.price_book?.name),
    textCell(data.price_book?.version),
    textCell(data.late),
    textCell(data.repriced),
    isCharge && data.covered !== undefined ? quotaCell(data.covered) : null,
    data.violations === undefined ? null : data.violations.join(' '),
    supplier,
    cost === null ? null : unitCell(stepsOf(cost.amount), cost.currency),
    cost === null ? null : cost.currency,
    revenue === undefined ? null : unitCell(revenue.steps, revenue.unit),
    revenue === undefined ? null : revenue.unit,
    textCell(data.reverses),
    followsFromColumns(event, { available, held, cost, supplier, revenue }) ? null : JSON.stringify(entry),
  ];
}

/** What wallets have more or less by the postings; liabilities are negative where they hold something. */
function walletSides(legs: readonly Leg[]): { available: bigint; held: bigint } {
  let available = 0n;
  let held = 0n;
  for (const { account, unit, steps } of legs) {
    if (unit !== 'credits' || !account.startsWith(WALLETS)) continue;
    if (account.endsWith(':available')) available -= steps;
    else held -= steps;
  }
  return { available, held };
}

/** What paid: "lot=steps lot=steps", in the order of the first move of each. */
function lotsCell(moves: readonly MoveText[]): string {
  const [move, another] = moves;
  // Nearly always one lot pays it all.
  if (move?.to === 'spent' && move.lot !== undefined && another === undefined)
    return `${move.lot}=${creditCell(stepsOf(move.credits))}`;
  const paid = new Map<string, bigint>();
  for (const { lot, to, credits } of moves)
    if (to === 'spent' && lot !== undefined) paid.set(lot, (paid.get(lot) ?? 0n) + stepsOf(credits));
  return [...paid].map(([lot, steps]) => `${lot}=${creditCell(steps)}`).join(' ');
}

/** What came from quotas: one sum for each unit and model, in the order of the first of each. */
function quotaCell(covered: readonly CoveredText[]): string {
  const sums = new Map<string, { unit: string; model: string; steps: bigint }>();
  for (const { unit, model, quantity } of covered) {
    const kind = `${unit} ${model}`;
    const sum = sums.get(kind);
    if (sum === undefined) sums.set(kind, { unit, model, steps: stepsOf(quantity) });
    else sum.steps += stepsOf(quantity);
  }
  return JSON.stringify(
    [...sums.values()].map(({ unit, model, steps }) => ({ unit, model, amount: textOf(steps) })),
  );
}

const DEFERRED = 'liabilities:deferred-revenue';

interface Sides {
  readonly available: bigint;
  readonly held: bigint;
  readonly cost: Money | null;
  readonly supplier: string | null;
  readonly revenue: Leg | undefined;
}

/**
 * Whether the other columns say all postings already: then none are stored. That is so where each posting is one of
 * those that the columns make (the wallet's two sides; a charge's income; released revenue; supplier cost), and no
 * posting that they make is missing. A cost without postings in a currency makes none.
 */
function followsFromColumns(event: AccountedEvent, sides: Sides): boolean {
  const { available, held, cost, supplier, revenue } = sides;
  const { model = '', credits = '0' } = event.data as EntryData;
  const due: Leg[] = [];
  const make = (account: string, unit: string, steps: bigint): void => {
    if (steps !== 0n) due.push({ account, unit, steps });
  };
  const wallet = event.stream.slice(event.stream.indexOf('-') + 1);
  if (available !== 0n) make(availableOf(wallet), 'credits', -available);
  if (held !== 0n) make(heldOf(wallet), 'credits', -held);
  const income = incomeOf(model);
  if (event.type === 'UsageCharged') make(income, 'credits', -stepsOf(credits));
  if (revenue !== undefined) {
    make(DEFERRED, revenue.unit, revenue.steps);
    make(income, revenue.unit, -revenue.steps);
  }
  if (cost !== null) {
    const from = supplier ?? 'unknown';
    const steps = stepsOf(cost.amount);
    make(expenseOf(from), cost.currency, steps);
    make(payableOf(from), cost.currency, -steps);
  }
  if (due.length !== event.legs.length) return false;
  return event.legs.every(({ account, unit, steps }) =>
    due.some((one) => one.steps === steps && one.unit === unit && one.account === account),
  );
}

const NAMES_MAX = 10_000;

/** Segments of accounts' names are percent-encoded; the same few names come again and again. */
function namer(prefix: string, suffix = ''): (name: string) => string {
  const known = new Map<string, string>();
  return (name) => {
    let account = known.get(name);
    if (account === undefined) {
      if (known.size >= NAMES_MAX) known.clear();
      account = `${prefix}${encodeURIComponent(name)}${suffix}`;
      known.set(name, account);
    }
    return account;
  };
}

const availableOf = namer(WALLETS, ':available');
const heldOf = namer(WALLETS, ':held');
const incomeOf = namer('income:usage:');
const expenseOf = namer('expenses:suppliers:');
const payableOf = namer('liabilities:suppliers:');
