/** From settings to what the commands work on: the store to read, and the database of the read models. Claims and makes nothing. */
import { resolve } from 'node:path';
import {
  type Database,
  openDatabase,
  openStore,
  parseSettings,
  type Settings,
  withoutPasswords,
} from '@tallystick/connect';
import { type EventStore, hasPostgresStore } from '@tallystick/event-store';
import { hasCluster } from '@tallystick/local-postgres';
import { createKeyIndex, readsSchema } from '@tallystick/projections';
import pg from 'pg';

export interface Sources {
  readonly store: EventStore;
  /** Of the store's server, without user and password. */
  readonly storeAddress: string;
  readonly pool: pg.Pool;
  /** Of the live read models. */
  readonly schema: string;
  /** In how many partitions the settings say that they are kept. */
  readonly partitions: number;
  close(): Promise<void>;
}

/** The fault is the caller's: exit code 2. */
export class UsageFault extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'UsageFault';
  }
}

/** Store or database cannot be reached: exit code 2. */
export class NoConnection extends Error {
  constructor(cause: unknown) {
    super(`no connection: ${cause instanceof Error ? cause.message || cause.name : String(cause)}`, {
      cause,
    });
    this.name = 'NoConnection';
  }
}

export type Environment = Readonly<Record<string, string | undefined>>;

/**
 * By the settings that the services have. Where no database is named it is the embedded one: the server that runs on the
 * data folder, else one that is started for as long as the command needs it.
 * @throws BadSettings, UsageFault, NoConnection
 */
export async function openSources(environment: Environment): Promise<Sources> {
  const settings = parseSettings(environment);
  if (settings.postgresUrl === null && !hasCluster(resolve(settings.dataDir))) {
    throw new UsageFault(
      `there is no ledger in ${settings.dataDir} (LEDGER_DATA_DIR), and LEDGER_POSTGRES_URL names none`,
    );
  }
  const database = await openDatabase(settings, { adopt: true }).catch((error: unknown) => {
    throw new NoConnection(error);
  });
  try {
    return await connect(settings, database);
  } catch (error) {
    await database.stop();
    throw error instanceof UsageFault ? error : new NoConnection(error);
  }
}

async function connect(settings: Settings, database: Database): Promise<Sources> {
  const { namespace, partitions } = settings;
  const pool = new pg.Pool({
    connectionString: database.url,
    // Each partition that is filled works on two; whoever holds a lock meanwhile, on one more.
    max: 4 + 2 * partitions,
    application_name: 'tallystick cli',
    connectionTimeoutMillis: 5_000,
  });
  // An idle connection was lost: the pool opens another when asked.
  pool.on('error', () => undefined);
  const schema = readsSchema(namespace);
  try {
    // The Postgres store makes its tables where they are missing; a tool that reads must not.
    const isThere = await hasPostgresStore(pool, namespace);
    if (settings.esdbUrl === null && !isThere)
      throw new UsageFault(`there is no ledger here: no event was ever stored for ${namespace}`);
    const { store } = await openStore({ ...settings, postgresUrl: database.url }, () =>
      createKeyIndex(pool, schema),
    );
    const close = async (): Promise<void> => {
      await store.close();
      await pool.end();
      await database.stop();
    };
    const [address = ''] = (settings.esdbUrl ?? database.url).split('?', 1);
    return { store, storeAddress: withoutPasswords(address), pool, schema, partitions, close };
  } catch (error) {
    await pool.end();
    throw error;
  }
}
