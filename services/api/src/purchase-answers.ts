/** Answers about purchases, each from the events of the purchase itself: exact, whatever the read models have seen. */
import { formatPosition } from '@tallystick/connect';
import {
  keys,
  type Purchase,
  type PurchaseClosed,
  type PurchaseOpened,
  type WalletEvent,
  walletStream,
} from '@tallystick/domain';
import type { StoredEvent } from '@tallystick/event-store';
import { type Static, Type } from 'typebox';
import type { Api } from './api.ts';
import { refuse } from './problems.ts';
import { MoneyBody, orNull, Position } from './schemas.ts';

const PurchaseFields = {
  id: Type.String({ description: 'The `reference` that it was made with.' }),
  status: Type.Union([Type.Literal('pending'), Type.Literal('paid'), Type.Literal('canceled')], {
    description: '`pending`: it waits for the money, without end.',
  }),
  package: Type.Object(
    { id: Type.String(), version: Type.Integer() },
    { description: 'What was sold, in the version of its terms; of a free amount its rate.' },
  ),
  credits: Type.String({ description: 'What is bought; `bonus` comes on top.' }),
  bonus: Type.String({ description: 'Credits on top, in the same lot.' }),
  price: Type.Object(MoneyBody.properties, { description: 'Before the coupon.' }),
  discount: Type.Object(MoneyBody.properties, { description: 'What the coupon takes off.' }),
  total: Type.Object(MoneyBody.properties, { description: 'What is to be paid.' }),
  coupon: orNull(Type.String({ description: 'The code that it was made with.' })),
  lots: Type.Array(Type.String(), { description: 'Where the credits are; empty until it is paid.' }),
};
export const PurchaseAnswer = Type.Object({ ...PurchaseFields, position: Type.Optional(Position) });
export type PurchaseAnswer = Static<typeof PurchaseAnswer>;
export const PaymentAnswer = Type.Object({
  applied: Type.Boolean({
    description: 'False: the money fits nothing as it was ordered, and waits for finance.',
  }),
  reason: Type.Optional(
    Type.String({ description: '`amount_differs`, `already_paid` or `canceled`, where it is not applied.' }),
  ),
  ...PurchaseFields,
  position: Position,
});
/** As lists show it. */
export const PurchaseRow = Type.Object({
  ...PurchaseFields,
  entry_id: orNull(
    Type.String({ description: 'Of the entry that brought the credits: what a reversal names.' }),
  ),
  opened_at: Type.String(),
  closed_at: orNull(Type.String({ description: 'When it was paid or canceled.' })),
  reversed_at: orNull(Type.String({ description: 'Taken back since.' })),
});

export interface PurchaseNow {
  readonly purchase: Purchase;
  readonly status: PurchaseAnswer['status'];
  readonly lot: string | null;
}

/** By the keys that it has claimed. Ends the request with 404 where there is none. */
export async function purchaseNow(api: Api, account: string, id: string): Promise<PurchaseNow> {
  const [opening, closing] = [keys.purchase(id), keys.purchaseClosed(id)];
  const found = await api.runner.find<WalletEvent>(walletStream(account), [opening, closing]);
  const opened = found.get(opening);
  if (opened?.type !== 'PurchaseOpened') return refuse('purchase_not_found', { purchase: id });
  const { purchase }: PurchaseOpened = opened.data;
  const closure = found.get(closing);
  if (closure?.type !== 'PurchaseClosed') return { purchase, status: 'pending', lot: null };
  const { by, lot }: PurchaseClosed = closure.data;
  return { purchase, status: by, lot: lot ?? null };
}

export function purchaseAnswer({ purchase, status, lot }: PurchaseNow): PurchaseAnswer {
  const { id, package: sold, credits, bonus, price, discount, total, coupon } = purchase;
  return {
    id,
    status,
    package: { ...sold },
    credits,
    bonus,
    price: { ...price },
    discount: { ...discount },
    total: { ...total },
    coupon: coupon?.code ?? null,
    lots: lot === null ? [] : [lot],
  };
}

/** From the event that opened it: what it said at first, and says again. */
export function openedAnswer({ purchase, paid }: PurchaseOpened): PurchaseAnswer {
  const status = paid === undefined ? 'pending' : 'paid';
  return purchaseAnswer({ purchase, status, lot: paid?.lot ?? null });
}

/** Of the last event of its append: what the first answer said. */
export async function positionOf({ store, epoch }: Api, event: StoredEvent): Promise<string> {
  const { stream, revision, left } = event;
  if (left === 0) return formatPosition(epoch, event.position);
  const [last] = await store.readStream(stream, { from: revision + left, limit: 1 });
  return formatPosition(epoch, last?.position ?? event.position);
}
