/** A whole ledger for tests, but for the port: real PostgreSQL for the read models, real runner, store in memory or there. */

import { type Catalogue, followCatalogue, followTestClock, type TestClock } from '@tallystick/connect';
import { type Catalogues, genesisDecider, type Scope } from '@tallystick/domain';
import {
  createMemoryStore,
  createPostgresStore,
  createRunner,
  type EventStore,
  type KeyIndex,
  type Runner,
  type RunnerLimits,
} from '@tallystick/event-store';
import { startPostgres, type TestPostgres } from '@tallystick/event-store/testing';
import {
  createBalanceReader,
  createSnapshotReader,
  migrate,
  openReads,
  type Projector,
  readsSchema,
  startProjector,
} from '@tallystick/projections';
import { openWebhooks, type WebhookSettings, type Webhooks } from '@tallystick/webhooks';
import type { FastifyInstance, InjectOptions, LightMyRequestResponse } from 'fastify';
import pg from 'pg';
import { ensureAdminKey } from '../admin-key.ts';
import type { ApiLimits, ApiParts } from '../api.ts';
import { buildApp } from '../app.ts';
import type { RateLimits } from '../rate-limit.ts';
import { type Document, faultOf, type Seen } from './document.ts';

export interface TestLedger {
  readonly app: FastifyInstance;
  readonly runner: Runner<Catalogues>;
  readonly catalogue: Catalogue;
  readonly store: EventStore & KeyIndex;
  readonly projector: Projector;
  readonly postgres: TestPostgres;
  /** Of the read models. */
  readonly pool: pg.Pool;
  readonly schema: string;
  readonly webhooks: Webhooks;
  /** Null where it was not born with one. */
  readonly testClock: TestClock | null;
  /** Of all scopes. */
  readonly adminKey: string;
  /** Every answer that was seen. Each has been held against the OpenAPI document. */
  readonly seen: Seen[];
  /** `key` null: without one; left out: the admin's. */
  call(method: Method, url: string, body?: unknown, key?: string | null): Promise<Answer>;
  newKey(scopes: readonly Scope[], account?: string): Promise<string>;
  stop(): Promise<void>;
}

type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';

export interface Answer {
  readonly status: number;
  readonly headers: LightMyRequestResponse['headers'];
  readonly text: string;
  // Tests look into answers of every shape; what they find there is what they compare.
  // biome-ignore lint/suspicious/noExplicitAny: the shape is what is being tested
  readonly body: any;
}

export interface TestLedgerOptions {
  readonly now?: () => number;
  readonly epoch?: number;
  readonly isStarted?: () => boolean;
  readonly limits?: Partial<ApiLimits>;
  readonly runnerLimits?: Partial<RunnerLimits>;
  /** Where the events are: in memory where left out; the other store is slower, and has limits of its own. */
  readonly events?: 'memory' | 'postgres';
  /** In front of the store that everything uses. */
  readonly wrap?: (store: EventStore & KeyIndex) => EventStore & KeyIndex;
  readonly elapsed?: () => number;
  /** Of this process alone where left out. */
  readonly rateLimits?: RateLimits;
  readonly webhooks?: Partial<WebhookSettings>;
  /** Born with a clock that can be moved; everything goes by it, and `now` by nothing. */
  readonly testClock?: boolean;
}

/** No other process has to acknowledge what the clock shows. */
const ALONE = { tell: async () => undefined, countBehind: async () => 0, leave: async () => undefined };

