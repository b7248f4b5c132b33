/** Seals: one in a minute or so, each with up to a thousand ranges. */
import type { LedgerSealed } from '@tallystick/domain';
import { hashOf, internalDigest } from '@tallystick/event-store';
import type { ClientBase } from 'pg';
import type { Item } from '../item.ts';
import { type BatchContext, type Column, type Fold, insertRows, type ReadModel } from '../read-model.ts';
import { sealsDdl } from './table.ts';

interface Seal {
  readonly at: string;
  readonly hash: string;
  readonly text: string;
  readonly internal: string;
  readonly data: LedgerSealed['data'];
}
interface SealedRange {
  readonly stream: string;
  readonly from: number;
  readonly to: number;
  readonly seal: number;
}

export const sealsModel: ReadModel = {
  name: 'seals',
  tables: ['seals', 'sealed_ranges'],
  ddl: sealsDdl,
  fold: (batch) => new SealsFold(batch),
};

class SealsFold implements Fold {
  readonly #schema: string;
  readonly #seals: Seal[] = [];
  readonly #ranges: SealedRange[] = [];

  constructor({ schema }: BatchContext) {
    this.#schema = schema;
  }

  add({ category, at, event, recorded }: Item): void {
    if (category !== 'seal') return;
    const { data, facts } = event as LedgerSealed;
    const internal = internalDigest(recorded);
    this.#seals.push({ at, hash: hashOf(recorded), text: recorded.data, internal, data });
    for (const [stream, from, to] of facts.ranges) this.#ranges.push({ stream, from, to, seal: data.number });
  }

  async write(client: ClientBase): Promise<void> {
    await insertRows(client, `${this.#schema}.seals`, SEAL, this.#seals);
    await insertRows(client, `${this.#schema}.sealed_ranges`, RANGE, this.#ranges);
  }
}

const SEAL: readonly Column<Seal>[] = [
  { name: 'number', type: 'bigint', of: ({ data }) => data.number },
  { name: 'recorded_at', type: 'timestamptz', of: ({ at }) => at },
  { name: 'root', type: 'text', of: ({ data }) => data.root },
  { name: 'hash', type: 'text', of: ({ hash }) => hash },
  { name: 'events', type: 'bigint', of: ({ data }) => data.events },
  { name: 'ranges', type: 'bigint', of: ({ data }) => data.ranges },
  { name: 'data', type: 'text', of: ({ text }) => text },
  { name: 'internal', type: 'text', of: ({ internal }) => internal },
];
const RANGE: readonly Column<SealedRange>[] = [
  { name: 'stream', type: 'text', of: ({ stream }) => stream },
  { name: 'to_revision', type: 'bigint', of: ({ to }) => to },
  { name: 'from_revision', type: 'bigint', of: ({ from }) => from },
  { name: 'seal', type: 'bigint', of: ({ seal }) => seal },
];
