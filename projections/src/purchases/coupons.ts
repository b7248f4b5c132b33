/** Coupons as accounts have them. A saved one is a row until a purchase uses it or it is forgotten; each use is a row. */
import {
  type CouponApplied,
  type EntryReversed,
  type PurchaseClosed,
  type PurchaseOpened,
  parseCredits,
} from '@tallystick/domain';
import type { ClientBase } from 'pg';
import type { Item } from '../item.ts';
import { type BatchContext, type Column, type Fold, insertRows, unnest } from '../read-model.ts';

interface Row {
  readonly account: string;
  readonly code: string;
  readonly status: 'saved' | 'used';
  readonly purchase: string | null;
  readonly credits: bigint | null;
  readonly revision: number;
  readonly at: string;
}
interface Gone {
  readonly account: string;
  readonly code: string;
  readonly revision: number;
}
interface Freed {
  readonly account: string;
  readonly code: string;
  readonly purchase: string;
  readonly at: string;
}

export class CouponRows implements Fold {
  readonly #table: string;
  readonly #rows: Row[] = [];
  /** Saved rows that are older end. */
  readonly #gone: Gone[] = [];
  readonly #freed: Freed[] = [];

  constructor({ schema }: BatchContext) {
    this.#table = `${schema}.account_coupons`;
  }

  add({ id: account, type, event, revision, at }: Item): void {
    switch (type) {
      case 'CouponApplied': {
        const { code, effect, credits } = event.data as CouponApplied;
        const status = effect === 'granted' ? 'used' : 'saved';
        const worth = credits === undefined ? null : parseCredits(credits);
        this.#rows.push({ account, code, status, purchase: null, credits: worth, revision, at });
        if (effect === 'granted') this.#gone.push({ account, code, revision });
        return;
      }
      case 'CouponForgotten':
        this.#gone.push({ account, code: (event.data as { code: string }).code, revision });
        return;
      case 'PurchaseOpened': {
        const { coupon, id: purchase } = (event.data as PurchaseOpened).purchase;
        if (coupon === null) return;
        const { code } = coupon;
        this.#rows.push({ account, code, status: 'used', purchase, credits: null, revision, at });
        this.#gone.push({ account, code, revision });
        return;
      }
      case 'PurchaseClosed': {
        const { purchase, coupon } = event.data as PurchaseClosed;
        if (coupon !== undefined) this.#freed.push({ account, code: coupon, purchase, at });
        return;
      }
      case 'EntryReversed': {
        const { frees_coupon: freed } = event.data as EntryReversed;
        if (freed !== undefined) this.#freed.push({ account, ...freed, at });
      }
    }
  }

  async write(client: ClientBase): Promise<void> {
    await insertRows(client, this.#table, ROWS, this.#rows);
    if (this.#gone.length > 0) {
      const { from, values } = unnest('d', GONE, this.#gone);
      await client.query(
        `delete from ${this.#table} c using ${from}
         where c.account = d.account and c.code = d.code and c.status = 'saved' and c.born < d.born`,
        values,
      );
    }
    if (this.#freed.length === 0) return;
    const { from, values } = unnest('d', FREED, this.#freed);
    await client.query(
      `update ${this.#table} c set status = 'freed', freed_at = d.at from ${from}
       where c.account = d.account and c.code = d.code and c.purchase = d.purchase`,
      values,
    );
  }
}

const ROWS: readonly Column<Row>[] = [
  { name: 'account', type: 'text', of: (row) => row.account },
  { name: 'born', type: 'bigint', of: (row) => row.revision },
  { name: 'code', type: 'text', of: (row) => row.code },
  { name: 'status', type: 'text', of: (row) => row.status },
  { name: 'purchase', type: 'text', of: (row) => row.purchase },
  { name: 'credits', type: 'bigint', of: (row) => row.credits },
  { name: 'at', type: 'timestamptz', of: (row) => row.at },
];
const GONE: readonly Column<Gone>[] = [
  { name: 'account', type: 'text', of: (row) => row.account },
  { name: 'code', type: 'text', of: (row) => row.code },
  { name: 'born', type: 'bigint', of: (row) => row.revision },
];
const FREED: readonly Column<Freed>[] = [
  { name: 'account', type: 'text', of: (row) => row.account },
  { name: 'code', type: 'text', of: (row) => row.code },
  { name: 'purchase', type: 'text', of: (row) => row.purchase },
  { name: 'at', type: 'timestamptz', of: (row) => row.at },
];
