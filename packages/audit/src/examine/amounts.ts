/**
 * Whether the amounts of one event agree with each other: its entry with its moves, its moves with the credits that it
 * names, those with the lines of its price, and the lines with the usage. Says nothing of other events.
 */
import { stepsOf, textOf } from '../decimal.ts';
import type { MoveText } from '../event.ts';
import type { PricedLine, PriceFacts } from '../explain-price.ts';
import { fractionOf, isSame, plus, roundedUp, textOfFraction, thousandthsOf } from '../fraction.ts';
import { type AccountedEvent, leftOver } from '../verify/accounted.ts';

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
  const moved = movedCredits(event, entered);
  const credits = event.data.credits as string;
  if (moved !== null && moved !== stepsOf(credits))
    name('the credits of the event are not what its moves make', textOf(moved), credits);
  if (event.type === 'UsageCharged') checkPrice(event, event.data.usage, name);
  if (event.type === 'HoldPlaced') checkPrice(event, event.data.estimate, name);
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
      return -entered('granted');
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

/** Quotas and factors (rules 26 and 31) would stand between usage, lines and credits; then only the rest is compared. */
function checkPrice({ data, facts }: AccountedEvent, usage: unknown, name: Name): void {
  const { exact, round_to, lines, factors } = facts.price as PriceFacts;
  for (const line of lines) checkLine(line, name);
  if (factors === undefined) {
    const sum = lines.reduce((total, line) => plus(total, fractionOf(line.exact)), { n: 0n, d: 1n });
    if (!isSame(sum, fractionOf(exact)))
      name('the price is not the sum of its lines', textOfFraction(sum), exact);
  }
  const rounded = roundedUp(fractionOf(exact), round_to);
  if (!isSame(rounded, fractionOf(data.credits as string)))
    name('the credits are not the price rounded up', textOfFraction(rounded), data.credits as string);
  if (data.covered !== undefined) return;
  const used = textOfUsage(Object.entries(usage as Readonly<Record<string, number>>));
  const priced = textOfUsage(lines.map(({ dimension, quantity }) => [dimension, quantity]));
  if (used !== priced) name('the lines of the price are not those of the usage', used, priced);
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
