/** In words, what events did of what an account buys: subscriptions, quotas, purchases, coupons, referrals, warnings. */
import type { AuditedEvent } from './event.ts';
import { counted } from './explain-counts.ts';
import type { MoneyText, Picture } from './verify/picture.ts';
import type { QuotaText } from './verify/quotas.ts';

/** The fields of these events, each where it has them. From what the account's owner may see (P8). */
interface Said {
  readonly subscription?: Picture;
  readonly quotas?: { readonly granted?: readonly QuotaText[] };
  readonly lines?: readonly { readonly description: string; readonly credits: string }[];
  readonly change?: string;
  readonly reason?: string;
  readonly reference?: string;
  readonly effective_at?: string;
  readonly period_start?: string;
  readonly result?: string;
  readonly applied?: boolean;
  readonly purchase?: PurchaseSaid | string;
  readonly credits?: string;
  readonly lot?: string;
  readonly by?: string;
  readonly code?: string;
  readonly effect?: string;
  readonly referred_by?: string;
  readonly from?: string;
  readonly revision?: number;
  readonly of_credits?: string;
  readonly percent?: string;
  readonly available_at?: string;
  readonly owed?: string;
  readonly id?: string;
  readonly enabled?: boolean;
  readonly threshold?: string;
  readonly alert?: string;
  readonly granted?: string;
  readonly used?: string;
  readonly held?: string;
  readonly unit?: string;
  readonly model?: string;
  readonly available?: string;
  readonly spent?: string;
  readonly day?: string;
  readonly thresholds?: readonly unknown[];
}
interface PurchaseSaid {
  readonly id: string;
  readonly credits: string;
  readonly bonus: string;
  readonly total: MoneyText;
  readonly discount: MoneyText;
  readonly coupon: { readonly code: string } | null;
}

/** Null where the event is another's. */
export function wordsOfBought({ type, data }: Pick<AuditedEvent, 'type' | 'data'>): string | null {
  const said = data as Said;
  const { subscription } = said;
  switch (type) {
    case 'SubscriptionStarted':
    case 'SubscriptionRenewed':
    case 'SubscriptionPastDue':
    case 'SubscriptionChanged':
    case 'SubscriptionEnded':
    case 'QuotaGranted':
      return subscription === undefined
        ? type
        : sentence(subscribed(type, subscription, said), billed(said), granted(said));
    case 'SubscriptionPaymentRecorded':
      return sentence(paymentTold(said), granted(said));
    case 'QuotaExpanded':
      return sentence(`Quota expanded: ${said.reason}, reference ${said.reference}`, granted(said));
    case 'PurchaseOpened':
      return typeof said.purchase === 'object' ? `Purchase ${purchaseText(said.purchase)}` : type;
    case 'PurchasePaid':
      return typeof said.purchase === 'object'
        ? `Purchase ${said.purchase.id} paid: ${said.credits} credits with its bonus, reference ${said.reference}`
        : type;
    case 'PurchaseClosed':
      return `Purchase ${said.purchase} closed: ${said.by}`;
    case 'PurchasePaymentUnapplied':
      return `Payment for ${said.purchase} waits for finance: ${wordOf(said.reason)}, reference ${said.reference}`;
    default:
      return wordsOfOthers(type, said);
  }
}

function wordsOfOthers(type: string, said: Said): string | null {
  const entry = `${said.from}:${said.revision}`;
  switch (type) {
    case 'CouponApplied':
      return said.effect === 'granted'
        ? `Coupon ${said.code} applied: ${said.credits} credits`
        : `Coupon ${said.code} saved for a purchase`;
    case 'CouponForgotten':
      return `Coupon ${said.code} forgotten`;
    case 'ReferralLinked':
      return `Referred by ${said.referred_by}`;
    case 'ReferralAccrued':
      return `Share of ${entry} accrued: ${said.percent} % of ${said.of_credits} credits = ${said.credits}, from ${said.available_at} on`;
    case 'ReferralGranted':
      return `Share of ${entry} granted: ${said.credits} credits`;
    case 'ReferralClawedBack':
      return `Share of ${entry} taken back: ${said.credits} credits, ${said.owed} of them still owed`;
    case 'AutoTopUpSet':
      return said.enabled === true
        ? `Topping up set: below ${said.threshold} credits`
        : 'Topping up switched off';
    case 'AutoTopUpRequested':
      return `Top-up ${said.id} asked for: ${said.credits} credits left, ${said.threshold} is the threshold`;
    case 'AutoTopUpResolved':
      return `Top-up ${said.id} answered: ${said.result}, reference ${said.reference}`;
    case 'AlertsSet':
      return said.enabled === true
        ? `Warnings set: ${said.thresholds?.length} thresholds`
        : 'Warnings switched off';
    case 'AlertRaised':
      return `Warning: ${alertText(said)}`;
    case 'AlertsRearmed':
      return `Warnings on the balance may tell again: ${said.thresholds?.join(', ')}`;
    case 'SpendDayBegan':
      return `Day ${said.day} began for warnings on what it costs`;
    default:
      return null;
  }
}

