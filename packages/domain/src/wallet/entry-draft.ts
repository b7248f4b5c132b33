/**
 * A draft gathers what one event will move. It works on a fork of the wallet, so each step sees what the steps before
 * it did, and at the end it writes down moves, entry and the balance after.
 */
import { CREDITS, formatAmount, formatCredits, type Money, parseAmount, smaller } from '../amount.ts';
import { accounts, EntryBuilder } from '../entry.ts';
import type { Movement, MovementFacts, NewLot, Place } from './events.ts';
import { addLot, addQuota, applyFlow, applyQuotaFlow, balanceAfter, type Flow } from './moves.ts';
import type { NewQuota, QuotaPlace } from './quota/events.ts';
import type { Take } from './quota/funding.ts';
import { isOpen, type QuotaFlow, quotaOf } from './quota/state.ts';
import { forkWallet, type Lot, lotOf, shareOf, type Wallet } from './state.ts';

/** Which platform accounts stand behind the places outside of a wallet, in credits and in money. */
export interface Counterparts {
  readonly granted?: { readonly credits: string; readonly money: string };
  /** Whose income it is. */
  readonly spent?: { readonly credits: string; readonly money: string };
}

/** The counterpart of what a call of this model burns. */
export function incomeOf(model: string): Counterparts {
  const income = accounts.usage(model);
  return { spent: { credits: income, money: income } };
}

const NO_INCOME = accounts.usage('unknown');

export class EntryDraft {
  readonly wallet: Wallet;
  readonly now: number;
  readonly #counterparts: Counterparts;
  readonly #flows: Flow[] = [];
  readonly #lots: NewLot[] = [];
  readonly #lotPaid: Record<string, Money> = {};
  readonly #money = new EntryBuilder();
  readonly #quotaFlows: QuotaFlow[] = [];
  readonly #quotas: NewQuota[] = [];
  readonly #quotaPaid: Record<string, Money> = {};

  constructor(wallet: Wallet, now: number, counterparts: Counterparts = {}) {
    this.wallet = forkWallet(wallet);
    this.now = now;
    this.#counterparts = counterparts;
  }

  /** The id of the next lot that this event makes: revision and place, so that a lot leads to its event. */
  nextLotId(): string {
    const revision = this.wallet.revision + 1;
    return this.#lots.length === 0 ? `lot-${revision}` : `lot-${revision}.${this.#lots.length}`;
  }

  addLot(lot: NewLot, paid: Money | undefined): void {
    this.#lots.push(lot);
    if (paid !== undefined) this.#lotPaid[lot.lot] = paid;
    addLot(this.wallet, lot, paid);
  }

  /** @param moneyTo where the money behind the credits goes, where that is not where the credits go */
  move(from: Place, to: Place, credits: bigint, lot?: Lot, paid = 0n, moneyTo?: string): void {
    if (credits === 0n && paid === 0n) return;
    const flow: Flow = { ...(lot === undefined ? {} : { lot: lot.id }), from, to, credits, paid };
    if (lot?.currency != null && paid !== 0n) {
      this.#money.move(this.#moneyIn(from), moneyTo ?? this.#moneyIn(to), lot.currency, paid);
    }
    applyFlow(this.wallet, flow);
    this.#flows.push(flow);
  }

  /** Money that moves beside the credits: supplier cost, a claw-back. */
  moneyMove(from: string, to: string, currency: string, steps: bigint): void {
    this.#money.move(from, to, currency, steps);
  }

  /** Takes credits out of the free lots in burn order; what they do not have goes into overdraft. */
  take(credits: bigint, to: Place, moneyTo?: string): void {
    const left = this.#takeFree(credits, to, moneyTo);
    this.move('overdraft', to, left);
  }

