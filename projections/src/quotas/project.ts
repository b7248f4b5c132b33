/** Quotas: born by events, changed by moves only, as lots are. */
import {
  type Money,
  type NewQuota,
  parseAmount,
  type QuotaMovement,
  type QuotaPlace,
} from '@tallystick/domain';
import type { ClientBase } from 'pg';
import { ANY_CURRENCY, type Item } from '../item.ts';
import {
  type BatchContext,
  type Column,
  type Fold,
  insertRows,
  type ReadModel,
  unnest,
} from '../read-model.ts';
import { quotasDdl } from './table.ts';

interface Change {
  readonly account: string;
  readonly quota: string;
  granted: bigint;
  free: bigint;
  pinned: bigint;
  used: bigint;
  expired: bigint;
  paid: bigint;
}
interface Born extends Change {
  readonly marks: NewQuota;
  readonly money: Money | undefined;
  readonly revision: number;
  readonly at: string;
}

export const quotasModel: ReadModel = {
  name: 'quotas',
  tables: ['quotas'],
  ddl: quotasDdl,
  fold: (batch) => new QuotasFold(batch),
};

class QuotasFold implements Fold {
  readonly #batch: BatchContext;
  readonly #born = new Map<string, Born>();
  readonly #changed = new Map<string, Change>();

  constructor(batch: BatchContext) {
    this.#batch = batch;
  }

  add({ category, id, revision, at, movement, facts }: Item): void {
    const quotas = movement?.quotas;
    if (category !== 'wallet' || quotas === undefined) return;
    for (const marks of quotas.granted ?? []) {
      const money = facts?.quotas?.granted?.[marks.quota];
      this.#born.set(`${id} ${marks.quota}`, { ...nothing(id, marks.quota), marks, money, revision, at });
      this.#batch.dueAccounts.add(id);
    }
    this.#moveAll(id, quotas, facts?.quotas?.paid ?? []);
  }

  #moveAll(account: string, { moves }: QuotaMovement, paid: readonly string[]): void {
    moves.forEach(({ quota, from, to, quantity }, index) => {
      const money = paid[index] ?? '0';
      const change = this.#changeOf(account, quota);
      const steps = money === '0' ? 0n : parseAmount(money, ANY_CURRENCY);
      shift(change, from, -BigInt(quantity), -steps);
      shift(change, to, BigInt(quantity), steps);
      // What comes back into it may fall due where nothing did before.
      if (to === 'free') this.#batch.dueAccounts.add(account);
    });
  }

  #changeOf(account: string, quota: string): Change {
    const id = `${account} ${quota}`;
    const found = this.#born.get(id) ?? this.#changed.get(id);
    if (found !== undefined) return found;
    const change = nothing(account, quota);
    this.#changed.set(id, change);
    return change;
  }

  async write(client: ClientBase): Promise<void> {
    const table = `${this.#batch.schema}.quotas`;
    await insertRows(client, table, BORN, [...this.#born.values()]);
    const changed = [...this.#changed.values()];
    if (changed.length === 0) return;
    const { from, values } = unnest('d', CHANGED, changed);
    const sums = SUMS.map((name) => `${name} = q.${name} + d.${name}`).join(', ');
    const { rows, rowCount } = await client.query<{ account: string; emptied: boolean }>(
      `update ${table} q set ${sums}, open = q.free + d.free <> 0 or q.pinned + d.pinned <> 0
       from ${from} where q.account = d.account and q.quota = d.quota
       returning q.account, q.free = 0 or q.pinned = 0 as emptied`,
      values,
    );
    if (rowCount !== changed.length)
      throw new Error(`moved ${changed.length} quotas, of which ${rowCount} exist`);
    for (const { account, emptied } of rows) if (emptied) this.#batch.dueAccounts.add(account);
  }
}

function nothing(account: string, quota: string): Change {
  return { account, quota, granted: 0n, free: 0n, pinned: 0n, used: 0n, expired: 0n, paid: 0n };
}

/** Money stands behind what is free; what left it is in the entry. */
function shift(change: Change, place: QuotaPlace, quantity: bigint, paid: bigint): void {
  switch (place) {
    case 'granted':
      change.granted -= quantity;
      return;
    case 'free':
      change.free += quantity;
      change.paid += paid;
      return;
    case 'used':
      change.used += quantity;
      return;
    case 'expired':
      change.expired += quantity;
      return;
    default:
      change.pinned += quantity;
  }
}

const SUMS = ['granted', 'free', 'pinned', 'used', 'expired', 'paid'] as const;

const CHANGED: readonly Column<Change>[] = [
  { name: 'account', type: 'text', of: (row) => row.account },
  { name: 'quota', type: 'text', of: (row) => row.quota },
  ...SUMS.map((name): Column<Change> => ({ name, type: 'bigint', of: (row) => row[name] })),
];
const BORN: readonly Column<Born>[] = [
  ...CHANGED,
  { name: 'open', type: 'boolean', of: (row) => row.free !== 0n || row.pinned !== 0n },
  { name: 'unit', type: 'text', of: ({ marks }) => marks.unit },
  { name: 'model', type: 'text', of: ({ marks }) => marks.model },
  { name: 'starts_at', type: 'timestamptz', of: ({ marks }) => marks.starts_at },
  { name: 'expires_at', type: 'timestamptz', of: ({ marks }) => marks.expires_at },
  {
    name: 'counted_dimensions',
    type: 'text',
    of: ({ marks }) => (marks.counted_dimensions === undefined ? null : marks.counted_dimensions.join(',')),
  },
  { name: 'origin', type: 'text', of: ({ marks }) => JSON.stringify(marks.origin) },
  {
    name: 'subscription',
    type: 'text',
    of: ({ marks: { origin } }) => (origin.kind === 'plan' ? origin.subscription : null),
  },
  {
    name: 'line',
    type: 'integer',
    of: ({ marks: { origin } }) => (origin.kind === 'plan' ? origin.line : null),
  },
  { name: 'born', type: 'bigint', of: (row) => row.revision },
  { name: 'created_at', type: 'timestamptz', of: (row) => row.at },
  { name: 'currency', type: 'text', of: ({ money }) => money?.currency ?? null },
  {
    name: 'paid_in_all',
    type: 'bigint',
    of: ({ money }) => (money === undefined ? 0n : parseAmount(money.amount, money.currency)),
  },
];
