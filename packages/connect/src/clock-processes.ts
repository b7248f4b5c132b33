/**
 * Which processes go by a clock that can be moved, and which offset each has taken. Whoever moves it waits for all that
 * live before anything is done at the new time: else one of them would still decide by the old one. A process that ends
 * in order takes its row away. Of one that was killed nothing is heard any more, and after `LIFE_SECONDS` it is not waited
 * for; a process that is only cut off serves nobody by then (`ageMs` of its clock).
 */
import { randomUUID } from 'node:crypto';
import { assertSchema, inTransaction } from '@tallystick/projections';
import type { Pool } from 'pg';

/** More than after how many seconds without its clock an API process refuses everyone. */
const LIFE_SECONDS = 12;

export interface ClockProcesses {
  /** A sign of life: this process has read the clock's stream to its head, and goes by this offset. */
  tell(offsetMs: number): Promise<void>;
  /** How many living processes go by a smaller offset, or have not read it yet. */
  countBehind(offsetMs: number): Promise<number>;
  leave(): Promise<void>;
}

/** Must end before the process reads the offset: whoever moves the clock after that waits for it. */
export async function joinClock(pool: Pool, namespace: string): Promise<ClockProcesses> {
  const schema = assertSchema(`${namespace}_clock`);
  const table = `"${schema}".processes`;
  const id = randomUUID();
  await inTransaction(pool, 'begin', async (client) => {
    // Two that come first at once would both make the schema.
    await client.query('select pg_advisory_xact_lock(hashtextextended($1, 0))', [
      `tallystick:clock:${schema}`,
    ]);
    await client.query(`create schema if not exists "${schema}"`);
    await client.query(
      `create table if not exists ${table} (
        id uuid primary key,
        -- Null until it has read it.
        offset_ms bigint,
        seen_at timestamptz not null default clock_timestamp()
      )`,
    );
    await client.query(`delete from ${table} where seen_at < clock_timestamp() - interval '1 hour'`);
    await client.query(`insert into ${table} (id) values ($1)`, [id]);
  });
  return {
    async tell(offsetMs) {
      // Its row may have been taken for dead while it stood still.
      await pool.query(
        `insert into ${table} (id, offset_ms) values ($1, $2)
         on conflict (id) do update set offset_ms = excluded.offset_ms, seen_at = clock_timestamp()`,
        [id, offsetMs],
      );
    },
    async countBehind(offsetMs) {
      const { rows } = await pool.query<{ behind: number }>(
        `select count(*)::int as behind from ${table}
         where coalesce(offset_ms, -1) < $1 and seen_at > clock_timestamp() - interval '${LIFE_SECONDS} s'`,
        [offsetMs],
      );
      return rows[0]?.behind ?? 0;
    },
    async leave() {
      await pool.query(`delete from ${table} where id = $1`, [id]);
    },
  };
}
