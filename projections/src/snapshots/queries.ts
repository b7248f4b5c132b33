/** Reads snapshots for the runner's cold loads. */
import type { SnapshotReader } from '@tallystick/event-store';
import type { Pool } from 'pg';
import { quoted } from '../schema.ts';

export function createSnapshotReader(pool: Pool, schema: string): SnapshotReader {
  return {
    async read(stream, foldVersion) {
      const { rows } = await pool.query<{ revision: string; hash: string; state: string }>({
        name: `${schema}:snapshot`,
        text: `select revision, hash, state from ${quoted(schema)}.snapshots where stream = $1 and fold_version = $2`,
        values: [stream, foldVersion],
      });
      const [row] = rows;
      return row === undefined ? null : { revision: Number(row.revision), hash: row.hash, state: row.state };
    },
  };
}
