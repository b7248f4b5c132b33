/** What holds have of quotas: by their moves only. A row ends with what it says. */
import type { ClientBase } from 'pg';
import type { Item } from '../item.ts';
import { type BatchContext, type Column, type Fold, insertRows, unnest } from '../read-model.ts';

interface QuotaPin {
  readonly account: string;
  readonly hold: string;
  readonly quota: string;
  quantity: bigint;
}

export class QuotaPinRows implements Fold {
  readonly #table: string;
  readonly #changes = new Map<string, QuotaPin>();

  constructor({ schema }: BatchContext) {
    this.#table = `${schema}.quota_pins`;
  }

  add({ id: account, movement }: Item): void {
    if (movement?.quotas === undefined) return;
    for (const { quota, from, to, quantity } of movement.quotas.moves) {
      if (from.startsWith('hold:')) this.#shift(account, from.slice(5), quota, -BigInt(quantity));
      if (to.startsWith('hold:')) this.#shift(account, to.slice(5), quota, BigInt(quantity));
    }
  }

  #shift(account: string, hold: string, quota: string, quantity: bigint): void {
    const id = `${account} ${hold} ${quota}`;
    const found = this.#changes.get(id);
    if (found === undefined) this.#changes.set(id, { account, hold, quota, quantity });
    else found.quantity += quantity;
  }

  async write(client: ClientBase): Promise<void> {
    // What was pinned and let go within the batch has never been there.
    const rows = [...this.#changes.values()].filter(({ quantity }) => quantity !== 0n);
    await insertRows(
      client,
      `${this.#table} as p`,
      COLUMNS,
      rows,
      'on conflict (account, hold, quota) do update set quantity = p.quantity + excluded.quantity',
    );
    const lowered = rows.filter(({ quantity }) => quantity < 0n);
    if (lowered.length === 0) return;
    const { from, values } = unnest('d', COLUMNS.slice(0, 3), lowered);
    await client.query(
      `delete from ${this.#table} p using ${from}
       where p.account = d.account and p.hold = d.hold and p.quota = d.quota and p.quantity = 0`,
      values,
    );
  }
}

const COLUMNS: readonly Column<QuotaPin>[] = [
  { name: 'account', type: 'text', of: (row) => row.account },
  { name: 'hold', type: 'text', of: (row) => row.hold },
  { name: 'quota', type: 'text', of: (row) => row.quota },
  { name: 'quantity', type: 'bigint', of: (row) => row.quantity },
];
