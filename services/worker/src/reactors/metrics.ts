/** How many reactions wait for people: counted in the table, so every process tells the same. */
import { type Meter, nowAndThen } from '@tallystick/connect';
import type { Pool } from 'pg';

/** A scrape waits no longer; without an answer it is left out. */
const PATIENCE_MS = 1_000;
const FRESH_MS = 5_000;

export function measureSetAside(meter: Meter, pool: Pool, schema: string): void {
  const count = nowAndThen(() => countSetAside(pool, schema), FRESH_MS, PATIENCE_MS);
  meter.read(
    'gauge',
    'tallystick_reactions_set_aside',
    'Reactions to events that were not possible, and those that wait behind them.',
    count,
  );
}

export async function countSetAside(pool: Pool, schema: string): Promise<number> {
  const { rows } = await pool.query<{ count: string }>(`select count(*) from ${schema}.set_aside`);
  return Number(rows[0]?.count ?? 0);
}
