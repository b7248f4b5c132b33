/**
 * Webhooks for tests: a store in memory, the real runner, a real PostgreSQL, and a clock that the test moves. What
 * happens to wallets is whatever a test says: webhooks tell of events, and judge none.
 */
import {
  type CommandKey,
  type Decider,
  type DomainEvent,
  type WebhookEndpointChange,
  type WebhookEndpointCommand,
  type WebhookEndpointTerms,
  webhookEndpointDecider,
} from '@tallystick/domain';
import { createMemoryStore, createRunner, type EventStore } from '@tallystick/event-store';
import { startPostgres } from '@tallystick/event-store/testing';
import {
  type DeliveryView,
  listDeliveries,
  makeSecret,
  openWebhooks,
  type Webhooks,
} from '@tallystick/webhooks';
import pg from 'pg';
import { moveOutbox } from '../outbox.ts';
import { moveReplays } from '../replays.ts';
import type { SenderParts } from '../sender.ts';
import { CATEGORIES } from '../telling.ts';

interface Happening extends CommandKey {
  readonly event: DomainEvent;
}

/** A wallet that anything may happen to. */
const anything: Decider<object, Happening, DomainEvent, never> = {
  category: 'wallet',
  foldVersion: 1,
  initial: () => ({}),
  fork: (state) => state,
  evolve: () => undefined,
  decide: (_, { event }) => ({ kind: 'accepted', events: [event] }),
  dues: () => ({ events: [], more: false }),
  freeze: () => '{}',
  thaw: () => ({}),
  weigh: () => 1,
};

export interface Told {
  readonly store: EventStore;
  readonly pool: pg.Pool;
  readonly webhooks: Webhooks;
  readonly parts: SenderParts;
  now(): number;
  advance(ms: number): void;
  /** Something happens to an account. @returns its position */
  happen(account: string, type?: string, data?: object, facts?: object): Promise<bigint>;
  /** As the API makes one, but for the row: the outbox finds it by itself. */
  endpoint(terms: Partial<WebhookEndpointTerms> & { url: string }): Promise<{ id: string; secret: string }>;
  change(id: string, change: WebhookEndpointChange): Promise<void>;
  command(id: string, command: WebhookEndpointCommand): Promise<bigint>;
  /** Until there is nothing more to queue. */
  outbox(): Promise<void>;
  /** Oldest first. */
  deliveries(endpoint?: string): Promise<DeliveryView[]>;
  stop(): Promise<void>;
}

const NO_KEY = { key: null, fingerprint: null } as const;
const CAUSE = { actor: 'test', request: '' };
let made = 0;

export async function startTold(options: { readonly store?: EventStore } = {}): Promise<Told> {
  let at = Date.parse('2026-03-01T12:00:00.000Z');
  const now = (): number => at;
  const store = options.store ?? createMemoryStore();
  const postgres = await startPostgres();
  const pool = new pg.Pool({ connectionString: postgres.url, max: 10 });
  pool.on('error', () => undefined);
  const settings = { allowPrivate: true, secretKeys: [Buffer.alloc(32, 7)], timeoutMs: 2_000, keepDays: 30 };
  const webhooks = await openWebhooks({ pool, namespace: 'test', storeId: 'store-1', settings });
  const runner = createRunner({
    store,
    // Nothing here has a key.
    keyIndex: { lookup: async () => ({ hits: new Map(), coveredTo: Number.MAX_SAFE_INTEGER }) },
    snapshots: { read: async () => null },
    catalogue: { current: () => null as never, fresh: async () => null as never },
    now,
    limits: { clockAheadMs: Number.MAX_SAFE_INTEGER },
  });

  async function recorded<S, C extends CommandKey, E extends DomainEvent, R>(
    decider: Decider<S, C, E, R>,
    id: string,
    command: C,
  ): Promise<bigint> {
    const executed = await runner.execute(decider, [{ id, command, cause: CAUSE }], now() + 60_000);
    const outcome = executed === 'queue_full' ? undefined : executed[0];
    if (outcome?.status !== 'recorded') throw new Error(`not recorded: ${JSON.stringify(outcome)}`);
    return outcome.position;
  }

  async function isBehind(): Promise<boolean> {
    const { rows } = await pool.query(`select cursor from ${webhooks.schema}.checkpoint`);
    const after = rows[0]?.cursor as string | null;
    return (await store.readAll({ after, limit: 1, categories: CATEGORIES })).events.length > 0;
  }

  async function isReplaying(): Promise<boolean> {
    const open = `select from ${webhooks.schema}.replays where finished_at is null`;
    return (await pool.query(open)).rows.length > 0;
  }

  const command = (id: string, order: WebhookEndpointCommand) => recorded(webhookEndpointDecider, id, order);
  return {
    store,
    pool,
    webhooks,
    parts: { store, runner, webhooks, formatPosition: String, now, random: () => 0 },
    now,
    advance: (ms) => {
      at += ms;
    },
    happen: (account, type = 'TopUp', data = { credits: '1' }, facts = {}) =>
      recorded(anything, account, { event: { type, key: null, data, facts }, ...NO_KEY }),
    async endpoint(terms) {
      const id = `whe_${++made}`;
      const secret = await makeSecret(pool, webhooks, id, now());
      const whole = { events: ['*'], scope: 'owner' as const, account: null, ...terms, id };
      await command(id, { type: 'CreateWebhookEndpoint', terms: whole, ...NO_KEY });
      return { id, secret };
    },
    async change(id, change) {
      await command(id, { type: 'ChangeWebhookEndpoint', change, ...NO_KEY });
    },
    command,
    async outbox() {
      // One step may find the locks of somebody who has been killed a moment ago.
      do await moveOutbox({ store, webhooks, now });
      while (await isBehind());
      do await moveReplays({ store, webhooks, now });
      while (await isReplaying());
    },
    async deliveries(endpoint) {
      const { data } = await listDeliveries(webhooks, { endpoint, pageSize: 500 });
      return [...data].reverse();
    },
    async stop() {
      await runner.close();
      await pool.end();
      await store.close();
      await postgres.stop();
    },
  };
}

/** A pool that breaks off at its n-th statement: before it is made, or after. */
export function breakingPool(
  pool: pg.Pool,
  at: number,
  when: 'before' | 'after',
): { pool: pg.Pool; count: () => number } {
  let count = 0;
  const broken = async (query: () => Promise<unknown>): Promise<unknown> => {
    const isIt = ++count === at;
    if (isIt && when === 'before') throw new Error('killed');
    const result = await query();
    if (isIt) throw new Error('killed');
    return result;
  };
  const watched = <T extends { query: (...sent: never[]) => Promise<unknown> }>(client: T): T =>
    new Proxy(client, {
      get(target, name) {
        if (name === 'query')
          return (...sent: never[]) => broken(() => target.query(...sent) as Promise<unknown>);
        const member = Reflect.get(target, name) as unknown;
        return typeof member === 'function' ? member.bind(target) : member;
      },
    });
  const breaking = new Proxy(pool, {
    get(target, name) {
      if (name === 'connect')
        return async () => watched((await target.connect()) as never as { query: () => Promise<unknown> });
      return Reflect.get(watched(target as never), name) as unknown;
    },
  });
  return { pool: breaking, count: () => count };
}
