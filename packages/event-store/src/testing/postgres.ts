/**
 * A real PostgreSQL for tests: an own server in a temporary folder on a free port, or a new database on the server that
 * `LEDGER_TEST_POSTGRES_URL` names.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startLocalPostgres } from '@tallystick/local-postgres';
import pg from 'pg';

export interface TestPostgres {
  /** Of an empty database. */
  readonly url: string;
  /** The server, to stop and start it; null where it is not ours to stop. */
  readonly server: TestPostgresServer | null;
  /** Removes everything. It happens without it, too, when the process ends, however it ends. */
  stop(): Promise<void>;
}

export interface TestPostgresServer {
  /** `fast` as an administrator would; `crash` without any farewell. */
  halt(how: 'fast' | 'crash'): Promise<void>;
  /** Starts it again, on the same port and data. */
  start(): Promise<void>;
}

/**
 * Starts a server (about a second), or makes a database on the given one. `durable` flushes to disk as in production:
 * for measuring, not for tests.
 */
export async function startPostgres({ durable = false } = {}): Promise<TestPostgres> {
  const given = process.env.LEDGER_TEST_POSTGRES_URL;
  const settings = durable ? SETTINGS : [...SETTINGS, 'fsync=off', 'full_page_writes=off'];
  return given ? databaseOn(given) : ownServer(settings);
}

const SETTINGS = ['shared_buffers=64MB'];

async function databaseOn(server: string): Promise<TestPostgres> {
  const name = `test_${randomBytes(6).toString('hex')}`;
  await execute(server, `create database ${name}`);
  const url = new URL(server);
  url.pathname = `/${name}`;
  return { url: url.href, server: null, stop: () => execute(server, `drop database ${name} with (force)`) };
}

async function execute(url: string, statement: string): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    await client.query(statement);
  } finally {
    await client.end();
  }
}

async function ownServer(settings: readonly string[]): Promise<TestPostgres> {
  const folder = await mkdtemp(join(tmpdir(), 'tallystick-postgres-'));
  const sweeper = sweepAfterwards(folder);
  let running = await startLocalPostgres({ folder, settings });
  const port = Number(new URL(running.url).port);
  return {
    url: running.url,
    server: {
      halt: (how) => running.stop(how),
      async start() {
        running = await startLocalPostgres({ folder, settings, port });
      },
    },
    async stop() {
      await running.stop('crash');
      const swept = once(sweeper, 'exit');
      sweeper.ref();
      sweeper.stdin?.end();
      await swept;
    },
  };
}

/**
 * A shell that waits for the end of this process: its input ends with it, even by SIGKILL. Then it stops the server
 * and removes the folder. In an own process group, so that Ctrl-C in a terminal does not end it first.
 */
function sweepAfterwards(folder: string): ChildProcess {
  const script = `
    cat > /dev/null
    if read -r pid < "$0/postgres/postmaster.pid"; then
      kill -QUIT "$pid" && while kill -0 "$pid"; do sleep 0.05; done
    fi
    rm -rf "$0"`;
  const sweeper = spawn('sh', ['-c', script, folder], {
    stdio: ['pipe', 'ignore', 'ignore'],
    detached: true,
  });
  sweeper.unref();
  const { stdin } = sweeper;
  if (stdin !== null && 'unref' in stdin && typeof stdin.unref === 'function') stdin.unref();
  return sweeper;
}
