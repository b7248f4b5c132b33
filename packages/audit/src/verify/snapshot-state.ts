/**
 * The state that a snapshot of a wallet should hold, in the words of its text: made from the audit's own book, member by
 * member, because decisions rest on each of them. Amounts are texts like "12n", in the smallest steps of their unit.
 */
import { stepsOf } from '../decimal.ts';
import { creditCell, unitCell } from './cells.ts';
import type { Json } from './differences.ts';
import type { Hold, PinnedText, PlacedOn } from './holds.ts';
import type { Lot } from './lots.ts';
import { couponsState, quotasState, referralState, subscriptionState } from './snapshot-bought.ts';
import type { WalletBook } from './wallet.ts';

export function snapshotStateOf(wallet: WalletBook): Json {
  const { account, terms, lots, holds, revision } = wallet;
  const { opened, priceBook, overdraftLimit, timeZone, currency, frozen } = terms;
  const totals = Object.entries(wallet.sums()) as [string, bigint][];
  return {
    account,
    opened,
    priceBook,
    overdraftLimit: credits(overdraftLimit),
    timeZone,
    currency,
    frozen: [...frozen],
    totals: Object.fromEntries(totals.map(([name, steps]) => [name, credits(steps)])),
    lots: lots.allOpen().sort(burnOrder).map(lotState),
    holds: holds.allOpen().map((hold) => holdState(hold, wallet)),
    quotas: quotasState(wallet),
    subscription: subscriptionState(wallet),
    trialUsed: wallet.subscriptions.trialUsed,
    freeUntil: wallet.subscriptions.freeUntil,
    coupons: couponsState(wallet.purchases),
    referral: referralState(wallet.referrals),
    autoTopUp: wallet.autoTopUp.state(),
    alerts: wallet.alerts.state(),
    revision,
  };
}

const credits = (steps: bigint): string => `${creditCell(steps)}n`;
const amount = (text: string, unit: string): string => `${unitCell(stepsOf(text), unit)}n`;

function lotState({ marks, money, born, free, pinned, paid }: Lot): Json {
  const { lot, unit, priority, withdrawable, origin, quantity } = marks;
  return {
    id: lot,
    unit,
    priority,
    expiresAt: expiryOf(marks),
    withdrawable: amount(withdrawable, unit),
    origin: { ...origin },
    born,
    quantity: amount(quantity, unit),
    currency: money?.currency ?? null,
    paidInAll: money === null ? '0n' : amount(money.amount, money.currency),
    free: credits(free),
    paid: `${paid}n`,
    pinned: credits(pinned),
  };
}

function holdState(hold: Hold, { quotas }: WalletBook): Json {
  const { terms, credits: held, uncovered, pins, quotaPins, caps, on } = hold;
  const unitOf = (quota: string): string => quotas.all.get(quota)?.marks.unit ?? '';
  const { hold: id, purpose, model, estimate, price_book, expires_at } = terms;
  return {
    id,
    purpose,
    model,
    estimate: estimate as Json,
    book: { ...price_book },
    expiresAt: Date.parse(expires_at),
    credits: credits(held),
    uncovered: credits(uncovered),
    pins: [...pins].map(([lot, pin]) => ({ lot, credits: credits(pin.credits), paid: `${pin.paid}n` })),
    quotaPins: [...quotaPins].map(([quota, pin]) => ({
      quota,
      quantity: `${unitCell(pin.quantity, unitOf(quota))}n`,
      paid: `${pin.paid}n`,
    })),
    plan: terms.plan === undefined ? null : planState(terms.plan, on),
    caps: caps.map(({ cap, quantity }) => ({ cap, quantity: `${quantity}n` })),
  };
}

/** Of a subscription that was left it was not paid for any more. */
function planState({ paid_in, ...plan }: PinnedText, { paidIn }: PlacedOn): Json {
  return paid_in === undefined || paidIn === null ? { ...plan } : { ...plan, paid_in };
}

const NEVER = Number.MAX_SAFE_INTEGER;

const expiryOf = ({ expires_at }: Lot['marks']): number | null =>
  expires_at === null ? null : Date.parse(expires_at);

/** Which lot is burned first: priority, then what expires first, then what cannot be withdrawn, then age. */
function burnOrder(a: Lot, b: Lot): number {
  return (
    a.marks.priority - b.marks.priority ||
    (expiryOf(a.marks) ?? NEVER) - (expiryOf(b.marks) ?? NEVER) ||
    Number(isWithdrawable(a)) - Number(isWithdrawable(b)) ||
    a.born - b.born ||
    placeIn(a) - placeIn(b)
  );
}

const isWithdrawable = ({ marks }: Lot): boolean => stepsOf(marks.withdrawable) > 0n;

/** Of several lots of one event: `lot-17.2` is the third. */
const placeIn = ({ marks }: Lot): number => Number(/\.(\d+)$/.exec(marks.lot)?.[1] ?? 0);
