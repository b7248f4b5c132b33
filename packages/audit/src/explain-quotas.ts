/** What an event moved in quotas, and what it charged for a subscription: as data, and the formula of a part of a period. */
import type { AuditedEvent, QuotaMoveText } from './event.ts';
import { isQuotaUnit } from './verify/accounted.ts';
import type { Picture } from './verify/picture.ts';

export interface QuotaMove {
  readonly quota: string;
  /** `calls` or `tokens`; null where the event alone does not say it. */
  readonly unit: string | null;
  readonly from: string;
  readonly to: string;
  readonly quantity: string;
}

export interface BillLine {
  readonly description: string;
  /** Charged, or, with a minus, given back. */
  readonly credits: string;
}

interface Named {
  readonly quota?: string;
  readonly unit: string;
}
interface Data {
  readonly quotas?: { readonly granted?: readonly Named[]; readonly moves: readonly QuotaMoveText[] };
  readonly covered?: readonly Named[];
  readonly lines?: readonly BillLine[];
  readonly subscription?: Picture;
  readonly change?: string;
  readonly terms?: { readonly price?: { readonly credits?: string } };
}

/** A move names its quota only: its unit stands with its birth, with what it covers, or is the only one that is posted. */
export function quotaMovesOf({ data, entry }: AuditedEvent): readonly QuotaMove[] {
  const { quotas, covered = [] } = data as Data;
  if (quotas === undefined) return [];
  const named = [...(quotas.granted ?? []), ...covered];
  const units = [...new Set(entry.map(({ unit }) => unit).filter(isQuotaUnit))];
  const only = units.length === 1 ? (units[0] ?? null) : null;
  return (quotas.moves ?? []).map(({ quota, from, to, quantity }) => {
    const unit = named.find((one) => one.quota === quota)?.unit ?? only;
    return { quota, unit, from, to, quantity };
  });
}

export function billOf({ data }: AuditedEvent): readonly BillLine[] {
  return ((data as Data).lines ?? []).map(({ description, credits }) => ({ description, credits }));
}

/**
 * How much of a period an upgrade or a refund was for. Of a calendar's first month, and of a trial, the part is of
 * something else than the period, and nothing is said.
 */
export function prorationOf({ type, data, recordedAt }: AuditedEvent): readonly string[] {
  const { subscription: now, change, lines = [], terms } = data as Data;
  const [line] = lines;
  if (now === undefined || line === undefined) return [];
  if (now.anchor === 'calendar' && now.period_start === now.anchor_at) return [];
  if (now.trial_end === now.period_end) return [];
  const at = type === 'SubscriptionEnded' ? (now.ended_at ?? recordedAt) : recordedAt;
  const seconds = (from: string, to: string): number => (Date.parse(to) - Date.parse(from)) / 1_000;
  const part = `${seconds(at, now.period_end)}/${seconds(now.period_start, now.period_end)} of the period`;
  if (type === 'SubscriptionEnded')
    return [
      `the lesser of ${now.period_credits} credits x ${part} and of what no quota was used for, rounded down to a whole credit, what lots that have expired paid left out = ${line.credits.replace('-', '')} credits back`,
    ];
  if (change !== 'upgraded') return [];
  const price = terms?.price?.credits ?? 'the new price';
  return [
    `(${price} credits for ${now.plan} less the price before) x ${part}, rounded up to a whole credit = ${line.credits} credits`,
  ];
}
