/**
 * What should be left in the pots of a subscription's period after an event (billing rule 10): what was there, and what
 * was paid, in equal parts for each line that has a limit, less what the quotas of each line were granted with. What is paid
 * late for a line of the period that is all used is earned at once.
 */
import { stepsOf, textOf } from '../decimal.ts';
import type { AuditedEvent, MoveText } from '../event.ts';
import type { Name } from './finding.ts';
import {
  isLimited,
  type MoneyText,
  type PotsText,
  type Subscribed,
  sameLine,
  type ToldFacts,
} from './picture.ts';
import type { QuotaPassage } from './quotas.ts';

interface Pots {
  currency: string | null;
  lines: bigint[];
}

/** @param currencyOf of a lot: what was paid for its credits */
export function checkPots(
  before: Subscribed | null,
  after: Subscribed,
  event: AuditedEvent,
  passages: readonly QuotaPassage[],
  currencyOf: (lot: string) => string | null,
  name: Name,
): void {
  if (after.pots !== null && after.pots.lines.length !== after.terms.included.length)
    name(
      'the pots are not those of the lines',
      String(after.terms.included.length),
      String(after.pots.lines.length),
    );
  const pots = event.type === 'SubscriptionEnded' ? emptyPots(after) : potsBefore(before, after, event);
  for (const money of paidIn(event, currencyOf)) fill(pots, money, after);
  for (const { quota, from, paid } of passages) {
    const { origin } = quota.marks;
    if (from !== 'granted' || origin.kind !== 'plan') continue;
    pots.lines[origin.line] = (pots.lines[origin.line] ?? 0n) - paid;
  }
  if (isPaidLate(event)) earnUsed(pots, after);
  const said = textOfPots(after.pots);
  const due = pots.lines.every((steps) => steps === 0n)
    ? 'none'
    : textOfPots({ currency: pots.currency ?? 'none', lines: pots.lines.map(textOf) });
  if (said !== due)
    name(`what is left of the money of ${after.now.id} is not what its lines have not taken`, due, said);
}

const isPaidLate = ({ type, data }: AuditedEvent): boolean =>
  type === 'SubscriptionPaymentRecorded' ||
  (type === 'SubscriptionRenewed' && data.effective_at === undefined);

/** What a period's line has left when it is paid late was all used before: it is income, and waits for no grant. */
function earnUsed({ lines }: Pots, { terms }: Subscribed): void {
  terms.included.forEach(({ per }, index) => {
    if (per === 'period') lines[index] = 0n;
  });
}

const emptyPots = ({ terms }: Subscribed): Pots => ({ currency: null, lines: terms.included.map(() => 0n) });

/** A new period begins with none; an upgrade takes over each line's, and to the first that has a limit what lines had that are gone. */
function potsBefore(before: Subscribed | null, after: Subscribed, { type, data }: AuditedEvent): Pots {
  const pots = emptyPots(after);
  const isNewPeriod =
    type === 'SubscriptionStarted' || (data.effective_at !== undefined && type !== 'QuotaGranted');
  if (before === null || before.pots === null || isNewPeriod) return pots;
  const { currency, lines } = before.pots;
  const isUpgrade = data.terms !== undefined;
  lines.forEach((amount, index) => {
    const steps = stepsOf(amount);
    if (steps === 0n) return;
    const line = isUpgrade ? sameLine(before.terms.included[index], after.terms.included) : index;
    const target = line === -1 ? after.terms.included.findIndex(isLimited) : line;
    if (target === -1) return;
    pots.currency = currency;
    pots.lines[target] = (pots.lines[target] ?? 0n) + steps;
  });
  return pots;
}

/** The money behind the credits that paid, by currency in the order of their names; or what came from outside. */
function paidIn(
  { data, facts }: AuditedEvent,
  currencyOf: (lot: string) => string | null,
): readonly MoneyText[] {
  const { received } = facts as ToldFacts;
  if (received != null) return [received];
  const sums = new Map<string, bigint>();
  ((data.moves ?? []) as readonly MoveText[]).forEach(({ lot, to }, index) => {
    const currency = to === 'spent' && lot !== undefined ? currencyOf(lot) : null;
    const paid = (facts.paid as readonly string[] | undefined)?.[index];
    if (currency !== null && paid !== undefined)
      sums.set(currency, (sums.get(currency) ?? 0n) + stepsOf(paid));
  });
  return [...sums]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .flatMap(([currency, steps]) => (steps > 0n ? [{ currency, amount: textOf(steps) }] : []));
}

/** In equal parts; the first lines have what cannot be divided. Of another currency nothing is kept. */
function fill(pots: Pots, { amount, currency }: MoneyText, { terms }: Subscribed): void {
  const limited = terms.included.flatMap((line, index) => (isLimited(line) ? [index] : []));
  if (limited.length === 0 || (pots.currency !== null && pots.currency !== currency)) return;
  pots.currency = currency;
  const [steps, count] = [stepsOf(amount), BigInt(limited.length)];
  limited.forEach((line, place) => {
    const more = BigInt(place) < steps % count ? 1n : 0n;
    pots.lines[line] = (pots.lines[line] ?? 0n) + steps / count + more;
  });
}

function textOfPots(pots: PotsText | null): string {
  return pots === null ? 'none' : `${pots.lines.join(' + ')} ${pots.currency}`;
}
