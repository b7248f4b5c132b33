/** Jobs that failed for good, in a table of ours: in an engine their ids would block the same fact for ever. */
import type { Envelope } from './engine.ts';
import type { DeadLetter, Job } from './port.ts';
import type { Tables } from './schema.ts';

interface Row {
  readonly queue: string;
  readonly fact: string;
  readonly round: string;
  readonly data: string;
  readonly error: string;
  readonly attempts: number;
  readonly deaths: number;
  readonly first_died_at: Date;
  readonly died_at: Date;
}

const LIST_MAX = 1_000;
const ERROR_CHARACTERS_MAX = 4_000;

/** Another death of the same fact is told in the same letter. */
export async function bury(
  { pool, schema }: Tables,
  queue: string,
  { fact, round, data }: Envelope,
  attempts: number,
  error: unknown,
): Promise<void> {
  await pool.query(
    `insert into ${schema}.dead_letters as was values ($1, $2, $3, $4, $5, $6, 1, now(), now())
    on conflict (queue, fact) do update set round = excluded.round, data = excluded.data, error = excluded.error,
      attempts = excluded.attempts, deaths = was.deaths + 1, died_at = now()`,
    [queue, fact, round, JSON.stringify(data), textOf(error), attempts],
  );
}

/** @returns whether there was a letter */
export async function unbury({ pool, schema }: Tables, queue: string, fact: string): Promise<boolean> {
  const { rowCount } = await pool.query(`delete from ${schema}.dead_letters where queue = $1 and fact = $2`, [
    queue,
    fact,
  ]);
  return rowCount === 1;
}

export async function countLetters({ pool, schema }: Tables, queue: string): Promise<number> {
  const { rows } = await pool.query<{ count: string }>(
    `select count(*) from ${schema}.dead_letters where queue = $1`,
    [queue],
  );
  return Number(rows[0]?.count ?? 0);
}

export async function listLetters(
  { pool, schema }: Tables,
  { queue = null, limit = 100 }: { readonly queue?: string | null; readonly limit?: number } = {},
): Promise<readonly DeadLetter[]> {
  const { rows } = await pool.query<Row>(
    `select * from ${schema}.dead_letters where $1::text is null or queue = $1
    order by died_at desc, queue, fact limit $2`,
    [queue, Math.min(limit, LIST_MAX)],
  );
  return rows.map(letterOf);
}

export async function findLetters(
  { pool, schema }: Tables,
  queue: string,
  facts: readonly string[],
): Promise<readonly DeadLetter[]> {
  if (facts.length === 0) return [];
  const { rows } = await pool.query<Row>(
    `select * from ${schema}.dead_letters where queue = $1 and fact = any ($2)`,
    [queue, facts],
  );
  return rows.map(letterOf);
}

const letterOf = (row: Row): DeadLetter => ({
  queue: row.queue,
  fact: row.fact,
  round: row.round,
  data: JSON.parse(row.data),
  error: row.error,
  attempts: row.attempts,
  deaths: row.deaths,
  firstDiedAt: row.first_died_at.getTime(),
  diedAt: row.died_at.getTime(),
});

/** The job of a letter, in a round that no job of the fact has had. The letter stays until the job is done. */
export async function jobOfLetter(
  { pool, schema }: Tables,
  queue: string,
  fact: string,
): Promise<Job | null> {
  const { rows } = await pool.query<Pick<Row, 'data' | 'deaths'>>(
    `select data, deaths from ${schema}.dead_letters where queue = $1 and fact = $2`,
    [queue, fact],
  );
  const [row] = rows;
  return row === undefined ? null : { fact, data: JSON.parse(row.data), round: `again:${row.deaths}` };
}

/** Postgres stores no NUL, and nobody reads a megabyte. */
function textOf(error: unknown): string {
  const text = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
  return text.replaceAll('\0', '').slice(0, ERROR_CHARACTERS_MAX);
}
