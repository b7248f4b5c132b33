/** Daily totals, from the postings on usage income and supplier expense of whatever entry has them. */
import { CREDITS } from '@tallystick/domain';
import type { ClientBase } from 'pg';
import type { Item } from '../item.ts';
import { type BatchContext, type Column, type Fold, insertRows, type ReadModel } from '../read-model.ts';
import { dailyDdl } from './table.ts';

interface Day {
  readonly partition: number;
  readonly day: string;
  readonly model: string;
  readonly supplier: string;
  readonly unit: string;
  calls: number;
  amount: bigint;
  cost: bigint;
}

export const dailyModel: ReadModel = {
  name: 'daily',
  tables: ['daily_totals'],
  ddl: dailyDdl,
  fold: (batch) => new DailyFold(batch),
};

const INCOME = 'income:usage:';
const EXPENSE = 'expenses:suppliers:';

class DailyFold implements Fold {
  readonly #batch: BatchContext;
  readonly #days = new Map<string, Day>();

  constructor(batch: BatchContext) {
    this.#batch = batch;
  }

  add({ type, at, movement, facts, event, legs }: Item): void {
    if (movement === null || facts === null) return;
    const { model } = event.data as { model?: string };
    const { supplier } = facts as { supplier?: string | null };
    const day = at.slice(0, 10);
    if (type === 'UsageCharged') this.#of(day, model ?? '', supplier ?? '', CREDITS).calls += 1;
    for (const { account, unit, steps } of legs) {
      if (account.startsWith(INCOME)) {
        const sold = model ?? decodeURIComponent(account.slice(INCOME.length));
        this.#of(day, sold, supplier ?? '', unit).amount -= steps;
      } else if (account.startsWith(EXPENSE)) {
        const from = supplier ?? decodeURIComponent(account.slice(EXPENSE.length));
        this.#of(day, model ?? '', from, unit).cost += steps;
      }
    }
  }

  #of(day: string, model: string, supplier: string, unit: string): Day {
    // A line break is in none of them.
    const id = `${day}\n${model}\n${supplier}\n${unit}`;
    let row = this.#days.get(id);
    if (row === undefined) {
      row = { partition: this.#batch.partition, day, model, supplier, unit, calls: 0, amount: 0n, cost: 0n };
      this.#days.set(id, row);
    }
    return row;
  }

  async write(client: ClientBase): Promise<void> {
    await insertRows(
      client,
      `${this.#batch.schema}.daily_totals as t`,
      DAY,
      [...this.#days.values()],
      `on conflict (partition, day, model, supplier, unit) do update set
         calls = t.calls + excluded.calls, amount = t.amount + excluded.amount, cost = t.cost + excluded.cost`,
    );
  }
}

const DAY: readonly Column<Day>[] = [
  { name: 'partition', type: 'integer', of: (row) => row.partition },
  { name: 'day', type: 'date', of: (row) => row.day },
  { name: 'model', type: 'text', of: (row) => row.model },
  { name: 'supplier', type: 'text', of: (row) => row.supplier },
  { name: 'unit', type: 'text', of: (row) => row.unit },
  { name: 'calls', type: 'bigint', of: (row) => row.calls },
  { name: 'amount', type: 'numeric', of: (row) => row.amount },
  { name: 'cost', type: 'numeric', of: (row) => row.cost },
];
