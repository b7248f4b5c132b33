/**
 * Where a quota goes that a hold lets go of, or that a reversal gives back: it may be used again only while its window
 * lasts, and, of a plan, while the subscription that granted it goes on. Else what a hold has is lost.
 */
import type { AuditedEvent } from '../event.ts';
import type { Name } from './finding.ts';
import type { Picture } from './picture.ts';
import type { QuotaPassage, QuotaText } from './quotas.ts';

/** @param now how the last subscription stands */
export function checkGivenBack(
  event: AuditedEvent,
  passages: readonly QuotaPassage[],
  now: Picture | null,
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

function isOpen({ starts_at, expires_at, origin }: QuotaText, now: Picture | null, at: number): boolean {
  if (Date.parse(expires_at) <= at) return false;
  if (origin.kind !== 'plan') return true;
  if (now?.id !== origin.subscription || now.ended_at !== null) return false;
  return Date.parse(starts_at) >= Date.parse(now.anchor_at);
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