export async function startTestLedger(options: TestLedgerOptions = {}): Promise<TestLedger> {
  const { epoch = 0 } = options;
  const postgres = await startPostgres();
  const pool = new pg.Pool({ connectionString: postgres.url, max: 8 });
  pool.on('error', () => undefined);
  const schema = readsSchema('test');
  const inner =
    options.events === 'postgres'
      ? await createPostgresStore({ connectionString: postgres.url, namespace: 'test' })
      : createMemoryStore();
  const store = options.wrap?.(inner) ?? inner;
  const catalogue = followCatalogue({
    store,
    ...(options.elapsed === undefined ? {} : { elapsed: options.elapsed }),
  });
  const testClock = options.testClock === true ? await followTestClock({ store, processes: ALONE }) : null;
  const now = testClock?.now ?? options.now ?? Date.now;
  const runner = createRunner<Catalogues>({
    store,
    keyIndex: store,
    snapshots: createSnapshotReader(pool, schema),
    catalogue,
    now,
    ...(testClock === null ? {} : { realNow: Date.now }),
    ...(options.runnerLimits === undefined ? {} : { limits: options.runnerLimits }),
  });
  const open = {
    type: 'OpenLedger',
    key: null,
    fingerprint: null,
    storeId: 'test',
    ...(testClock === null ? {} : { testClock: true }),
  } as const;
  // Before the runner loads anything: it looks for snapshots first.
  await migrate(pool, schema);
  await runner.execute(
    genesisDecider,
    [{ id: 'genesis', command: open, cause: { actor: 'test', request: '' } }],
    now() + 10_000,
  );
  const projector = startProjector({ store: inner, pool, schema });
  const adminKey = await ensureAdminKey(runner, null, now);
  if (adminKey === null) throw new Error('a new ledger has an admin key already');
  await catalogue.fresh();
  const queries = openReads(pool, schema, () => catalogue.current());
  const reads = {
    queries,
    balances: createBalanceReader(queries),
    index: store,
    waitFor: projector.waitFor.bind(projector),
    lagMs: () => projector.lagMs,
  };
  const { isStarted = () => true, limits = {} } = options;
  const rateLimits = options.rateLimits === undefined ? {} : { rateLimits: options.rateLimits };
  const webhooks = await openWebhooks({
    pool,
    namespace: 'test',
    storeId: 'test',
    settings: { allowPrivate: true, secretKeys: [], timeoutMs: 2_000, keepDays: 30, ...options.webhooks },
  });
  const parts: ApiParts = {
    runner,
    store,
    catalogue,
    reads,
    webhooks,
    epoch,
    now,
    ...(testClock === null ? {} : { testClock, realNow: Date.now }),
    isStarted,
    limits,
    ...rateLimits,
  };
  const app = await buildApp(parts);
  await app.ready();
  const seen: Seen[] = [];
  const document = app.swagger() as unknown as Document;

  async function call(
    method: Method,
    url: string,
    body?: unknown,
    key: string | null = adminKey,
  ): Promise<Answer> {
    const request: InjectOptions = {
      method,
      url,
      headers: {
        ...(key === null ? {} : { authorization: `Bearer ${key}` }),
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      },
      ...(body === undefined ? {} : { payload: typeof body === 'string' ? body : JSON.stringify(body) }),
    };
    const response = await app.inject(request);
    const type = String(response.headers['content-type'] ?? '');
    const parsed = type.includes('json') ? response.json() : response.payload;
    const answer = {
      method,
      path: url.split('?', 1)[0] ?? '',
      status: response.statusCode,
      type,
      body: parsed,
    };
    seen.push(answer);
    // The reference page and the metrics are no part of the document.
    const fault = /^\/(v1|health)\//.test(answer.path) ? faultOf(document, answer) : null;
    if (fault !== null) throw new Error(fault);
    return { status: response.statusCode, headers: response.headers, text: response.payload, body: parsed };
  }

  return {
    app,
    runner,
    catalogue,
    store,
    projector,
    postgres,
    pool,
    schema,
    webhooks,
    testClock,
    adminKey,
    seen,
    call,
    async newKey(scopes, account) {
      const { body } = await call('POST', '/v1/api-keys', { name: 'test', scopes, account });
      return body.key;
    },
    async stop() {
      await app.close();
      await runner.close();
      await catalogue.close();
      await testClock?.close();
      await projector.stop();
      await pool.end();
      await store.close();
      await postgres.stop();
    },
  };
}
