/** What clients know of an account, together: enough to ask for what may be there. Read off the events, as answers are. */
import type { Money, Subscription, WalletEvent } from '@tallystick/domain';
import { decodeEvent, type RecordedEvent } from '@tallystick/event-store';
import type { PlannedOrder } from './keyed.ts';

export interface KnownPurchase {
  readonly id: string;
  readonly total: Money;
  readonly coupon: string | null;
  status: 'pending' | 'paid' | 'canceled';
}

export interface Known {
  readonly holds: string[];
  readonly usages: string[];
  readonly orders: PlannedOrder[];
  /** Its stream has so many events at least. */
  revisions: number;
  /** The last picture of its subscription. */
  subscription: Subscription | null;
  /** When periods began that were not paid. */
  readonly unpaid: number[];
  /** Revisions of what was paid for. */
  readonly paidEntries: number[];
  readonly purchases: KnownPurchase[];
  /** To top up by itself. */
  readonly requests: { readonly id: string; readonly amount: Money }[];
}

export function knowNothing(): Known {
  return {
    holds: [],
    usages: [],
    orders: [],
    revisions: 0,
    subscription: null,
    unpaid: [],
    paidEntries: [],
    purchases: [],
    requests: [],
  };
}

export function learn(known: Known, recorded: RecordedEvent): void {
  const event = decodeEvent(recorded) as unknown as WalletEvent;
  known.revisions = Math.max(known.revisions, recorded.revision + 1);
  switch (event.type) {
    case 'PurchaseOpened': {
      const { id, total, coupon } = event.data.purchase;
      known.purchases.push({ id, total, coupon: coupon?.code ?? null, status: 'pending' });
      return;
    }
    case 'TopUp':
    case 'PurchasePaid':
      known.paidEntries.push(recorded.revision);
      return;
    case 'PurchaseClosed':
      for (const purchase of known.purchases)
        if (purchase.id === event.data.purchase) purchase.status = event.data.by;
      return;
    case 'AutoTopUpRequested':
      known.requests.push({ id: event.data.id, amount: event.data.amount });
      return;
    default: {
      const { subscription } = event.data as { subscription?: Subscription };
      if (subscription === undefined) return;
      known.subscription = subscription;
      if (!subscription.period_paid) known.unpaid.push(Date.parse(subscription.period_start));
    }
  }
}
