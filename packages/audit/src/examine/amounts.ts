/**
 * Whether the amounts of one event agree with each other: its entry with its moves, its moves with the credits that it
 * names, those with the lines of its price, and the lines with the usage. Says nothing of other events.
 */
import { stepsOf, textOf } from '../decimal.ts';
import type { MoveText } from '../event.ts';
import type { PricedLine, PriceFacts } from '../explain-price.ts';
import { fractionOf, isSame, plus, roundedUp, textOfFraction, thousandthsOf, times } from '../fraction.ts';
import { type AccountedEvent, leftOver } from '../verify/accounted.ts';
import { checkBill } from './bill.ts';
import { checkQuotas } from './quota-amounts.ts';

export type Name = (what: string, expected: string, found: string, unit?: string) => void;

/** The two sides of a wallet's balance, in steps of 10^-9. */
export interface Sides {
  readonly available: bigint;
  readonly held: bigint;
}

/** What the entry adds to the wallet's own accounts. */
export function postedTo(account: string, { legs }: AccountedEvent): Sides {
  const own = `liabilities:wallets:${encodeURIComponent(account)}`;
  const sum = (side: string): bigint =>
    legs.reduce(
      (steps, leg) =>
        leg.unit === 'credits' && leg.account === `${own}:${side}` ? steps - leg.steps : steps,
      0n,
    );
  return { available: sum('available'), held: sum('held') };
}

/** Of an event that carries what its type must carry. */
export function checkAmounts(event: AccountedEvent, posted: Sides, name: Name): void {
  for (const [unit, steps] of leftOver(event.legs))
    name('the entry does not come to zero', '0', textOf(steps), unit);
  const moves = event.data.moves as readonly MoveText[] | undefined;
  if (moves === undefined) return;
  const entered = (kind: string): bigint => enteredOf(moves, kind);
  const available = entered('free') + entered('overdraft') + entered('debt') + entered('cover:');
  const postsElse = (side: string): string => `the entry posts another amount to ${side} than its moves`;
  if (posted.available !== available)
    name(postsElse('available'), textOf(available), textOf(posted.available));
  if (posted.held !== entered('hold:'))
    name(postsElse('held'), textOf(entered('hold:')), textOf(posted.held));
  checkMoney(event, moves, name);
  checkQuotas(event, name);
  checkBill(event, entered('spent'), name);
  const moved = movedCredits(event, entered);
  const credits = event.data.credits as string;
  if (moved !== null && moved !== stepsOf(credits))
    name('the credits of the event are not what its moves make', textOf(moved), credits);
  if (event.type === 'UsageCharged') {
    checkPrice(event, event.data.usage, name);
    checkCost(event, name);
  }
  if (event.type === 'HoldPlaced') checkPrice(event, event.data.estimate, name);
}

/** What was paid for each move stands in the same order. */
function checkMoney({ facts }: AccountedEvent, moves: readonly MoveText[], name: Name): void {
  const paid = (facts.paid as readonly string[]).length;
  if (paid !== moves.length)
    name('the event does not say the money behind each of its moves', String(moves.length), String(paid));
}

/** Less what has left. `hold:` and `cover:` stand for all holds. */
function enteredOf(moves: readonly MoveText[], kind: string): bigint {
  const isOf = (place: string): boolean => (kind.endsWith(':') ? place.startsWith(kind) : place === kind);
  return moves.reduce((sum, { from, to, credits }) => {
    const times = BigInt(isOf(to)) - BigInt(isOf(from));
    return times === 0n ? sum : sum + times * stepsOf(credits);
  }, 0n);
}

/** What the moves make of the credits that the event names; null where it names none, or those of more than itself. */
function movedCredits({ type, data }: AccountedEvent, entered: (kind: string) => bigint): bigint | null {
  switch (type) {
    case 'TopUp':
    case 'CreditsGranted':
    case 'PurchasePaid':
    case 'ReferralGranted':
      return -entered('granted');
    case 'CouponApplied':
      return data.credits === undefined ? null : -entered('granted');
    case 'CreditsAdjusted':
      return -entered('adjusted');
    case 'UsageCharged':
      return entered('spent');
    case 'HoldPlaced':
      return entered('hold:');
    case 'EntryReversed':
      return -(movedCredits({ type: data.reversed_type, data } as AccountedEvent, entered) ?? 0n);
    default:
      return null;
  }
}

