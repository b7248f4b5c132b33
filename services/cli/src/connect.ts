/** From settings to what a rebuild needs: the store to read, and a database to write to. Claims nothing of either. */
import { resolve } from 'node:path';
import { openDatabase, openStore, parseSettings } from '@tallystick/connect';
import type { EventStore } from '@tallystick/event-store';
import { hasCluster } from '@tallystick/local-postgres';
import { createKeyIndex, readsSchema } from '@tallystick/projections';
import pg from 'pg';

export interface Sources {
  readonly store: EventStore;
  readonly pool: pg.Pool;
  readonly namespace: string;
  close(): Promise<void>;
}

/** The fault is the caller's: exit code 2. */
export class UsageFault extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'UsageFault';
  }
}

export type Environment = Readonly<Record<string, string | undefined>>;

/**
 * By the settings that the services have. Where no database is named it is the embedded one: the server that runs on the
 * data folder, else one that is started for as long as the command needs it.
 */
export async function openSources(environment: Environment): Promise<Sources> {
  const settings = parseSettings(environment);
  if (settings.postgresUrl === null && !hasCluster(resolve(settings.dataDir))) {
    throw new UsageFault(
      `there is no ledger in ${settings.dataDir} (LEDGER_DATA_DIR), and LEDGER_POSTGRES_URL names none`,
    );
  }
  const database = await openDatabase(settings, { adopt: true });
  const pool = new pg.Pool({ connectionString: database.url, max: 4, application_name: 'tallystick cli' });
  // An idle connection was lost: the pool opens another when asked.
  pool.on('error', () => undefined);
  const closePool = async (): Promise<void> => {
    await pool.end();
    await database.stop();
  };
  try {
    const schema = readsSchema(settings.namespace);
    const { store } = await openStore({ ...settings, postgresUrl: database.url }, () =>
      createKeyIndex(pool, schema),
    );
    const close = async (): Promise<void> => {
      await store.close();
      await closePool();
    };
    return { store, pool, namespace: settings.namespace, close };
  } catch (error) {
    await closePool();
    throw error;
  }
}
