/** What the rows of platform totals and daily totals should be: sums of postings, by the partition that counts them. */
import type { AccountedEvent } from './accounted.ts';
import { type Cell, unitCell } from './cells.ts';

interface Total {
  readonly partition: number;
  readonly account: string;
  readonly unit: string;
  steps: bigint;
}

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

/** The sums of one part, as they go to whoever adds up those of all. */
export interface PlatformSum {
  readonly totals: readonly Readonly<Total>[];
  readonly days: readonly Readonly<Day>[];
}

const WALLETS = 'liabilities:wallets:';
const INCOME = 'income:usage:';
const EXPENSE = 'expenses:suppliers:';

export class PlatformSums {
  /** By account; of each there are few partitions and units. */
  readonly #totals = new Map<string, Total[]>();
  /** By day, then model. Every event asks for several: a key joined from all five names would cost more. */
  readonly #days = new Map<string, Map<string, Day[]>>();

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

  /** Adds what another part has come to. */
  merge({ totals, days }: PlatformSum): void {
    for (const { partition, account, unit, steps } of totals) this.#add(partition, account, unit, steps);
    for (const { partition, day, model, supplier, unit, calls, amount, cost } of days) {
      const row = this.#day(partition, day, model, supplier, unit);
      row.calls += calls;
      row.amount += amount;
      row.cost += cost;
    }
  }

  get sum(): PlatformSum {
    const days = [...this.#days.values()].flatMap((models) => [...models.values()].flat());
    return { totals: [...this.#totals.values()].flat(), days };
  }

  #add(partition: number, account: string, unit: string, steps: bigint): void {
    const totals = listOf(this.#totals, account);
    const total = totals.find((one) => one.unit === unit && one.partition === partition);
    if (total === undefined) totals.push({ partition, account, unit, steps });
    else total.steps += steps;
  }

  #day(partition: number, day: string, model: string, supplier: string, unit: string): Day {
    let models = this.#days.get(day);
    if (models === undefined) {
      models = new Map();
      this.#days.set(day, models);
    }
    const rows = listOf(models, model);
    let row = rows.find(
      (one) => one.unit === unit && one.supplier === supplier && one.partition === partition,
    );
    if (row === undefined) {
      row = { partition, day, model, supplier, unit, calls: 0, amount: 0n, cost: 0n };
      rows.push(row);
    }
    return row;
  }

  *totalRows(): Iterable<Cell[]> {
    for (const { partition, account, unit, steps } of this.sum.totals)
      yield [String(partition), account, unit, unitCell(steps, unit)];
  }

  *dayRows(): Iterable<Cell[]> {
    for (const { partition, day, model, supplier, unit, calls, amount, cost } of this.sum.days) {
      const amounts = [unitCell(amount, unit), unitCell(cost, unit)];
      yield [String(partition), day, model, supplier, unit, String(calls), ...amounts];
    }
  }
}

function listOf<T>(lists: Map<string, T[]>, name: string): T[] {
  let list = lists.get(name);
  if (list === undefined) {
    list = [];
    lists.set(name, list);
  }
  return list;
}