/** Lines are of what quotas do not cover; factors (rule 31) stand between their sum and the price. */
function checkPrice({ type, data, facts }: AccountedEvent, usage: unknown, name: Name): void {
  const { exact, round_to, lines, factors } = facts.price as PriceFacts;
  for (const line of lines) checkLine(line, name);
  const sum = lines.reduce((total, line) => plus(total, fractionOf(line.exact)), { n: 0n, d: 1n });
  const due = (factors ?? []).reduce((product, { value }) => times(product, fractionOf(value)), sum);
  if (!isSame(due, fractionOf(exact)))
    name(
      `the price is not the sum of its lines${factors === undefined ? '' : ' by its factors'}`,
      textOfFraction(due),
      exact,
    );
  const rounded = roundedUp(fractionOf(exact), round_to);
  if (!isSame(rounded, fractionOf(data.credits as string)))
    name('the credits are not the price rounded up', textOfFraction(rounded), data.credits as string);
  // Beyond a hard stop nothing is priced, and nothing is asked of the customer.
  if (isBeyondStop(data.violations) && lines.length === 0) return;
  const rest = restOf(usage as Quantities, data.covered as readonly Covering[], type === 'HoldPlaced');
  const used = textOfUsage(Object.entries(rest));
  const priced = textOfUsage(lines.map(({ dimension, quantity }) => [dimension, quantity]));
  if (used !== priced) name('the lines of the price are not those of the usage', used, priced);
}

/** Our cost is the supplier's; beyond a hard stop the call was at the platform's own expense (billing rule 6). */
function checkCost({ data, facts, legs }: AccountedEvent, name: Name): void {
  const cost = facts.cost as { readonly amount: string; readonly currency: string } | null;
  const plan = data.plan as { readonly id: string } | undefined;
  const due =
    isBeyondStop(data.violations) && plan !== undefined
      ? `expenses:overrun:${encodeURIComponent(plan.id)}`
      : `expenses:suppliers:${encodeURIComponent((facts.supplier as string | null) ?? 'unknown')}`;
  const posted = legs.reduce((sum, { account, unit, steps }) => {
    if (!account.startsWith('expenses:')) return sum;
    if (account !== due) name('a cost is booked as another expense', due, account);
    return unit === cost?.currency ? sum + steps : sum;
  }, 0n);
  if (posted !== stepsOf(cost?.amount ?? '0'))
    name('the entry posts another cost', cost?.amount ?? '0', textOf(posted));
}

type Quantities = Readonly<Record<string, number>>;
interface Covering {
  readonly usage: Quantities;
}

const isBeyondStop = (violations: unknown): boolean =>
  Array.isArray(violations) && violations.includes('quota_exhausted');

/** What of a usage is not covered. In thousandths, so that seconds stay exact. */
function restOf(usage: Quantities, covered: readonly Covering[] = [], isEstimate = false): Quantities {
  if (covered.length === 0) return usage;
  const rest = new Map(
    Object.entries(usage).map(([dimension, quantity]) => [dimension, thousandthsOf(quantity)]),
  );
  for (const { usage: part } of covered)
    for (const [dimension, quantity] of Object.entries(part)) {
      // A call that says nothing of calls is one all the same: that one is covered, and priced nowhere.
      if (dimension === 'calls' && usage.calls === undefined) continue;
      // Nor are the tokens that a hold has of a quota though its estimate names none.
      if (isEstimate && !usage[dimension]) continue;
      rest.set(dimension, (rest.get(dimension) ?? 0n) - thousandthsOf(quantity));
    }
  return Object.fromEntries([...rest].map(([dimension, quantity]) => [dimension, Number(quantity) / 1_000]));
}

/** A price in credits is checked here. One from a cost needs the credit's value, which stands in the price book only. */
function checkLine({ dimension, quantity, exact, price }: PricedLine, name: Name): void {
  const { credits, per, cost } = price;
  if (credits === undefined || cost !== undefined) return;
  const { n, d } = fractionOf(credits);
  const due = per === undefined ? { n, d } : { n: n * thousandthsOf(quantity), d: d * BigInt(per) * 1_000n };
  if (!isSame(due, fractionOf(exact)))
    name(`the line of ${dimension} is not its quantity at its price`, textOfFraction(due), exact);
}

function textOfUsage(quantities: readonly (readonly [dimension: string, quantity: number])[]): string {
  const used = quantities.filter(([, quantity]) => quantity !== 0).sort(([a], [b]) => (a < b ? -1 : 1));
  return used.length === 0
    ? 'none'
    : used.map(([dimension, quantity]) => `${quantity} ${dimension}`).join(' + ');
}
