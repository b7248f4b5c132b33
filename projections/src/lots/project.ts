/** Lots: born by events, changed by moves only. */
import { type Money, type NewLot, parseAmount } from '@tallystick/domain';
import type { ClientBase } from 'pg';
import type { Flow, Item } from '../item.ts';
import {
  type BatchContext,
  type Column,
  type Fold,
  insertRows,
  type ReadModel,
  unnest,
} from '../read-model.ts';
import { lotsDdl } from './table.ts';

interface Change {
  readonly account: string;
  readonly lot: string;
  free: bigint;
  pinned: bigint;
  paid: bigint;
}
interface Born extends Change {
  readonly marks: NewLot;
  readonly money: Money | undefined;
  readonly revision: number;
  readonly at: string;
}

export const lotsModel: ReadModel = {
  name: 'lots',
  tables: ['lots'],
  ddl: lotsDdl,
  fold: (batch) => new LotsFold(batch),
};

class LotsFold implements Fold {
  readonly #batch: BatchContext;
  readonly #born = new Map<string, Born>();
  readonly #changed = new Map<string, Change>();

  constructor(batch: BatchContext) {
    this.#batch = batch;
  }

  add({ category, id, revision, at, movement, facts, flows }: Item): void {
    if (category !== 'wallet' || movement === null) return;
    // Lots that a reversal brings back into the wallet's state have never left this table.
    for (const marks of movement.lots ?? []) {
      const money = facts?.lots?.[marks.lot];
      const born = {
        account: id,
        lot: marks.lot,
        free: 0n,
        pinned: 0n,
        paid: 0n,
        marks,
        money,
        revision,
        at,
      };
      this.#born.set(`${id} ${marks.lot}`, born);
      if (marks.expires_at !== null) this.#batch.dueAccounts.add(id);
    }
    for (const flow of flows) if (flow.lot !== undefined) this.#move(id, flow.lot, flow);
  }

  #move(account: string, lot: string, { from, to, credits, paid }: Flow): void {
    const change = this.#changeOf(account, lot);
    if (from === 'free') {
      change.free -= credits;
      change.paid -= paid;
    } else if (from.startsWith('hold:')) change.pinned -= credits;
    if (to === 'free') {
      change.free += credits;
      change.paid += paid;
      // It may be a lot with an expiry that had nothing free before.
      if (!this.#born.has(`${account} ${lot}`)) this.#batch.dueAccounts.add(account);
    } else if (to.startsWith('hold:') || to.startsWith('cover:')) change.pinned += credits;
  }

  #changeOf(account: string, lot: string): Change {
    const id = `${account} ${lot}`;
    const found = this.#born.get(id) ?? this.#changed.get(id);
    if (found !== undefined) return found;
    const change: Change = { account, lot, free: 0n, pinned: 0n, paid: 0n };
    this.#changed.set(id, change);
    return change;
  }

  async write(client: ClientBase): Promise<void> {
    const table = `${this.#batch.schema}.lots`;
    await insertRows(client, table, BORN, [...this.#born.values()]);
    const changed = [...this.#changed.values()];
    if (changed.length === 0) return;
    const { from, values } = unnest('d', CHANGED, changed);
    const { rows, rowCount } = await client.query<{ account: string; emptied: boolean }>(
      `update ${table} l set
         free = l.free + d.free, pinned = l.pinned + d.pinned, paid = l.paid + d.paid,
         open = l.free + d.free <> 0 or l.pinned + d.pinned <> 0
       from ${from}
       where l.account = d.account and l.lot = d.lot
       returning l.account, l.free = 0 and l.expires_at is not null as emptied`,
      values,
    );
    if (rowCount !== changed.length)
      throw new Error(`moved ${changed.length} lots, of which ${rowCount} exist`);
    for (const { account, emptied } of rows) if (emptied) this.#batch.dueAccounts.add(account);
  }
}

const CHANGED: readonly Column<Change>[] = [
  { name: 'account', type: 'text', of: (row) => row.account },
  { name: 'lot', type: 'text', of: (row) => row.lot },
  { name: 'free', type: 'bigint', of: (row) => row.free },
  { name: 'pinned', type: 'bigint', of: (row) => row.pinned },
  { name: 'paid', type: 'bigint', of: (row) => row.paid },
];
const BORN: readonly Column<Born>[] = [
  ...CHANGED,
  { name: 'open', type: 'boolean', of: (row) => row.free !== 0n || row.pinned !== 0n },
  { name: 'unit', type: 'text', of: ({ marks }) => marks.unit },
  { name: 'quantity', type: 'bigint', of: ({ marks }) => parseAmount(marks.quantity, marks.unit) },
  { name: 'priority', type: 'integer', of: ({ marks }) => marks.priority },
  { name: 'expires_at', type: 'timestamptz', of: ({ marks }) => marks.expires_at },
  { name: 'withdrawable', type: 'bigint', of: ({ marks }) => parseAmount(marks.withdrawable, marks.unit) },
  { name: 'origin_kind', type: 'text', of: ({ marks }) => marks.origin.kind },
  { name: 'origin_of', type: 'text', of: ({ marks }) => marks.origin.of },
  { name: 'origin_ref', type: 'text', of: ({ marks }) => marks.origin.ref },
  { name: 'born', type: 'bigint', of: (row) => row.revision },
  { name: 'created_at', type: 'timestamptz', of: (row) => row.at },
  { name: 'currency', type: 'text', of: ({ money }) => money?.currency ?? null },
  {
    name: 'paid_in_all',
    type: 'bigint',
    of: ({ money }) => (money === undefined ? 0n : parseAmount(money.amount, money.currency)),
  },
];
