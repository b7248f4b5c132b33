/** Journal entries: inserted once; marked later where they are taken back or, parked for want of a price, charged. */
import type { ClientBase } from 'pg';
import type { Item } from '../item.ts';
import {
  type BatchContext,
  type Column,
  type Fold,
  insertRows,
  type ReadModel,
  unnest,
} from '../read-model.ts';
import { type EntryRow, entryOf } from './row.ts';
import { entriesDdl } from './table.ts';

interface Reversal {
  readonly stream: string;
  readonly reverses: number;
  readonly by: number;
}
interface Resolution {
  readonly stream: string;
  readonly usageId: string;
  readonly source: string;
  readonly by: number;
}

export const entriesModel: ReadModel = {
  name: 'entries',
  tables: ['entries'],
  ddl: entriesDdl,
  fold: (batch) => new EntriesFold(batch),
};

class EntriesFold implements Fold {
  readonly #table: string;
  readonly #rows: EntryRow[] = [];
  readonly #reversals: Reversal[] = [];
  readonly #resolutions: Resolution[] = [];

  constructor({ schema }: BatchContext) {
    this.#table = `${schema}.entries`;
  }

  add(item: Item): void {
    const row = entryOf(item);
    if (row === null) return;
    this.#rows.push(row);
    const { stream, revision, data, type } = row;
    if (type === 'EntryReversed' && data.reverses !== undefined) {
      this.#reversals.push({ stream, reverses: data.reverses, by: revision });
    }
    if (data.repriced !== undefined) {
      const { usage_id = '', source = '' } = data;
      this.#resolutions.push({ stream, usageId: usage_id, source, by: revision });
    }
  }

  /** The marks after the rows: what they mark may have come in the same batch. */
  async write(client: ClientBase): Promise<void> {
    await insertRows(client, this.#table, ENTRY, this.#rows);
    if (this.#reversals.length > 0) {
      const { from, values } = unnest('d', REVERSAL, this.#reversals);
      await client.query(
        `update ${this.#table} e set reversed_by = d.by_revision from ${from}
         where e.stream = d.stream and e.revision = d.reverses`,
        values,
      );
    }
    if (this.#resolutions.length > 0) {
      const { from, values } = unnest('d', RESOLUTION, this.#resolutions);
      await client.query(
        `update ${this.#table} e set resolved_by = d.by_revision from ${from}
         where e.stream = d.stream and e.usage_id = d.usage_id and e.source = d.source
           and e.type = 'UsageUnpriced' and e.resolved_by is null`,
        values,
      );
    }
  }
}

const ENTRY: readonly Column<EntryRow>[] = [
  { name: 'stream', type: 'text', of: (row) => row.stream },
  { name: 'revision', type: 'bigint', of: (row) => row.revision },
  { name: 'position', type: 'bigint', of: (row) => row.position },
  { name: 'recorded_at', type: 'timestamptz', of: (row) => row.at },
  { name: 'type', type: 'text', of: (row) => row.type },
  { name: 'available', type: 'bigint', of: (row) => row.available },
  { name: 'held', type: 'bigint', of: (row) => row.held },
  { name: 'after_available', type: 'bigint', of: (row) => row.afterAvailable },
  { name: 'after_held', type: 'bigint', of: (row) => row.afterHeld },
  { name: 'credits', type: 'bigint', of: (row) => row.credits },
  { name: 'usage_id', type: 'text', of: ({ data }) => data.usage_id ?? null },
  { name: 'source', type: 'text', of: ({ data }) => data.source ?? data.kind ?? null },
  { name: 'reference', type: 'text', of: ({ data }) => data.reference ?? null },
  { name: 'reason', type: 'text', of: ({ data }) => data.reason ?? null },
  { name: 'hold', type: 'text', of: ({ data }) => data.hold ?? null },
  { name: 'model', type: 'text', of: ({ data }) => data.model ?? null },
  { name: 'mode', type: 'text', of: ({ data }) => data.mode ?? null },
  { name: 'occurred_at', type: 'timestamptz', of: ({ data }) => data.occurred_at ?? null },
  {
    name: 'usage',
    type: 'text',
    of: ({ data }) => (data.usage === undefined ? null : JSON.stringify(data.usage)),
  },
  { name: 'lots', type: 'text', of: (row) => row.lots },
  { name: 'price_book', type: 'text', of: ({ data }) => data.price_book?.name ?? null },
  { name: 'price_book_version', type: 'integer', of: ({ data }) => data.price_book?.version ?? null },
  { name: 'late', type: 'boolean', of: ({ data }) => data.late ?? null },
  { name: 'repriced', type: 'text', of: ({ data }) => data.repriced ?? null },
  { name: 'quota', type: 'text', of: (row) => row.quota },
  { name: 'violations', type: 'text', of: ({ data }) => data.violations?.join(' ') ?? null },
  { name: 'supplier', type: 'text', of: (row) => row.supplier },
  { name: 'cost', type: 'bigint', of: (row) => row.cost },
  { name: 'cost_currency', type: 'text', of: (row) => row.costCurrency },
  { name: 'revenue', type: 'bigint', of: (row) => row.revenue },
  { name: 'revenue_currency', type: 'text', of: (row) => row.revenueCurrency },
  { name: 'reverses', type: 'bigint', of: ({ data }) => data.reverses ?? null },
  { name: 'postings', type: 'text', of: (row) => row.postings },
];
const REVERSAL: readonly Column<Reversal>[] = [
  { name: 'stream', type: 'text', of: (row) => row.stream },
  { name: 'reverses', type: 'bigint', of: (row) => row.reverses },
  { name: 'by_revision', type: 'bigint', of: (row) => row.by },
];
const RESOLUTION: readonly Column<Resolution>[] = [
  { name: 'stream', type: 'text', of: (row) => row.stream },
  { name: 'usage_id', type: 'text', of: (row) => row.usageId },
  { name: 'source', type: 'text', of: (row) => row.source },
  { name: 'by_revision', type: 'bigint', of: (row) => row.by },
];