  #takeFree(credits: bigint, to: Place, moneyTo: string | undefined): bigint {
    let left = credits;
    for (const { id } of [...this.wallet.lots]) {
      if (left === 0n) break;
      const lot = lotOf(this.wallet, id);
      if (lot.unit !== CREDITS || lot.free === 0n) continue;
      const part = smaller(left, lot.free);
      this.move('free', to, part, lot, shareOf(lot.paid, part, lot.free), moneyTo);
      left -= part;
    }
    return left;
  }

  /**
   * Credits of a lot come (back) into the wallet: they pay debt first, then stand in for the uncovered parts of open
   * holds, and only the rest is free (rule 21). Out of a hold, credits of a lot that is due expire (rule 20).
   */
  place(from: Place, lotId: string, credits: bigint, paid: bigint, at = this.now): void {
    const lot = lotOf(this.wallet, lotId);
    let left = credits;
    let paidLeft = paid;
    const put = (to: Place, part: bigint): void => {
      if (part === 0n) return;
      const share = shareOf(paidLeft, part, left);
      this.move(from, to, part, lotOf(this.wallet, lotId), share);
      left -= part;
      paidLeft -= share;
    };
    if (from.startsWith('hold:') && lot.expiresAt !== null && lot.expiresAt <= at) {
      put('expired', left);
      return;
    }
    put('debt', smaller(left, this.wallet.totals.debt));
    for (const hold of this.wallet.holds.values()) {
      if (left === 0n) return;
      if (hold.uncovered > 0n && from !== `hold:${hold.id}`)
        put(`cover:${hold.id}`, smaller(left, hold.uncovered));
    }
    put('free', left);
  }

  /** Lets go of all that a hold still has; uncovered parts end first, as they stand before every lot. */
  release(holdId: string, at = this.now): void {
    const hold = this.wallet.holds.get(holdId);
    if (hold === undefined) throw new Error(`no open hold ${holdId}`);
    this.move(`hold:${holdId}`, 'overdraft', hold.uncovered);
    for (const pin of [...hold.pins]) this.place(`hold:${holdId}`, pin.lot, pin.credits, pin.paid, at);
  }

  /** Consumes out of a hold, pinned lots in burn order first, its uncovered part last; returns what is lacking. */
  consumeHold(holdId: string, credits: bigint): bigint {
    const hold = this.wallet.holds.get(holdId);
    if (hold === undefined) throw new Error(`no open hold ${holdId}`);
    let left = credits;
    const pins = [...hold.pins].sort((a, b) => this.#burnRank(a.lot) - this.#burnRank(b.lot));
    for (const pin of pins) {
      const part = smaller(left, pin.credits);
      if (part === 0n) continue;
      const lot = lotOf(this.wallet, pin.lot);
      this.move(`hold:${holdId}`, 'spent', part, lot, shareOf(pin.paid, part, pin.credits));
      left -= part;
    }
    const uncovered = smaller(left, hold.uncovered);
    this.move(`hold:${holdId}`, 'spent', uncovered);
    return left - uncovered;
  }

  /** The id of the next quota that this event makes. */
  nextQuotaId(): string {
    const revision = this.wallet.revision + 1;
    return this.#quotas.length === 0 ? `quota-${revision}` : `quota-${revision}.${this.#quotas.length}`;
  }

  /** A quota is born, all of it free. The money behind it is deferred already, or is moved beside it. */
  grantQuota(quota: NewQuota, paid: Money | undefined): void {
    this.#quotas.push(quota);
    if (paid !== undefined) this.#quotaPaid[quota.quota] = paid;
    addQuota(this.wallet, quota, paid);
    const money = paid === undefined ? 0n : parseAmount(paid.amount, paid.currency);
    this.moveQuota(quota.quota, 'granted', 'free', parseAmount(quota.quantity, quota.unit), money);
  }

  moveQuota(id: string, from: QuotaPlace, to: QuotaPlace, quantity: bigint, paid: bigint): void {
    if (quantity === 0n) return;
    const { currency } = quotaOf(this.wallet.quotas, id);
    const flow: QuotaFlow = { quota: id, from, to, quantity, paid };
    if (currency !== null) this.#money.move(this.#quotaMoneyIn(from), this.#quotaMoneyIn(to), currency, paid);
    applyQuotaFlow(this.wallet, flow);
    this.#quotaFlows.push(flow);
  }

  /** Uses (or, for a hold, reserves) what a funding has found: what the hold has first, then what is free. */
  takeQuotas(takes: readonly Take[], to: QuotaPlace, hold?: string): void {
    for (const { quota, quantity } of takes) {
      const pin =
        hold === undefined
          ? undefined
          : this.wallet.holds.get(hold)?.quotaPins.find((p) => p.quota === quota.id);
      const pinned = pin === undefined ? 0n : smaller(pin.quantity, quantity);
      if (pin !== undefined && to !== `hold:${hold}`)
        this.moveQuota(quota.id, `hold:${hold}`, to, pinned, shareOf(pin.paid, pinned, pin.quantity));
      const now = quotaOf(this.wallet.quotas, quota.id);
      const more = quantity - pinned;
      this.moveQuota(quota.id, 'free', to, more, shareOf(now.paid, more, now.free));
    }
  }

  /** Lets go of all that a hold still has of quotas; what is of a window that has ended is lost. */
  releaseQuotas(hold: string, at = this.now): void {
    for (const { quota, quantity, paid } of this.wallet.holds.get(hold)?.quotaPins ?? []) {
      const place = isOpen(quotaOf(this.wallet.quotas, quota), this.wallet.subscription, at)
        ? 'free'
        : 'expired';
      this.moveQuota(quota, `hold:${hold}`, place, quantity, paid);
    }
  }

  /** What is free of a quota is lost, and the money behind it breakage. */
  lapseQuota(id: string): void {
    const { free, paid } = quotaOf(this.wallet.quotas, id);
    this.moveQuota(id, 'free', 'expired', free, paid);
  }

  /** What holds still have of a quota is lost; false where none has anything. */
  lapsePins(id: string): boolean {
    if (quotaOf(this.wallet.quotas, id).pinned === 0n) return false;
    for (const hold of [...this.wallet.holds.values()])
      for (const pin of hold.quotaPins)
        if (pin.quota === id) this.moveQuota(id, `hold:${hold.id}`, 'expired', pin.quantity, pin.paid);
    return true;
  }

  /** What has been taken out of lots (and overdraft) to be spent so far. */
  burned(): { lot: string | null; credits: bigint; paid: bigint; currency: string | null }[] {
    return this.#flows
      .filter(({ to }) => to === 'spent')
      .map(({ lot, credits, paid }) => ({
        lot: lot ?? null,
        credits,
        paid,
        currency: lot === undefined ? null : lotOf(this.wallet, lot).currency,
      }));
  }

  #quotaIn(place: QuotaPlace): string {
    switch (place) {
      case 'granted':
        return accounts.quotasGranted;
      case 'used':
        return accounts.quotasUsed;
      case 'expired':
        return accounts.quotasLapsed;
      case 'free':
        return accounts.quotas(this.wallet.account);
      default:
        return accounts.quotasHeld(this.wallet.account);
    }
  }

  #quotaMoneyIn(place: QuotaPlace): string {
    if (place === 'used') return this.#counterparts.spent?.money ?? NO_INCOME;
    return place === 'expired' ? accounts.breakage : accounts.deferred;
  }

  #burnRank(lot: string): number {
    return this.wallet.lots.findIndex(({ id }) => id === lot);
  }

  movement(): Movement {
    const entry = new EntryBuilder();
    for (const flow of this.#flows) {
      entry.move(this.#creditsIn(flow.from), this.#creditsIn(flow.to), CREDITS, flow.credits);
    }
    for (const { quota, from, to, quantity } of this.#quotaFlows) {
      const { unit } = quotaOf(this.wallet.quotas, quota);
      entry.move(this.#quotaIn(from), this.#quotaIn(to), unit, quantity);
    }
    return {
      ...(this.#lots.length === 0 ? {} : { lots: this.#lots }),
      moves: this.#flows.map(({ lot, from, to, credits }) => ({
        ...(lot === undefined ? {} : { lot }),
        from,
        to,
        credits: formatCredits(credits),
      })),
      ...this.#quotaMovement(),
      entry: entry.postings(),
      after: balanceAfter(this.wallet),
    };
  }

  #quotaMovement(): Pick<Movement, 'quotas'> {
    if (this.#quotaFlows.length === 0) return {};
    const moves = this.#quotaFlows.map(({ quota, from, to, quantity }) => ({
      quota,
      from,
      to,
      quantity: quantity.toString(),
    }));
    return { quotas: { ...(this.#quotas.length === 0 ? {} : { granted: this.#quotas }), moves } };
  }

  #quotaMoney(): Pick<MovementFacts, 'quotas'> {
    if (this.#quotaFlows.length === 0) return {};
    const paid = this.#quotaFlows.map((flow) => {
      const { currency } = quotaOf(this.wallet.quotas, flow.quota);
      return currency === null ? '0' : formatAmount(flow.paid, currency);
    });
    const granted = Object.keys(this.#quotaPaid).length === 0 ? {} : { granted: this.#quotaPaid };
    return { quotas: { paid, ...granted } };
  }

  facts(): MovementFacts {
    const paid = this.#flows.map((flow) => {
      if (flow.paid === 0n || flow.lot === undefined) return '0';
      return formatAmount(flow.paid, this.#currencyOf(flow.lot));
    });
    const lots = Object.keys(this.#lotPaid).length === 0 ? {} : { lots: this.#lotPaid };
    return { entry: this.#money.postings(), paid, ...lots, ...this.#quotaMoney() };
  }

  #currencyOf(lot: string): string {
    const currency = lotOf(this.wallet, lot).currency;
    if (currency === null) throw new Error(`${lot} was not paid for`);
    return currency;
  }

  #creditsIn(place: Place): string {
    switch (place) {
      case 'granted':
        return this.#counterparts.granted?.credits ?? accounts.issued;
      case 'adjusted':
        return accounts.adjustments;
      case 'spent':
        return this.#counterparts.spent?.credits ?? NO_INCOME;
      case 'expired':
        return accounts.breakage;
      default:
        if (place.startsWith('hold:')) return accounts.held(this.wallet.account);
        return accounts.available(this.wallet.account);
    }
  }

  #moneyIn(place: Place): string {
    switch (place) {
      case 'granted':
        return this.#counterparts.granted?.money ?? accounts.clearing('unknown');
      case 'adjusted':
        return accounts.incomeAdjustments;
      case 'spent':
        return this.#counterparts.spent?.money ?? NO_INCOME;
      case 'expired':
        return accounts.breakage;
      case 'debt':
        return accounts.repayments;
      default:
        return accounts.deferred;
    }
  }
}
