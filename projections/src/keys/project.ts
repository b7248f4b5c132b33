/** The key index. Of any category: it knows streams, revisions and keys, and nothing else (rule 30). */
import type { ClientBase } from 'pg';
import type { Item } from '../item.ts';
import { type BatchContext, type Column, type Fold, insertRows, type ReadModel } from '../read-model.ts';
import { keysDdl } from './table.ts';

interface Claim {
  readonly stream: string;
  readonly key: string;
  readonly revision: number;
}
interface Coverage {
  readonly stream: string;
  readonly revision: number;
}

export const keysModel: ReadModel = {
  name: 'keys',
  tables: ['stream_keys', 'key_coverage'],
  ddl: keysDdl,
  fold: (batch) => new KeysFold(batch),
};

class KeysFold implements Fold {
  readonly #schema: string;
  readonly #claims: Claim[] = [];
  readonly #coverage = new Map<string, number>();

  constructor({ schema }: BatchContext) {
    this.#schema = schema;
  }

  add({ stream, key, revision }: Item): void {
    if (key !== null) this.#claims.push({ stream, key, revision });
    this.#coverage.set(stream, revision);
  }

  /**
   * A key that is there already keeps its first event: without a store that enforces keys, two writers that break the
   * rules could claim one twice, and the first is the one that stands.
   */
  async write(client: ClientBase): Promise<void> {
    await insertRows(client, `${this.#schema}.stream_keys`, CLAIM, this.#claims, 'on conflict do nothing');
    await insertRows(
      client,
      `${this.#schema}.key_coverage`,
      COVERAGE,
      [...this.#coverage].map(([stream, revision]) => ({ stream, revision })),
      'on conflict (stream) do update set revision = excluded.revision',
    );
  }
}

const COVERAGE: readonly Column<Coverage>[] = [
  { name: 'stream', type: 'text', of: (row) => row.stream },
  { name: 'revision', type: 'bigint', of: (row) => row.revision },
];
const CLAIM: readonly Column<Claim>[] = [...COVERAGE, { name: 'key', type: 'text', of: (row) => row.key }];
