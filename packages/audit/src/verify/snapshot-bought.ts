/** The members of a snapshot that tell what a wallet has bought: subscription, quotas, coupons, referrals. */
import { NOT_COUNTED } from './caps.ts';
import { creditCell, unitCell } from './cells.ts';
import type { Json } from './differences.ts';
import type { PurchaseBook } from './purchases.ts';
import type { Quota } from './quotas.ts';
import { leftOf, type ReferralBook } from './referrals.ts';
import type { WalletBook } from './wallet.ts';

export function quotasState({ quotas, quotasInState }: WalletBook): Json {
  return [...quotasInState.ids].flatMap((id) => {
    const quota = quotas.all.get(id);
    return quota === undefined ? [] : [quotaState(quota)];
  });
}

function quotaState({ marks, money, born, granted, free, pinned, used, paid }: Quota): Json {
  const { quota, unit, model, origin, counted_dimensions, starts_at, expires_at } = marks;
  const whole = (steps: bigint): string => `${unitCell(steps, unit)}n`;
  return {
    id: quota,
    unit,
    model,
    counted: counted_dimensions ?? null,
    startsAt: Date.parse(starts_at),
    expiresAt: Date.parse(expires_at),
    origin: { ...origin },
    born,
    quantity: whole(granted),
    currency: money?.currency ?? null,
    free: whole(free),
    paid: `${paid}n`,
    pinned: whole(pinned),
    used: whole(used),
  };
}

/** What open holds may still use of a cap counts too, whatever window they were placed in. */
export function subscriptionState({ subscriptions, holds }: WalletBook): Json {
  const { current, caps } = subscriptions;
  if (current === null) return null;
  const held = (index: number): bigint =>
    holds
      .allOpen()
      .flatMap((hold) => hold.caps)
      .reduce((sum, { cap, quantity }) => (cap === index ? sum + BigInt(quantity) : sum), 0n);
  const counters = (current.terms.caps ?? []).map((cap, index) => {
    const { start, end, used } = caps[index] ?? NOT_COUNTED;
    return { start, end, used: `${unitCell(used, cap.unit)}n`, held: `${held(index)}n` };
  });
  const otherCaps = subscriptions.otherCaps.map(({ cap: { unit, model, per }, counter }) => {
    const { start, end, used } = counter;
    return { unit, model, per, start, end, used: `${unitCell(used, unit)}n`, held: '0n' };
  });
  const { now, terms, pots, paidMoney, unmeasured } = current;
  return { now, terms, pots, paidMoney, caps: counters, otherCaps, unmeasured } as unknown as Json;
}

export function couponsState({ saved, uses }: PurchaseBook): Json {
  return { saved, uses: [...uses].map(([code, count]) => ({ code, count })) };
}

export function referralState(referrals: ReferralBook): Json {
  const { referredBy, hasToppedUp, pending, owed } = referrals;
  return {
    referredBy,
    hasToppedUp,
    pending: pending.map((accrual) => ({
      from: accrual.from,
      revision: accrual.revision,
      credits: `${creditCell(leftOf(accrual))}n`,
      availableAt: Date.parse(accrual.availableAt),
    })),
    owed: `${creditCell(owed)}n`,
  };
}
