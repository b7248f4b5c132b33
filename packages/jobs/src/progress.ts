/** How far a running job is, as its handler told. In Postgres, because pg-boss has no place for it. */
import type { Progress } from './port.ts';
import type { Tables } from './schema.ts';

export async function tellProgress(
  { pool, schema }: Tables,
  id: string,
  done: number,
  total: number,
): Promise<void> {
  await pool.query(
    `insert into ${schema}.progress values ($1, $2, $3, now())
    on conflict (id) do update set done = excluded.done, total = excluded.total, at = excluded.at`,
    [id, Math.trunc(done), Math.trunc(total)],
  );
}

export async function readProgress({ pool, schema }: Tables, id: string): Promise<Progress | null> {
  const { rows } = await pool.query<{ done: string; total: string; at: Date }>(
    `select done, total, at from ${schema}.progress where id = $1`,
    [id],
  );
  const [row] = rows;
  return row === undefined
    ? null
    : { done: Number(row.done), total: Number(row.total), at: row.at.getTime() };
}

export async function forgetProgress({ pool, schema }: Tables, id: string): Promise<void> {
  await pool.query(`delete from ${schema}.progress where id = $1`, [id]);
}
