/**
 * How far what follows the events is behind them: the age of the first event that it has not come to. Asked of the
 * checkpoint, so every process tells the same, whichever is at work, and whether or not any is.
 */
import { type Meter, nowAndThen } from '@tallystick/connect';
import { decodeEvent, type EventStore } from '@tallystick/event-store';
import type { Pool } from 'pg';

export interface Follower {
  readonly name: string;
  /** Quoted; with a table `checkpoint`, of one row, that has a `cursor`. */
  readonly schema: string;
  readonly categories: readonly string[];
}

export interface LagParts {
  readonly store: Pick<EventStore, 'readAll'>;
  readonly pool: Pool;
  /** The ledger's clock: when an event was recorded goes by it. */
  readonly now: () => number;
}

/** A scrape waits no longer; without an answer a lag is left out of it. */
const PATIENCE_MS = 1_000;
const FRESH_MS = 5_000;

export function measureLags(meter: Meter, parts: LagParts, followers: readonly Follower[]): void {
  const lags = followers.map(
    (follower) => [follower.name, nowAndThen(() => lagOf(parts, follower), FRESH_MS, PATIENCE_MS)] as const,
  );
  meter.read(
    'gauge',
    'tallystick_follower_lag_seconds',
    'Age of the oldest event that webhooks, or reactions, have not come to yet.',
    async () => {
      const read = await Promise.all(
        lags.map(async ([follower, lag]) => [{ follower }, await lag()] as const),
      );
      return read.flatMap(([labels, lag]) => (lag === null ? [] : [[labels, lag / 1_000] as const]));
    },
    ['follower'],
  );
}

/** In milliseconds; 0 where it has come to every event. */
export async function lagOf(
  { store, pool, now }: LagParts,
  { schema, categories }: Follower,
): Promise<number> {
  const { rows } = await pool.query<{ cursor: string | null }>(`select cursor from ${schema}.checkpoint`);
  const [checkpoint] = rows;
  if (checkpoint === undefined) throw new Error(`${schema} has no checkpoint`);
  const { events } = await store.readAll({ after: checkpoint.cursor, limit: 1, categories });
  const [next] = events;
  return next === undefined ? 0 : Math.max(0, now() - decodeEvent(next).recordedAt);
}
