/**
 * Where a quota goes that a hold lets go of, or that a reversal gives back: it may be used again only while its window
 * lasts, and, of a plan, while the subscription that granted it goes on and has such a line; what a change of plan has added
 * is of its own period. Else what a hold has is lost.
 */
import type { AuditedEvent } from '../event.ts';
import type { Name } from './finding.ts';
import { type Subscribed, sameLine } from './picture.ts';
import type { QuotaPassage, QuotaText } from './quotas.ts';

/** @param now how the last subscription stands */
export function checkGivenBack(
  event: AuditedEvent,
  passages: readonly QuotaPassage[],
  now: Pick<Subscribed, 'now' | 'terms'> | null,
  name: Name,
): void {
  for (const { quota, from, to } of passages) {
    const isLetGo = from.startsWith('hold:') && (to === 'free' || to === 'expired');
    const isReversed = event.type === 'EntryReversed' && from === 'used' && to === 'free';
    if (!isLetGo && !isReversed) continue;
    const due = isOpen(quota.marks, now, letGoAt(event, from)) ? 'free' : 'expired';
    if (to !== due) name(`what is given back of ${quota.marks.quota} goes elsewhere`, due, to);
  }
}

function isOpen(
  { unit, model, starts_at, expires_at, origin }: QuotaText,
  last: Pick<Subscribed, 'now' | 'terms'> | null,
  at: number,
): boolean {
  if (Date.parse(expires_at) <= at) return false;
  if (origin.kind !== 'plan') return true;
  if (last?.now.id !== origin.subscription || last.now.ended_at !== null) return false;
  const { now, terms } = last;
  const since = origin.extra === true && now.period_start > now.anchor_at ? now.period_start : now.anchor_at;
  if (Date.parse(starts_at) < Date.parse(since)) return false;
  return sameLine({ unit, model, per: origin.per, amount: '' }, terms.included) !== -1;
}

/** A hold that ends by itself lets go as of its end, however late that is carried out. */
function letGoAt({ type, data, recordedAt }: AuditedEvent, place: string): number {
  if (type !== 'Expired') return Date.parse(recordedAt);
  const items = data.items as readonly {
    readonly kind: string;
    readonly id: string;
    readonly effective_at?: string;
  }[];
  const ended = items.find(({ kind, id }) => kind === 'hold' && `hold:${id}` === place);
  return Date.parse(ended?.effective_at ?? recordedAt);
}
