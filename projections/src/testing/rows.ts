/** Everything that a schema of read models holds, to be compared row by row. */
import type { Pool } from 'pg';
import { modelsFor } from '../models.ts';
import { quoted } from '../schema.ts';

export async function allRows(pool: Pool, schema: string): Promise<Record<string, unknown[]>> {
  const tables = [...modelsFor(false).flatMap((model) => model.tables), 'snapshots'];
  const all: Record<string, unknown[]> = {};
  for (const table of tables) {
    const { rows } = await pool.query<{ row: unknown }>(
      `select to_jsonb(t) as row from ${quoted(schema)}.${table} t order by to_jsonb(t)::text collate "C"`,
    );
    all[table] = rows.map(({ row }) => row);
  }
  return all;
}
