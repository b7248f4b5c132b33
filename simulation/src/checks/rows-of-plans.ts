/** Rows of subscriptions, quotas, purchases, coupons and referrals, as the events say that they are: each as a text. */
import type { WalletEvent } from '@tallystick/domain';
import type { StoredEvent } from '@tallystick/event-store';
import { stepsOf, sumOf } from '../refold.ts';
import { type PlanState, subscriptionAfter } from '../refold-quotas.ts';

export interface PlanRows {
  readonly subscriptions: string[];
  readonly quotas: string[];
  readonly purchases: string[];
  readonly coupons: string[];
  readonly accruals: string[];
}

/** Each selects the same texts as `x`. */
export function planSelects(schema: string): Record<keyof PlanRows, string> {
  return {
    subscriptions: `select concat_ws(' ', account, subscription, plan, plan_version, status, revision, picture,
      coalesce(pots, 'none')) as x from ${schema}.subscriptions`,
    quotas: `select concat_ws(' ', account, quota, granted, free, pinned, used, expired, paid, open::text) as x
      from ${schema}.quotas`,
    purchases: `select concat_ws(' ', account, purchase, credits, bonus, price, discount, total, currency,
      coalesce(coupon, 'none'), status, coalesce(lot, 'none'), coalesce(entry, -1), (reversed_at is not null)::text) as x
      from ${schema}.purchases`,
    coupons: `select concat_ws(' ', account, born, code, status, coalesce(purchase, 'none')) as x
      from ${schema}.account_coupons`,
    accruals: `select concat_ws(' ', account, friend, revision, credits, taken, clawed_back::text, coalesce(lot, 'none'),
      status) as x from ${schema}.referral_accruals`,
  };
}

export function addPlanRows(
  rows: PlanRows,
  account: string,
  state: PlanState,
  events: readonly StoredEvent<WalletEvent>[],
): void {
  for (const [id, { free, pinned, granted, used, expired, paid }] of state.quotas)
    rows.quotas.push(
      `${account} ${id} ${granted} ${free} ${pinned} ${used} ${expired} ${paid} ${free + pinned > 0n}`,
    );
  addSubscriptions(rows, account, events);
  addPurchases(rows, account, events);
  addCoupons(rows, account, events);
  addAccruals(rows, account, events);
}

function addSubscriptions(
  rows: PlanRows,
  account: string,
  events: readonly StoredEvent<WalletEvent>[],
): void {
  const last = new Map<string, string>();
  for (const event of events) {
    const now = subscriptionAfter(event);
    if (now === undefined) continue;
    const { pots = null } = event.facts as { pots?: object | null };
    const { id, plan, plan_version, status } = now;
    const money = pots === null ? 'none' : JSON.stringify(pots);
    const picture = JSON.stringify(now);
    last.set(id, `${account} ${id} ${plan} ${plan_version} ${status} ${event.revision} ${picture} ${money}`);
  }
  rows.subscriptions.push(...last.values());
}

function addPurchases(rows: PlanRows, account: string, events: readonly StoredEvent<WalletEvent>[]): void {
  for (const event of events) {
    if (event.type !== 'PurchaseOpened') continue;
    const { id, price, discount, total, credits, bonus, coupon } = event.data.purchase;
    const { currency } = total;
    const money = [price, discount, total].map(({ amount }) => stepsOf(amount, currency)).join(' ');
    const paid = events.find((other) => other.type === 'PurchasePaid' && other.data.purchase.id === id);
    const closed = events.find((other) => other.type === 'PurchaseClosed' && other.data.purchase === id);
    const status = closed?.type === 'PurchaseClosed' ? closed.data.by : 'pending';
    const lot = paid?.type === 'PurchasePaid' ? paid.data.lot : 'none';
    const isReversed = events.some(
      (other) => other.type === 'EntryReversed' && other.data.reverses === paid?.revision,
    );
    const bought = `${stepsOf(credits)} ${stepsOf(bonus)} ${money} ${currency} ${coupon?.code ?? 'none'}`;
    rows.purchases.push(`${account} ${id} ${bought} ${status} ${lot} ${paid?.revision ?? -1} ${isReversed}`);
  }
}

function addCoupons(rows: PlanRows, account: string, events: readonly StoredEvent<WalletEvent>[]): void {
  const saved = new Map<string, string>();
  const used: { readonly code: string; readonly purchase: string; readonly born: number; status: string }[] =
    [];
  for (const { type, data, revision } of events) {
    switch (type) {
      case 'CouponApplied':
        if (data.effect === 'saved') saved.set(data.code, `${account} ${revision} ${data.code} saved none`);
        else {
          saved.delete(data.code);
          used.push({ code: data.code, purchase: 'none', born: revision, status: 'used' });
        }
        break;
      case 'CouponForgotten':
        saved.delete(data.code);
        break;
      case 'PurchaseOpened': {
        const { coupon, id } = data.purchase;
        if (coupon === null) break;
        saved.delete(coupon.code);
        used.push({ code: coupon.code, purchase: id, born: revision, status: 'used' });
        break;
      }
      case 'PurchaseClosed':
        for (const use of used)
          if (use.purchase === data.purchase && data.coupon !== undefined) use.status = 'freed';
        break;
      case 'EntryReversed':
        for (const use of used) if (use.purchase === data.frees_coupon?.purchase) use.status = 'freed';
        break;
      default:
    }
  }
  rows.coupons.push(...saved.values());
  for (const { code, purchase, born, status } of used)
    rows.coupons.push(`${account} ${born} ${code} ${status} ${purchase}`);
}

function addAccruals(rows: PlanRows, account: string, events: readonly StoredEvent<WalletEvent>[]): void {
  const takenBack = events.flatMap((event) => (event.type === 'ReferralClawedBack' ? [event.data] : []));
  for (const event of events) {
    if (event.type !== 'ReferralAccrued') continue;
    const { from, revision, credits, withheld = '0' } = event.data;
    const isIt = (other: { readonly from: string; readonly revision: number }): boolean =>
      other.from === from && other.revision === revision;
    const parts = takenBack
      .flatMap(({ pending }) => pending.filter(isIt))
      .map((part) => stepsOf(part.credits));
    const taken = stepsOf(withheld) + sumOf(parts);
    const granted = events.find((other) => other.type === 'ReferralGranted' && isIt(other.data));
    const lot = granted?.type === 'ReferralGranted' ? granted.data.lot : null;
    const isTaken = takenBack.some(isIt);
    const isGone = isTaken || (lot === null && taken >= stepsOf(credits));
    const status = isGone ? 'clawed_back' : lot === null ? 'pending' : 'granted';
    rows.accruals.push(
      `${account} ${from} ${revision} ${stepsOf(credits)} ${taken} ${isTaken} ${lot ?? 'none'} ${status}`,
    );
  }
}
