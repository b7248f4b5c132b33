/** Purchases: opened, then paid or canceled; a paid one may be taken back. */
import {
  type EntryReversed,
  type Purchase,
  type PurchaseClosed,
  type PurchaseOpened,
  type PurchasePaid,
  parseAmount,
  parseCredits,
} from '@tallystick/domain';
import type { ClientBase } from 'pg';
import type { Item } from '../item.ts';
import { type BatchContext, type Column, type Fold, insertRows, unnest } from '../read-model.ts';

interface Opened {
  readonly account: string;
  readonly purchase: Purchase;
  readonly revision: number;
  readonly at: string;
}
interface Ended {
  readonly account: string;
  readonly purchase: string;
  readonly status: 'paid' | 'canceled';
  readonly lot: string | null;
  readonly entry: number | null;
  readonly at: string;
}
interface Reversed {
  readonly account: string;
  readonly entry: number;
  readonly at: string;
}

export class PurchaseRows implements Fold {
  readonly #table: string;
  readonly #opened: Opened[] = [];
  readonly #ended: Ended[] = [];
  readonly #reversed: Reversed[] = [];

  constructor({ schema }: BatchContext) {
    this.#table = `${schema}.purchases`;
  }

  add({ id: account, type, event, revision, at }: Item): void {
    switch (type) {
      case 'PurchaseOpened': {
        const { purchase } = event.data as PurchaseOpened;
        this.#opened.push({ account, purchase, revision, at });
        return;
      }
      case 'PurchasePaid': {
        const { purchase, lot } = event.data as PurchasePaid;
        this.#ended.push({ account, purchase: purchase.id, status: 'paid', lot, entry: revision, at });
        return;
      }
      case 'PurchaseClosed': {
        // What was paid has been told by the payment.
        const { purchase, by } = event.data as PurchaseClosed;
        if (by === 'canceled')
          this.#ended.push({ account, purchase, status: by, lot: null, entry: null, at });
        return;
      }
      case 'EntryReversed': {
        const { reverses, reversed_type } = event.data as EntryReversed;
        if (reversed_type === 'PurchasePaid') this.#reversed.push({ account, entry: reverses, at });
      }
    }
  }

  async write(client: ClientBase): Promise<void> {
    await insertRows(client, this.#table, OPENED, this.#opened);
    if (this.#ended.length > 0) {
      const { from, values } = unnest('d', ENDED, this.#ended);
      const { rowCount } = await client.query(
        `update ${this.#table} p set status = d.status, lot = d.lot, entry = d.entry, closed_at = d.at
         from ${from} where p.account = d.account and p.purchase = d.purchase`,
        values,
      );
      if (rowCount !== this.#ended.length)
        throw new Error(`${this.#ended.length} purchases ended, of which ${rowCount} exist`);
    }
    if (this.#reversed.length === 0) return;
    const { from, values } = unnest('d', REVERSED, this.#reversed);
    await client.query(
      `update ${this.#table} p set reversed_at = d.at from ${from}
       where p.account = d.account and p.entry = d.entry`,
      values,
    );
  }
}

const money = (of: (purchase: Purchase) => Purchase['total']): ((row: Opened) => bigint) => {
  return ({ purchase }) => parseAmount(of(purchase).amount, of(purchase).currency);
};

const OPENED: readonly Column<Opened>[] = [
  { name: 'account', type: 'text', of: (row) => row.account },
  { name: 'purchase', type: 'text', of: ({ purchase }) => purchase.id },
  { name: 'package', type: 'text', of: ({ purchase }) => purchase.package.id },
  { name: 'package_version', type: 'integer', of: ({ purchase }) => purchase.package.version },
  { name: 'credits', type: 'bigint', of: ({ purchase }) => parseCredits(purchase.credits) },
  { name: 'bonus', type: 'bigint', of: ({ purchase }) => parseCredits(purchase.bonus) },
  { name: 'currency', type: 'text', of: ({ purchase }) => purchase.total.currency },
  { name: 'price', type: 'bigint', of: money(({ price }) => price) },
  { name: 'discount', type: 'bigint', of: money(({ discount }) => discount) },
  { name: 'total', type: 'bigint', of: money(({ total }) => total) },
  { name: 'coupon', type: 'text', of: ({ purchase }) => purchase.coupon?.code ?? null },
  { name: 'auto_top_up', type: 'text', of: ({ purchase }) => purchase.auto_top_up ?? null },
  { name: 'status', type: 'text', of: () => 'pending' },
  { name: 'born', type: 'bigint', of: (row) => row.revision },
  { name: 'opened_at', type: 'timestamptz', of: (row) => row.at },
];
const ENDED: readonly Column<Ended>[] = [
  { name: 'account', type: 'text', of: (row) => row.account },
  { name: 'purchase', type: 'text', of: (row) => row.purchase },
  { name: 'status', type: 'text', of: (row) => row.status },
  { name: 'lot', type: 'text', of: (row) => row.lot },
  { name: 'entry', type: 'bigint', of: (row) => row.entry },
  { name: 'at', type: 'timestamptz', of: (row) => row.at },
];
const REVERSED: readonly Column<Reversed>[] = [
  { name: 'account', type: 'text', of: (row) => row.account },
  { name: 'entry', type: 'bigint', of: (row) => row.entry },
  { name: 'at', type: 'timestamptz', of: (row) => row.at },
];
