/** What the rows of platform totals and daily totals should be: sums of postings, by the partition that counts them. */
import type { AccountedEvent } from './accounted.ts';
import { type Cell, unitCell } from './cells.ts';

interface Total {
  readonly partition: number;
  readonly unit: string;
  steps: bigint;
}

interface Day {
  readonly partition: number;
  readonly names: readonly [day: string, model: string, supplier: string, unit: string];
  calls: number;
  amount: bigint;
  cost: bigint;
}

const WALLETS = 'liabilities:wallets:';
const INCOME = 'income:usage:';
const EXPENSE = 'expenses:suppliers:';

export class PlatformSums {
  /** By account, then partition and unit. */
  readonly #totals = new Map<string, Total[]>();
  readonly #days = new Map<string, Day>();

  add(event: AccountedEvent, partition: number): void {
    const { model } = event.data as { model?: string };
    const { supplier } = event.facts as { supplier?: string | null };
    const day = event.recordedAt.slice(0, 10);
    if (event.type === 'UsageCharged')
      this.#day(partition, day, model ?? '', supplier ?? '', 'credits').calls += 1;
    for (const { account, unit, steps } of event.legs) {
      if (account.startsWith(WALLETS)) continue;
      this.#add(partition, account, unit, steps);
      if (account.startsWith(INCOME)) {
        const sold = model ?? decodeURIComponent(account.slice(INCOME.length));
        this.#day(partition, day, sold, supplier ?? '', unit).amount -= steps;
      } else if (account.startsWith(EXPENSE)) {
        const from = supplier ?? decodeURIComponent(account.slice(EXPENSE.length));
        this.#day(partition, day, model ?? '', from, unit).cost += steps;
      }
    }
  }

  #add(partition: number, account: string, unit: string, steps: bigint): void {
    let totals = this.#totals.get(account);
    if (totals === undefined) {
      totals = [];
      this.#totals.set(account, totals);
    }
    const total = totals.find((one) => one.unit === unit && one.partition === partition);
    if (total === undefined) totals.push({ partition, unit, steps });
    else total.steps += steps;
  }

  #day(partition: number, day: string, model: string, supplier: string, unit: string): Day {
    const id = `${partition}\n${day}\n${model}\n${supplier}\n${unit}`;
    let row = this.#days.get(id);
    if (row === undefined) {
      row = { partition, names: [day, model, supplier, unit], calls: 0, amount: 0n, cost: 0n };
      this.#days.set(id, row);
    }
    return row;
  }

  *totalRows(): Iterable<Cell[]> {
    for (const [account, totals] of this.#totals)
      for (const { partition, unit, steps } of totals)
        yield [String(partition), account, unit, unitCell(steps, unit)];
  }

  *dayRows(): Iterable<Cell[]> {
    for (const { partition, names, calls, amount, cost } of this.#days.values()) {
      const unit = names[3];
      yield [String(partition), ...names, String(calls), unitCell(amount, unit), unitCell(cost, unit)];
    }
  }
}
