/** What the events of an account say of it beside its credits: its terms, and the freezes in force. */
import { stepsOf } from '../decimal.ts';
import type { AuditedEvent } from '../event.ts';

/** Of an opening all of them, of a change those that change. */
export interface TermsText {
  readonly price_book?: string | null;
  readonly overdraft_limit?: string;
  readonly time_zone?: string;
  readonly currency?: string | null;
}

export class WalletTerms {
  opened = false;
  priceBook: string | null = null;
  /** In steps of 10^-9. */
  overdraftLimit = 0n;
  timeZone = 'UTC';
  currency: string | null = null;
  /** Reasons, by reference. */
  readonly frozen = new Map<string, string>();

  apply({ type, data }: AuditedEvent): void {
    switch (type) {
      case 'AccountOpened':
        this.opened = true;
        this.#change(data);
        return;
      case 'AccountChanged':
        this.#change(data);
        return;
      case 'AccountFrozen':
        this.frozen.set(String(data.reference), String(data.reason));
        return;
      case 'AccountUnfrozen':
        this.frozen.delete(String(data.reference));
        return;
      default:
    }
  }

  #change({ price_book, overdraft_limit, time_zone, currency }: TermsText): void {
    if (price_book !== undefined) this.priceBook = price_book;
    if (overdraft_limit !== undefined) this.overdraftLimit = stepsOf(overdraft_limit);
    if (time_zone !== undefined) this.timeZone = time_zone;
    if (currency !== undefined) this.currency = currency;
  }
}
