/** A subscription as its events tell it: the picture after each, the plan's terms, and the money that is left of its period. */
import type { AuditedEvent } from '../event.ts';

export interface Picture {
  readonly id: string;
  readonly plan: string;
  readonly plan_version: number;
  readonly status: string;
  readonly pay: string;
  readonly auto_renew: boolean;
  readonly time_zone: string;
  readonly anchor: string;
  readonly anchor_at: string;
  readonly period_start: string;
  readonly period_end: string;
  readonly period_credits: string;
  readonly period_paid: boolean;
  readonly trial_end: string | null;
  readonly grace_ends_at: string | null;
  /** What quota there is while it is past due. */
  readonly grace_quota?: string;
  /** The period whose grace had quota and was left unpaid. */
  readonly grace_spent?: string;
  readonly cancel_at: string | null;
  readonly ended_at: string | null;
  readonly pending_plan: string | null;
  readonly next_grants: readonly (string | null)[];
  readonly paid_from: readonly PaidFromText[];
}

export interface PaidFromText {
  /** Null: from the overdraft. */
  readonly lot: string | null;
  readonly credits: string;
}

/** A line of what a plan includes, or one of its caps. */
export interface LineText {
  readonly unit: string;
  readonly model: string;
  readonly amount: string;
  readonly per: string;
  readonly counted_dimensions?: readonly string[];
}

export interface PlanTermsText {
  readonly interval?: string;
  readonly price?: { readonly credits?: string; readonly amount?: string };
  readonly grace?: { readonly days?: number; readonly quota?: string };
  readonly overage?: string;
  readonly overage_multiplier?: string;
  readonly overage_prices?: object;
  readonly price_book?: string;
  readonly refund_on_cancel?: boolean;
  readonly included: readonly LineText[];
  readonly caps?: readonly LineText[];
}

export interface PotsText {
  readonly currency: string;
  readonly lines: readonly string[];
}

export interface MoneyText {
  readonly amount: string;
  readonly currency: string;
}

/** What is known of one subscription after one of its events. */
export interface Subscribed {
  readonly now: Picture;
  readonly terms: PlanTermsText;
  readonly pots: PotsText | null;
  /** Of each of `now.paid_from`. */
  readonly paidMoney: readonly MoneyText[];
  /** In this period a call may have had what no quota of the terms of then measures. */
  readonly unmeasured: boolean;
  /** Revision and time of the event that started it, and revision of the last one. */
  readonly born: number;
  readonly startedAt: string;
  readonly revision: number;
}

export interface ToldData {
  readonly subscription?: Picture;
  readonly terms?: PlanTermsText;
  readonly effective_at?: string;
  readonly lines?: readonly { readonly credits: string }[];
  readonly change?: string;
  readonly reference?: string;
  readonly period_start?: string;
  readonly result?: string;
  readonly applied?: boolean;
  readonly reason?: string;
}
export interface ToldFacts {
  readonly pots?: PotsText | null;
  readonly paid_from?: readonly MoneyText[];
  readonly received?: MoneyText | null;
}

const TYPES = new Set([
  'SubscriptionStarted',
  'SubscriptionRenewed',
  'SubscriptionPastDue',
  'SubscriptionChanged',
  'SubscriptionEnded',
  'SubscriptionPaymentRecorded',
  'QuotaGranted',
]);

export const isOfSubscription = ({ type }: Pick<AuditedEvent, 'type'>): boolean => TYPES.has(type);

/** The subscription after an event that tells a picture. What an event does not tell of terms and money is as before. */
export function subscribedAfter(
  before: Subscribed | null,
  { data, facts, revision, recordedAt }: AuditedEvent,
  now: Picture,
): Subscribed {
  const { terms } = data as ToldData;
  const { pots = null, paid_from } = facts as ToldFacts;
  const same = before?.now.id === now.id ? before : null;
  return {
    now,
    terms: terms ?? before?.terms ?? { included: [] },
    pots,
    paidMoney: paid_from ?? same?.paidMoney ?? [],
    unmeasured: same?.now.period_start === now.period_start && same.unmeasured,
    born: same?.born ?? revision,
    startedAt: same?.startedAt ?? recordedAt,
    revision,
  };
}

/** The index of the same line (or cap) in other terms; -1 where they have none. */
export function sameLine(of: LineText | undefined, lines: readonly LineText[]): number {
  return lines.findIndex(({ unit, model, per }) => unit === of?.unit && model === of.model && per === of.per);
}

export function costsNothing({ price }: PlanTermsText): boolean {
  const amount = price?.credits ?? price?.amount;
  return amount !== undefined && /^[0.]+$/.test(amount);
}

/** Its quotas tell all that it gives. */
export function isMeasured(terms: PlanTermsText): boolean {
  const { included, overage_multiplier, overage_prices, price_book } = terms;
  if (overage_multiplier !== undefined || overage_prices !== undefined || price_book !== undefined)
    return false;
  return included.length > 0 && included.every(isLimited);
}

export const isLimited = ({ amount }: LineText): boolean => amount !== 'unlimited';
