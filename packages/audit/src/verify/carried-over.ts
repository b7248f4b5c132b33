/**
 * Which quotas go on where a period begins: those of lines that there still are, in windows of the same rhythm. What was
 * added by a change of plan ends with its period. Where a period is paid late, what its grace had left of the period's
 * lines ends too: it is granted anew, with the money.
 */
import { textOf } from '../decimal.ts';
import type { AuditedEvent } from '../event.ts';
import type { Name } from './finding.ts';
import { type Subscribed, sameLine } from './picture.ts';
import type { Quota, QuotaText } from './quotas.ts';

/** @param quotas those that there were before the event, as they are after it */
export function checkCarriedOver(
  before: Subscribed | null,
  after: Subscribed,
  event: AuditedEvent,
  quotas: readonly Quota[],
  name: Name,
): void {
  if (before === null || before.now.id !== after.now.id) return;
  const { type, data } = event;
  const isPaid = type === 'SubscriptionPaymentRecorded' || type === 'SubscriptionRenewed';
  const begins = data.effective_at !== undefined && (isPaid || type === 'SubscriptionPastDue');
  if (!isPaid && !begins) return;
  for (const { marks, free } of quotas) {
    if (free === 0n || marks.origin.kind !== 'plan' || marks.origin.subscription !== after.now.id) continue;
    const ends = begins ? !goesOn(marks, before, after) : isOfGrace(marks, after);
    if (ends) name(`${marks.quota} goes on into what it is not of`, '0', textOf(free));
  }
}

function goesOn(marks: QuotaText, before: Subscribed, { now, terms }: Subscribed): boolean {
  return now.anchor_at === before.now.anchor_at && isOfLine(marks, terms);
}

function isOfGrace(marks: QuotaText, { now, terms }: Subscribed): boolean {
  const { origin, starts_at } = marks;
  if (origin.kind !== 'plan' || origin.per !== 'period') return false;
  return Date.parse(starts_at) >= Date.parse(now.period_start) && isOfLine(marks, terms);
}

function isOfLine({ unit, model, origin }: QuotaText, { included }: Subscribed['terms']): boolean {
  if (origin.kind !== 'plan' || origin.extra === true) return false;
  return sameLine({ unit, model, per: origin.per, amount: '' }, included) !== -1;
}
