/** The ledger under test: the standalone as a newcomer starts it, and what the bench asks it beside the load. */
import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { findLocalPostgres } from '@tallystick/local-postgres';
import pg from 'pg';
import { accountOf, IDLE_ACCOUNT, PRICE_BOOK } from './requests.ts';
import type { Bucket } from './statistics.ts';

export interface Ledger {
  readonly url: string;
  readonly key: string;
  readonly namespace: string;
  readonly pid: number;
  /** Its embedded server. */
  readonly postgres: { readonly url: string; readonly pid: number };
  stop(): Promise<void>;
}

export interface LedgerOptions {
  /** Of its embedded PostgreSQL; a new one. */
  readonly folder: string;
  readonly esdbUrl: string | null;
  /** Flags for Node, to profile it. */
  readonly flags?: readonly string[];
  /** Starts this one again, on its folder; left out: a new ledger. */
  readonly again?: Pick<Ledger, 'key' | 'namespace'>;
}

const MAIN = join(import.meta.dirname, '../../services/standalone/src/main.ts');

export async function startLedger({ folder, esdbUrl, flags = [], again }: LedgerOptions): Promise<Ledger> {
  const key = again?.key ?? randomBytes(24).toString('base64url');
  const namespace = again?.namespace ?? `bench${Date.now().toString(36)}`;
  const port = await freePort();
  const { LEDGER_POSTGRES_URL: _, LEDGER_ESDB_URL: __, ...inherited } = process.env;
  const child = spawn(process.execPath, ['--max-semi-space-size=64', ...flags, MAIN], {
    env: {
      ...inherited,
      PORT: String(port),
      LEDGER_DATA_DIR: folder,
      LEDGER_ADMIN_KEY: key,
      LEDGER_NAMESPACE: namespace,
      LEDGER_SEED_CATALOGUES: '0',
      ...(esdbUrl === null ? {} : { LEDGER_ESDB_URL: esdbUrl }),
    },
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  const end = (): void => void child.kill('SIGTERM');
  process.once('exit', end);
  const url = `http://127.0.0.1:${port}`;
  await ready(url, child);
  const postgres = await findLocalPostgres(folder);
  if (postgres === null) throw new Error('the ledger runs without its embedded PostgreSQL');
  return {
    url,
    key,
    namespace,
    pid: child.pid ?? 0,
    postgres,
    async stop() {
      process.off('exit', end);
      if (child.exitCode !== null || child.signalCode !== null) return;
      const exit = once(child, 'exit');
      child.kill('SIGTERM');
      await exit;
    },
  };
}

async function ready(url: string, child: ChildProcess): Promise<void> {
  for (;;) {
    if (child.exitCode !== null)
      throw new Error(`the ledger ended with ${child.exitCode} instead of starting`);
    const answer = await fetch(`${url}/health/ready`).catch(() => null);
    await answer?.body?.cancel();
    if (answer?.ok === true) return;
    await pause(50);
  }
}

export type Caller = Pick<Ledger, 'url' | 'key'>;

/** @throws where it answers anything but a success */
export async function call<T>(
  { url, key }: Caller,
  method: string,
  path: string,
  body?: unknown,
): Promise<T> {
  const answer = await fetch(`${url}${path}`, {
    method,
    headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const text = await answer.text();
  if (!answer.ok) throw new Error(`${method} ${path} answered ${answer.status}: ${text}`);
  return JSON.parse(text) as T;
}

/** Prices, wallets with more than any run can burn (paid for, so that charges release revenue), and one that is left alone. */
export async function prepare(ledger: Caller, wallets: number): Promise<void> {
  await call(ledger, 'PUT', '/v1/price-books/default', PRICE_BOOK);
  const accounts = [IDLE_ACCOUNT, ...Array.from({ length: wallets }, (_, index) => accountOf(index))];
  const worker = async (): Promise<void> => {
    for (let id = accounts.pop(); id !== undefined; id = accounts.pop()) {
      await call(ledger, 'POST', '/v1/accounts', { id });
      await topUp(ledger, id, 'first');
    }
  };
  await Promise.all(Array.from({ length: 32 }, worker));
}

/** The most that one top-up may be: enough for some 6.9 million charges. */
export async function topUp(ledger: Caller, account: string, reference: string): Promise<void> {
  await call(ledger, 'POST', `/v1/accounts/${account}/top-ups`, {
    credits: '1000000000',
    paid: { amount: '100000', currency: 'USD' },
    source: 'bench',
    reference,
  });
}

/** How far the read models are. The idle account has nothing acknowledged to wait for, so asking hurries nobody. */
export async function projectedPosition(ledger: Caller): Promise<bigint> {
  const { position } = await call<{ position: string }>(
    ledger,
    'GET',
    `/v1/accounts/${IDLE_ACCOUNT}/balance`,
  );
  return BigInt(position);
}

/** Seconds until the read models hold this position; null where they do not come to it within half a minute. */
export async function drain(ledger: Caller, position: bigint): Promise<number | null> {
  const began = performance.now();
  for (;;) {
    if ((await projectedPosition(ledger)) >= position) return (performance.now() - began) / 1_000;
    if (performance.now() - began > 30_000) return null;
    await pause(10);
  }
}

interface TrialBalance {
  readonly units: readonly {
    readonly unit: string;
    readonly total: string;
    readonly accounts: readonly { readonly account: string; readonly balance: string }[];
  }[];
}

export interface Books {
  /** Units that do not come to zero; should be none. */
  readonly unbalanced: readonly string[];
  /** Credits charged for usage, in all. */
  readonly charged: number;
}

export async function readBooks(ledger: Caller): Promise<Books> {
  const { units } = await call<TrialBalance>(ledger, 'GET', '/v1/trial-balance');
  const credits = units.find(({ unit }) => unit === 'credits')?.accounts ?? [];
  const charged = credits
    .filter(({ account }) => account.startsWith('income:usage:'))
    .reduce((sum, { balance }) => sum - Number(balance), 0);
  return { unbalanced: units.filter(({ total }) => total !== '0').map(({ unit }) => unit), charged };
}

/** The server's own histogram of one route's successes, cumulative, in seconds. */
export async function durationsOf({ url, key }: Caller, route: string): Promise<Bucket[]> {
  const answer = await fetch(`${url}/metrics`, { headers: { authorization: `Bearer ${key}` } });
  if (!answer.ok) throw new Error(`/metrics answered ${answer.status}`);
  const line = /^tallystick_http_request_seconds_bucket\{(.*)\} (\d+)/;
  const buckets: Bucket[] = [];
  for (const text of (await answer.text()).split('\n')) {
    const [, labels = '', count] = line.exec(text) ?? [];
    if (!labels.includes(`route="${route}"`) || !labels.includes('status="200"')) continue;
    const le = /le="([^"]+)"/.exec(labels)?.[1] ?? '';
    buckets.push({ le: le === '+Inf' ? Number.POSITIVE_INFINITY : Number(le), count: Number(count) });
  }
  return buckets;
}

export async function postgresVersion(ledger: Ledger): Promise<string> {
  return onPostgres(ledger, async (client) => {
    const { rows } = await client.query<{ version: string }>(
      `select current_setting('server_version') as version`,
    );
    return `PostgreSQL ${rows[0]?.version}`;
  });
}

/** A connection of its own to the ledger's PostgreSQL, for as long as the work lasts. */
export async function onPostgres<T>(
  { postgres }: Pick<Ledger, 'postgres'>,
  work: (client: pg.Client) => Promise<T>,
): Promise<T> {
  const client = new pg.Client({ connectionString: postgres.url });
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}

type JsonSchema = { readonly type?: string; readonly anyOf?: readonly JsonSchema[] };
interface OpenApi {
  readonly paths: Record<
    string,
    { post: { requestBody: { content: Record<string, { schema: JsonSchema }> } } }
  >;
}

/** The schema of one usage out of the ledger's OpenAPI document, for the route that it is compared with. */
export async function usageSchema(ledger: Caller): Promise<object> {
  const document = await call<OpenApi>(ledger, 'GET', '/openapi.json');
  const schema = document.paths['/v1/usage']?.post.requestBody.content['application/json']?.schema;
  const single = schema?.anyOf?.find(({ type }) => type === 'object') ?? schema;
  if (single?.type !== 'object') throw new Error('the OpenAPI document has no schema of one usage');
  return single;
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  return typeof address === 'object' && address !== null ? address.port : 0;
}
