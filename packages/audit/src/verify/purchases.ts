/** Purchases of one wallet, and its coupons: opened, then paid or canceled; saved, used, given back. */
import { stepsOf, textOf } from '../decimal.ts';
import type { AuditedEvent } from '../event.ts';
import type { Name } from './finding.ts';
import type { MoneyText } from './picture.ts';

export interface PurchaseText {
  readonly id: string;
  readonly package: { readonly id: string; readonly version: number };
  readonly credits: string;
  readonly bonus: string;
  readonly price: MoneyText;
  readonly discount: MoneyText;
  readonly total: MoneyText;
  readonly coupon: { readonly code: string; readonly version: number } | null;
  readonly auto_top_up?: string;
}

export interface Purchase {
  readonly told: PurchaseText;
  readonly born: number;
  readonly openedAt: string;
  status: 'pending' | 'paid' | 'canceled';
  lot: string | null;
  closedAt: string | null;
  /** Revision of the entry that paid. */
  entry: number | null;
  reversedAt: string | null;
}

/** As the account has it: a saved one ends with its use, each use stays. */
export interface AccountCoupon {
  readonly code: string;
  readonly born: number;
  readonly at: string;
  readonly purchase: string | null;
  readonly credits: string | null;
  status: 'saved' | 'used' | 'freed';
  freedAt: string | null;
}

export class PurchaseBook {
  readonly all = new Map<string, Purchase>();
  coupons: AccountCoupon[] = [];
  /** In the order in which they were saved. */
  saved: string[] = [];
  /** Uses that count, in the order of the last change of each. */
  readonly uses = new Map<string, number>();

  apply(event: AuditedEvent, name: Name): void {
    switch (event.type) {
      case 'PurchaseOpened':
        this.#open(event, name);
        return;
      case 'PurchasePaid':
        this.#pay(event, name);
        return;
      case 'PurchaseClosed':
        this.#close(event, name);
        return;
      case 'CouponApplied':
        this.#apply(event);
        return;
      case 'CouponForgotten':
        this.#forget(String(event.data.code));
        return;
      case 'EntryReversed':
        this.#reverse(event);
        return;
      default:
    }
  }

  #open({ data, revision, recordedAt }: AuditedEvent, name: Name): void {
    const told = data.purchase as PurchaseText;
    if (this.all.has(told.id)) name('a purchase is opened twice', 'once', told.id);
    const left = stepsOf(told.price.amount) - stepsOf(told.discount.amount);
    if (left !== stepsOf(told.total.amount) || left < 0n)
      name(`the total of ${told.id} is not its price less its discount`, textOf(left), told.total.amount);
    this.all.set(told.id, {
      ...{ told, born: revision, openedAt: recordedAt, status: 'pending' },
      ...{ lot: null, closedAt: null, entry: null, reversedAt: null },
    });
    if (told.coupon !== null) this.#use(told.coupon.code, { revision, recordedAt }, told.id, null);
  }

  #pay({ data, facts, revision, recordedAt }: AuditedEvent, name: Name): void {
    const { id } = data.purchase as PurchaseText;
    const purchase = this.all.get(id);
    if (purchase === undefined) {
      name('a purchase is paid that was never opened', 'a purchase of this wallet', id);
      return;
    }
    const { credits, bonus, total } = purchase.told;
    if (purchase.status !== 'pending')
      name(`the purchase ${id} is paid`, 'while it is pending', purchase.status);
    const due = stepsOf(credits) + stepsOf(bonus);
    if (due !== stepsOf(String(data.credits)))
      name(`what came in for ${id} is not what was bought with its bonus`, textOf(due), String(data.credits));
    const paid = facts.payment as MoneyText;
    if (paid.currency !== total.currency || stepsOf(paid.amount) !== stepsOf(total.amount))
      name(`what was paid for ${id} is not its total`, moneyText(total), moneyText(paid));
    purchase.status = 'paid';
    purchase.lot = String(data.lot);
    purchase.entry = revision;
    purchase.closedAt = recordedAt;
  }

  #close({ data, recordedAt }: AuditedEvent, name: Name): void {
    const { purchase: id, by, coupon } = data as { purchase: string; by: string; coupon?: string };
    const purchase = this.all.get(id);
    if (purchase === undefined) {
      name('a purchase is closed that was never opened', 'a purchase of this wallet', id);
      return;
    }
    if (by === 'paid' && purchase.status !== 'paid')
      name(`the purchase ${id} is closed as paid`, 'paid', purchase.status);
    if (coupon !== undefined) this.#free(coupon, id, recordedAt);
    if (by !== 'canceled') return;
    if (purchase.status !== 'pending')
      name(`the purchase ${id} is canceled`, 'while it is pending', purchase.status);
    purchase.status = 'canceled';
    purchase.closedAt = recordedAt;
  }

  #apply(event: AuditedEvent): void {
    const { code, effect, credits = null } = event.data as { code: string; effect: string; credits?: string };
    if (effect === 'granted') {
      this.#use(code, event, null, credits);
      return;
    }
    this.coupons.push(couponOf(code, event, 'saved', null, credits));
    this.saved.push(code);
  }

  #reverse({ data, recordedAt }: AuditedEvent): void {
    const {
      reverses,
      reversed_type,
      frees_coupon: freed,
    } = data as {
      reverses: number;
      reversed_type: string;
      frees_coupon?: { readonly code: string; readonly purchase: string };
    };
    if (freed !== undefined) this.#free(freed.code, freed.purchase, recordedAt);
    if (reversed_type !== 'PurchasePaid') return;
    for (const purchase of this.all.values())
      if (purchase.entry === reverses) purchase.reversedAt = recordedAt;
  }

  #use(code: string, event: Born, purchase: string | null, credits: string | null): void {
    this.#forget(code);
    this.coupons.push(couponOf(code, event, 'used', purchase, credits));
    this.#count(code, 1);
  }

  #forget(code: string): void {
    this.coupons = this.coupons.filter((coupon) => coupon.status !== 'saved' || coupon.code !== code);
    this.saved = this.saved.filter((saved) => saved !== code);
  }

  #free(code: string, purchase: string, at: string): void {
    for (const coupon of this.coupons)
      if (coupon.code === code && coupon.purchase === purchase) {
        coupon.status = 'freed';
        coupon.freedAt = at;
      }
    this.#count(code, -1);
  }

  #count(code: string, by: number): void {
    const count = (this.uses.get(code) ?? 0) + by;
    this.uses.delete(code);
    if (count > 0) this.uses.set(code, count);
  }
}

type Born = Pick<AuditedEvent, 'revision' | 'recordedAt'>;

function couponOf(
  code: string,
  { revision, recordedAt }: Born,
  status: 'saved' | 'used',
  purchase: string | null,
  credits: string | null,
): AccountCoupon {
  return { code, born: revision, at: recordedAt, status, purchase, credits, freedAt: null };
}

const moneyText = ({ amount, currency }: MoneyText): string => `${amount} ${currency}`;