const sentence = (...parts: readonly string[]): string => parts.filter((part) => part !== '').join('; ');

/** `insufficient_credits` as words. */
const wordOf = (code: string | undefined): string => (code ?? '').replaceAll('_', ' ');

function subscribed(type: string, now: Picture, { change, reason, reference, effective_at }: Said): string {
  const plan = `${now.plan}, version ${now.plan_version}`;
  const period = `period ${now.period_start} to ${now.period_end}`;
  const paid = now.period_paid
    ? now.status === 'trialing'
      ? 'a trial'
      : `${now.period_credits} credits`
    : `unpaid, lapses at ${now.grace_ends_at}`;
  switch (type) {
    case 'SubscriptionStarted':
      return `Subscribed to ${plan}: ${period}, ${paid}`;
    case 'SubscriptionRenewed':
      return effective_at === undefined
        ? `Period of ${plan} paid late: ${period}, ${paid}`
        : `Renewed ${plan}: ${period}, ${paid}`;
    case 'SubscriptionPastDue':
      return `Period of ${plan} not paid (${wordOf(reason)}): ${period}, lapses at ${now.grace_ends_at}`;
    case 'SubscriptionChanged':
      return changeText(change, now);
    case 'SubscriptionEnded':
      return `Subscription to ${now.plan} ${now.status} as of ${now.ended_at}${reference === undefined ? '' : `, reference ${reference}`}`;
    default:
      return `Quota of ${now.plan} granted`;
  }
}

function changeText(change: string | undefined, now: Picture): string {
  switch (change) {
    case 'upgraded':
      return `Upgraded to ${now.plan}, version ${now.plan_version}, until ${now.period_end}`;
    case 'plan_change_scheduled':
      return `Change from ${now.plan} to ${now.pending_plan} scheduled for ${now.period_end}`;
    case 'cancellation_scheduled':
      return `Cancellation of ${now.plan} scheduled for ${now.cancel_at}`;
    default:
      return `Subscription to ${now.plan} ${wordOf(change)}`;
  }
}

function billed({ lines = [] }: Said): string {
  return lines.map(({ description, credits }) => `${description}: ${credits} credits`).join(', ');
}

function granted({ quotas }: Said): string {
  const texts = (quotas?.granted ?? []).map(
    ({ quota, unit, model, quantity, expires_at, origin }) =>
      `${quota}: ${counted(quantity, unit)} of ${model === '*' ? 'any model' : model}${origin.kind === 'plan' && origin.extra === true ? ' more' : ''} until ${expires_at}`,
  );
  return texts.join(', ');
}

function paymentTold({ result, applied, reason, period_start, reference, subscription }: Said): string {
  const period = `of the period from ${period_start}, reference ${reference}`;
  if (result === 'failed') return `Payment ${period} failed`;
  if (applied !== true) return `Payment ${period} waits for finance: ${wordOf(reason)}`;
  return `Payment ${period}: ${subscription?.plan} is ${subscription?.status} until ${subscription?.period_end}`;
}

function purchaseText({ id, credits, bonus, total, discount, coupon }: PurchaseSaid): string {
  const more = bonus === '0' ? '' : ` and ${bonus} as a bonus`;
  const less = coupon === null ? '' : `, ${discount.amount} ${discount.currency} off by ${coupon.code}`;
  return `${id} opened: ${credits} credits${more} for ${total.amount} ${total.currency}${less}`;
}

function alertText({
  alert,
  threshold,
  granted: of,
  used,
  held,
  unit,
  model,
  available,
  spent,
  day,
}: Said): string {
  switch (alert) {
    case 'quota':
      return `${threshold} % of ${of} ${unit} of ${model === '*' ? 'any model' : model} are used or held (${used} and ${held})`;
    case 'balance':
      return `fewer than ${threshold} credits are available: ${available}`;
    default:
      return `more than ${threshold} credits spent on ${day}: ${spent}`;
  }
}
