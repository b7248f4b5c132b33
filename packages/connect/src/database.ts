/** The database that the settings mean: the one they name, else an embedded PostgreSQL in the data folder. */
import { resolve } from 'node:path';
import { startLocalPostgres } from '@tallystick/local-postgres';
import type { Settings } from './settings.ts';

export interface Database {
  readonly url: string;
  /** For people. */
  readonly name: string;
  /** Ends what was started for it. */
  stop(): Promise<void>;
}

/** Durable as ever; only the log's segments are spared being written twice, which stalls commits for 50 ms each. */
const SERVER_SETTINGS = [
  'shared_buffers=128MB',
  'max_connections=60',
  'wal_init_zero=off',
  'min_wal_size=256MB',
  'max_wal_size=1GB',
  'checkpoint_timeout=15min',
  'log_min_messages=fatal',
];

/** @param adopt use a server that runs on the folder, and leave it running; otherwise it is ended and started anew */
export async function openDatabase(
  { postgresUrl, dataDir }: Pick<Settings, 'postgresUrl' | 'dataDir'>,
  { adopt }: { adopt: boolean },
): Promise<Database> {
  if (postgresUrl !== null) return { url: postgresUrl, name: 'your PostgreSQL', stop: async () => undefined };
  const server = await startLocalPostgres({ folder: resolve(dataDir), settings: SERVER_SETTINGS, adopt });
  return { url: server.url, name: `an embedded PostgreSQL, data in ${dataDir}`, stop: () => server.stop() };
}
