/** What the rows of a wallet's subscriptions, quotas, purchases, coupons and referral accruals should be. */
import { stepsOf } from '../decimal.ts';
import { type Cell, creditCell, creditTextCell, textCell, timeCell, timeCellOf, unitCell } from './cells.ts';
import type { MoneyText, Subscribed } from './picture.ts';
import type { AccountCoupon, Purchase } from './purchases.ts';
import type { Quota } from './quotas.ts';
import { type Accrual, leftOf } from './referrals.ts';
import { dueAt, nextGrantAt } from './subscription-due.ts';

export function subscriptionRow(account: string, subscribed: Subscribed): Cell[] {
  const { now, terms, pots, paidMoney, born, startedAt, revision } = subscribed;
  return [
    account,
    now.id,
    String(born),
    now.plan,
    String(now.plan_version),
    now.status,
    timeCell(now.period_end),
    timeCellOf(now.grace_ends_at),
    timeCellOf(now.ended_at),
    timeCellOf(nextGrantAt(subscribed)),
    timeCellOf(dueAt(subscribed)),
    JSON.stringify(now),
    JSON.stringify(terms),
    pots === null ? null : JSON.stringify(pots),
    JSON.stringify(paidMoney),
    timeCell(startedAt),
    String(revision),
  ];
}

export function quotaRow(account: string, quota: Quota): Cell[] {
  const { marks, money, free, pinned } = quota;
  const { unit, origin } = marks;
  const amount = (steps: bigint): Cell => unitCell(steps, unit);
  return [
    account,
    marks.quota,
    unit,
    marks.model,
    amount(quota.granted),
    amount(free),
    amount(pinned),
    amount(quota.used),
    amount(quota.expired),
    String(free !== 0n || pinned !== 0n),
    timeCell(marks.starts_at),
    timeCell(marks.expires_at),
    marks.counted_dimensions?.join(',') ?? null,
    JSON.stringify(origin),
    origin.kind === 'plan' ? origin.subscription : null,
    origin.kind === 'plan' ? String(origin.line) : null,
    String(quota.born),
    timeCell(quota.createdAt),
    money?.currency ?? null,
    money === null ? '0' : moneyCell(money),
    quota.paid.toString(),
  ];
}

export function purchaseRow(account: string, purchase: Purchase): Cell[] {
  const { told, status, lot, born, openedAt, closedAt, entry, reversedAt } = purchase;
  return [
    account,
    told.id,
    told.package.id,
    String(told.package.version),
    creditTextCell(told.credits),
    creditTextCell(told.bonus),
    told.total.currency,
    moneyCell(told.price),
    moneyCell(told.discount),
    moneyCell(told.total),
    told.coupon?.code ?? null,
    textCell(told.auto_top_up),
    status,
    lot,
    String(born),
    timeCell(openedAt),
    timeCellOf(closedAt),
    entry === null ? null : String(entry),
    timeCellOf(reversedAt),
  ];
}

export function couponRow(account: string, coupon: AccountCoupon): Cell[] {
  const { born, code, status, purchase, credits, at, freedAt } = coupon;
  const worth = credits === null ? null : creditTextCell(credits);
  return [account, String(born), code, status, purchase, worth, timeCell(at), timeCellOf(freedAt)];
}

export function accrualRow(account: string, accrual: Accrual): Cell[] {
  const { from, revision, reason, credits, taken, clawedBack, lot, availableAt, born, accruedAt } = accrual;
  return [
    account,
    from,
    String(revision),
    reason,
    creditTextCell(credits),
    creditCell(taken),
    String(clawedBack),
    lot,
    timeCell(availableAt),
    String(born),
    timeCell(accruedAt),
    statusOf(accrual),
  ];
}

function statusOf(accrual: Accrual): string {
  if (accrual.clawedBack || (accrual.lot === null && leftOf(accrual) <= 0n)) return 'clawed_back';
  return accrual.lot === null ? 'pending' : 'granted';
}

const moneyCell = ({ amount, currency }: MoneyText): string => unitCell(stepsOf(amount), currency);
