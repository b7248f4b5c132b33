/**
 * The last step of a coupon's use is in the coupon's own stream (billing rule 18). The API takes it at once; where it could
 * not, it is taken here: a paid purchase always counts, a canceled one gives its use back, and so does one that was taken
 * back whole and unspent.
 */
import {
  COUPON_GRANT_USE,
  couponDecider,
  couponOrders,
  type DomainEvent,
  type WalletEvent,
} from '@tallystick/domain';
import { type StoredEvent, splitStream } from '@tallystick/event-store';
import { giveOrder, type Orders } from './order.ts';
import type { Reactor } from './reaction.ts';

const TYPES = ['PurchasePaid', 'PurchaseClosed', 'CouponApplied', 'EntryReversed'] as const;

export function couponReactor(runner: Orders): Reactor {
  return {
    name: 'coupons',
    types: new Set(TYPES),
    async react(stored) {
      const event = stored as StoredEvent<DomainEvent> as unknown as StoredEvent<WalletEvent>;
      const next = nextOf(event);
      if (next === null) return;
      // Refused where the coupon or the use is not there: then there is nothing to count.
      await giveOrder(runner, couponDecider, next.code, next.command);
    },
  };
}

function nextOf(event: StoredEvent<WalletEvent>) {
  const account = splitStream(event.stream).id;
  switch (event.type) {
    case 'PurchasePaid': {
      const { coupon, id: purchase } = event.data.purchase;
      return coupon === null
        ? null
        : { code: coupon.code, command: couponOrders.confirm({ account, purchase }) };
    }
    case 'PurchaseClosed': {
      const { coupon: code, purchase } = event.data;
      return code === undefined ? null : { code, command: couponOrders.release({ account, purchase }) };
    }
    case 'CouponApplied': {
      const { code, effect } = event.data;
      const use = { account, purchase: COUPON_GRANT_USE };
      return effect === 'saved' ? null : { code, command: couponOrders.confirm(use) };
    }
    case 'EntryReversed': {
      const { frees_coupon: freed } = event.data;
      if (freed === undefined) return null;
      return { code: freed.code, command: couponOrders.return({ account, purchase: freed.purchase }) };
    }
    default:
      throw new Error(`${event.type} is not one of ${TYPES.join(', ')}`);
  }
}
