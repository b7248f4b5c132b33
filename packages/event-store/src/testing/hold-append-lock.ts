/** Holds the lock that every append of a namespace needs, so that a test decides when a group goes on. */
import { setTimeout as pause } from 'node:timers/promises';
import pg from 'pg';
import { appendLockOf, schemaOf } from '../postgres-schema.ts';

export interface HeldLock {
  /** In a transaction that holds the lock: what it writes counts as another process's append. */
  readonly client: pg.Client;
  /** Resolves to the backend that waits for the lock, as soon as one does. */
  waiter(): Promise<number>;
  release(): Promise<void>;
}

export async function holdAppendLock(url: string, namespace: string): Promise<HeldLock> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  await client.query('begin');
  await client.query('select pg_advisory_xact_lock($1)', [appendLockOf(namespace)]);
  return {
    client,
    async waiter() {
      for (;;) {
        const { rows } = await client.query(
          `select pid from pg_stat_activity where application_name = $1 and wait_event_type = 'Lock'`,
          [`${schemaOf(namespace)}:append`],
        );
        if (rows[0]) return rows[0].pid;
        // Within a transaction the activity is a snapshot of the first look.
        await client.query('select pg_stat_clear_snapshot()');
        await pause(5);
      }
    },
    async release() {
      await client.query('commit');
      await client.end();
    },
  };
}
