/** What the rows of one wallet should be: its balance, lots, holds and pins; what it has bought is in `bought-rows.ts`. */
import { stepsOf } from '../decimal.ts';
import { accrualRow, couponRow, purchaseRow, quotaRow, subscriptionRow } from './bought-rows.ts';
import { type Cell, creditCell, timeCell, timeCellOf, unitCell } from './cells.ts';
import type { Hold } from './holds.ts';
import type { Lot } from './lots.ts';
import { dueAt } from './subscription-due.ts';
import type { WalletBook } from './wallet.ts';

export interface WalletRows {
  readonly balance: readonly Cell[];
  readonly lots: readonly (readonly Cell[])[];
  readonly holds: readonly (readonly Cell[])[];
  readonly pins: readonly (readonly Cell[])[];
  readonly quota_pins: readonly (readonly Cell[])[];
  readonly subscriptions: readonly (readonly Cell[])[];
  readonly quotas: readonly (readonly Cell[])[];
  readonly purchases: readonly (readonly Cell[])[];
  readonly account_coupons: readonly (readonly Cell[])[];
  readonly referral_accruals: readonly (readonly Cell[])[];
}

export function rowsOf(wallet: WalletBook): WalletRows {
  const { account, lots, holds, purchases } = wallet;
  const each = <T>(of: Iterable<T>, row: (account: string, one: T) => Cell[]): Cell[][] =>
    [...of].map((one) => row(account, one));
  return {
    balance: balanceRow(wallet),
    lots: [...lots.all.values()].map((lot) => lotRow(account, lot)),
    holds: [...holds.all.values()].map((hold) => holdRow(account, hold)),
    pins: [...holds.all.values()].flatMap((hold) => pinRows(account, hold)),
    quota_pins: [...holds.all.values()].flatMap((hold) => quotaPinRows(account, hold)),
    subscriptions: each(wallet.subscriptions.all.values(), subscriptionRow),
    quotas: each(wallet.quotas.all.values(), quotaRow),
    purchases: each(purchases.all.values(), purchaseRow),
    account_coupons: each(purchases.coupons, couponRow),
    referral_accruals: each(wallet.referrals.all.values(), accrualRow),
  };
}

function balanceRow(wallet: WalletBook): Cell[] {
  const sums = wallet.sums();
  const dues = [
    wallet.lots.firstExpiry(),
    wallet.holds.firstExpiry(),
    wallet.quotas.firstExpiry(),
    wallet.referrals.firstGrant(),
    ...[...wallet.subscriptions.all.values()].map(dueAt),
  ].filter((due) => due !== null);
  return [
    wallet.account,
    'credits',
    creditCell(sums.available),
    creditCell(sums.held),
    creditCell(sums.granted),
    creditCell(sums.adjusted),
    creditCell(sums.consumed),
    creditCell(sums.expired),
    creditCell(sums.withdrawn),
    creditCell(sums.debt),
    String(wallet.revision),
    wallet.position.toString(),
    timeCellOf(dues.sort()[0]),
  ];
}

function lotRow(account: string, { marks, money, born, createdAt, free, pinned, paid }: Lot): Cell[] {
  const { lot, unit, origin } = marks;
  return [
    account,
    lot,
    unit,
    unitCell(stepsOf(marks.quantity), unit),
    creditCell(free),
    creditCell(pinned),
    String(free !== 0n || pinned !== 0n),
    String(marks.priority),
    timeCellOf(marks.expires_at),
    unitCell(stepsOf(marks.withdrawable), unit),
    origin.kind,
    origin.of,
    origin.ref,
    String(born),
    timeCell(createdAt),
    money?.currency ?? null,
    money === null ? '0' : unitCell(stepsOf(money.amount), money.currency),
    paid.toString(),
  ];
}

function holdRow(account: string, hold: Hold): Cell[] {
  const { terms } = hold;
  return [
    account,
    terms.hold,
    hold.status,
    terms.purpose,
    terms.model,
    JSON.stringify(terms.estimate),
    terms.price_book.name,
    String(terms.price_book.version),
    creditCell(hold.credits),
    creditCell(hold.uncovered),
    timeCell(terms.expires_at),
    timeCell(hold.placedAt),
    String(hold.opened),
    timeCellOf(hold.closedAt),
    hold.closed === null ? null : String(hold.closed),
  ];
}

const quotaPinRows = (account: string, { terms, quotaPins }: Hold): Cell[][] =>
  [...quotaPins].map(([quota, { quantity }]) => [account, terms.hold, quota, unitCell(quantity, 'calls')]);

const pinRows = (account: string, { terms, pins }: Hold): Cell[][] =>
  [...pins].map(([lot, { credits, paid, since }]) => [
    account,
    terms.hold,
    lot,
    creditCell(credits),
    paid.toString(),
    String(since),
  ]);
