/** Totals of the platform's accounts. Wallets are left out: their balances come by moves, which the trial balance checks. */
import type { ClientBase } from 'pg';
import type { Item } from '../item.ts';
import { type BatchContext, type Column, type Fold, insertRows, type ReadModel } from '../read-model.ts';
import { totalsDdl } from './table.ts';

interface Total {
  readonly partition: number;
  readonly account: string;
  readonly unit: string;
  balance: bigint;
}

export const totalsModel: ReadModel = {
  name: 'totals',
  tables: ['platform_totals'],
  ddl: totalsDdl,
  fold: (batch) => new TotalsFold(batch),
};

class TotalsFold implements Fold {
  readonly #batch: BatchContext;
  readonly #totals = new Map<string, Total>();

  constructor(batch: BatchContext) {
    this.#batch = batch;
  }

  add({ legs }: Item): void {
    for (const { account, unit, steps } of legs) {
      if (account.startsWith('liabilities:wallets:')) continue;
      const id = `${account} ${unit}`;
      const total = this.#totals.get(id);
      if (total !== undefined) total.balance += steps;
      else this.#totals.set(id, { partition: this.#batch.partition, account, unit, balance: steps });
    }
  }

  async write(client: ClientBase): Promise<void> {
    await insertRows(
      client,
      `${this.#batch.schema}.platform_totals as t`,
      TOTAL,
      [...this.#totals.values()],
      'on conflict (partition, account, unit) do update set balance = t.balance + excluded.balance',
    );
  }
}

const TOTAL: readonly Column<Total>[] = [
  { name: 'partition', type: 'integer', of: (row) => row.partition },
  { name: 'account', type: 'text', of: (row) => row.account },
  { name: 'unit', type: 'text', of: (row) => row.unit },
  { name: 'balance', type: 'numeric', of: (row) => row.balance },
];
