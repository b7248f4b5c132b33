/**
 * The ledger that is fuzzed: everything real and in this process, events in PostgreSQL too, because a store has limits of
 * its own. Sends requests, judges answers, and at the end of all asks whether the money is still there.
 */
import { DIMENSIONS } from '@tallystick/domain';
import { rebuildReads } from '@tallystick/projections';
import type { FastifyInstance } from 'fastify';
import type { Document } from './document.ts';
import { judge } from './fuzz-judge.ts';
import type { FuzzRequest } from './fuzz-requests.ts';
import { URL_OF_NOBODY, type World } from './fuzz-words.ts';
import { startTestLedger, type TestLedger } from './ledger.ts';

export interface FuzzLedger {
  readonly app: FastifyInstance;
  readonly document: Document;
  /** The admin's first. */
  readonly keys: readonly string[];
  /** How often each operation answered with each status. */
  readonly statuses: ReadonlyMap<string, Map<number, number>>;
  /** What is wrong with the answer; null where nothing is. */
  send(request: FuzzRequest): Promise<string | null>;
  /** Makes the accounts usable again: freezes are lifted, credits given, holds placed. What is there to be asked for. */
  refresh(): Promise<World>;
  /** What is wrong with the books; empty where nothing is. */
  audit(): Promise<readonly string[]>;
  /** Of the events that are kept in memory by design: price books and API keys. */
  catalogueBytes(): Promise<number>;
  stop(): Promise<void>;
}

const ACCOUNTS = ['acme', 'globex', 'initech', 'hooli', 'constructor'];
const NEWCOMER = 'hooli';
const CHEAP = { credits: '0.0015', per: 1 };
const MODELS = {
  m: { prices: Object.fromEntries(Object.keys(DIMENSIONS).map((name) => [name, CHEAP])) },
  seconds: {
    round_to: '0.000001',
    prices: {
      audio_seconds: { credits: '1', per: 3 },
      video_seconds: {
        steps: [
          { credits: '5', up_to: 10 },
          { credits: '9', up_to: 5_000 },
        ],
      },
    },
  },
  dear: {
    supplier: 'openai',
    prices: {
      input_tokens: {
        cost: { amount: '0.0025', currency: 'USD' },
        per: 1_000,
        markup: '0.35',
        demand_factor: '1.5',
      },
    },
  },
};

/** Short, so that a `min_position` that never comes does not hold everything up. */
const WAIT_MS = 5;

export async function startFuzzLedger(): Promise<FuzzLedger> {
  const ledger = await startTestLedger({
    events: 'postgres',
    limits: { waitMs: WAIT_MS },
    webhooks: { timeoutMs: 100 },
    testClock: true,
    // Small, so that wallets leave memory and come back.
    runnerLimits: { memoryBytes: 2_000_000, keysRemembered: 50 },
  });
  const document = ledger.app.swagger() as unknown as Document;
  const { world, keys } = await settle(ledger);
  let rounds = 0;
  const statuses = new Map<string, Map<number, number>>();
  return {
    app: ledger.app,
    document,
    keys,
    statuses,
    async send(request) {
      const { operation, method, url, headers, body } = request;
      const answer = await ledger.app.inject({
        method: method as 'GET',
        url,
        headers,
        ...(body === null ? {} : { payload: body }),
      });
      const { statusCode: status, payload } = answer;
      const counted = statuses.get(operation) ?? new Map<number, number>();
      statuses.set(operation, counted.set(status, (counted.get(status) ?? 0) + 1));
      return judge(document, { method, url, status, headers: answer.headers, payload });
    },
    async refresh() {
      rounds += 1;
      return { ...world, ...(await refresh(ledger, `round${rounds}`)) };
    },
    audit: () => audit(ledger),
    async catalogueBytes() {
      const { rows } = await ledger.pool.query<{ bytes: number }>(
        `select coalesce(sum(length(data) + length(meta)), 0)::float8 as bytes from test_events.events
         where category <> 'wallet'`,
      );
      return rows[0]?.bytes ?? 0;
    },
    stop: () => ledger.stop(),
  };
}

async function settle(ledger: TestLedger): Promise<{ world: World; keys: string[] }> {
  const { call, newKey, adminKey } = ledger;
  const value = { amount: '0.01', currency: 'USD' };
  for (const name of ['steady', 'default'])
    await call('PUT', `/v1/price-books/${name}`, { credit_value: value, models: MODELS });
  for (const id of ACCOUNTS) {
    await call('POST', '/v1/accounts', { id, price_book: 'steady' });
    // Who has topped up can no longer say who referred them.
    if (id === NEWCOMER) continue;
    const paid = { amount: '50', currency: 'USD' };
    await call('POST', `/v1/accounts/${id}/top-ups`, {
      credits: '5000',
      paid,
      source: 'shop',
      reference: 'first',
    });
  }
  await publish(ledger);
  // More than one of everything that is listed: so every list has a next page.
  const [acme = ''] = ACCOUNTS;
  const marks = { kind: 'gift', expires_at: '2099-01-01T00:00:00Z' };
  await call('POST', `/v1/accounts/${acme}/grants`, { credits: '10', reference: 'first', ...marks });
  const open = await refresh(ledger, 'first');
  await buy(ledger, acme);
  const keys = [adminKey];
  for (const scope of ['usage', 'read', 'finance'] as const) keys.push(await newKey([scope]));
  for (const scope of ['read', 'manage'] as const) keys.push(await newKey([scope], acme));
  const expendable = await Promise.all(Array.from({ length: 3 }, () => newKey(['read'])));
  const keyIds = expendable.map((key) => key.split('_')[1] ?? '');
  const cursors = await readCursors(ledger, acme);
  return { world: { accounts: [...ACCOUNTS, 'nobody'], keyIds, cursors, ...open }, keys };
}

/** Plans that fund, limit and refuse, packages, and coupons of each kind. */
async function publish({ call }: TestLedger): Promise<void> {
  const price = { amount: '0.01', currency: 'USD' };
  const included = [
    { unit: 'tokens', model: 'm', amount: '500', per: 'day' },
    { unit: 'calls', model: '*', amount: '20', per: 'period' },
  ];
  const caps = [{ unit: 'calls', model: '*', amount: '100000', per: 'week' }];
  const plan = { price: { credits: '1' }, interval: 'month', included, caps, overage: 'credits' };
  await call('PUT', '/v1/plans/basic', { name: 'Basic', ...plan });
  await call('PUT', '/v1/plans/pro', {
    name: 'Pro',
    ...plan,
    price: { credits: '3' },
    overage_multiplier: '2',
  });
  await call('PUT', '/v1/packages/basic', { credits: '10', price });
  await call('PUT', '/v1/packages/pro', { rate: { credits: '100', currency: 'USD' } });
  for (const code of ['SAVE10', 'RUSH']) await call('PUT', `/v1/coupons/${code}`, { percent: '10' });
  await call('PUT', '/v1/coupons/GIFT', { credits: '5' });
}

/** Ids of new endpoints: those of before may be deleted. */
async function listen({ call }: TestLedger): Promise<string[]> {
  const endpoint = { url: URL_OF_NOBODY, events: ['*'], scope: 'owner' };
  const made = [1, 2].map(() => call('POST', '/v1/webhook-endpoints', endpoint));
  return (await Promise.all(made)).map(({ body }) => body.id);
}

/** Two of each, so that every list has a next page. */
async function buy({ call }: TestLedger, account: string): Promise<void> {
  const own = `/v1/accounts/${account}`;
  await call('POST', `${own}/subscription/cancel`, { when: 'now', reference: 'first-end' });
  await call('POST', `${own}/subscription`, { plan: 'pro', pay: 'credits', reference: 'second' });
  for (const code of ['SAVE10', 'RUSH']) await call('POST', `${own}/coupons`, { code });
}

const LISTS = ['accounts', 'api-keys', 'usage', 'plans', 'packages', 'coupons']
  .concat('webhook-endpoints', 'webhook-deliveries')
  .map((list) => `/v1/${list}`);
const OWN_LISTS = ['statement', 'usage', 'lots', 'holds', 'quotas', 'subscriptions', 'purchases', 'coupons'];
const QUERIES: Readonly<Record<string, string>> = {
  '/v1/usage': '&status=unpriced',
  '/v1/accounts/{id}/quotas': '&all=true',
};

async function readCursors({ call, projector }: TestLedger, account: string): Promise<World['cursors']> {
  await projector.caughtUp();
  const cursors = new Map<string, string[]>();
  const ofAccount = OWN_LISTS.map((list) => `/v1/accounts/{id}/${list}`);
  for (const list of [...LISTS, ...ofAccount]) {
    const query = QUERIES[list] ?? '';
    const url = `${list.replace('{id}', account)}?page_size=1${query}`;
    const { next_cursor: cursor } = (await call('GET', url)).body;
    if (cursor === null) throw new Error(`${list} has no second page to ask for`);
    cursors.set(list, [cursor, ...forged(cursor)]);
  }
  return cursors;
}

/** Cursors of the same list that nobody was ever given. */
function forged(cursor: string): string[] {
  const [list] = JSON.parse(Buffer.from(cursor, 'base64url').toString()) as [string];
  const keys = [
    '',
    '\0',
    '\ud800',
    '-1',
    '1.5',
    '9'.repeat(18),
    '9'.repeat(19),
    'constructor',
    'x'.repeat(5_000),
    7,
    null,
    {},
  ];
  return keys.map((key) => Buffer.from(JSON.stringify([list, key])).toString('base64url'));
}

/** New ids each time: those of before may be used up. */
async function refresh(
  ledger: TestLedger,
  prefix: string,
): Promise<Omit<World, 'accounts' | 'keyIds' | 'cursors'>> {
  const { call, projector } = ledger;
  // Reads wait for next to nothing here.
  await projector.caughtUp();
  for (const id of ACCOUNTS) {
    const { body } = await call('GET', `/v1/accounts/${id}`);
    for (const { reference } of body.freezes)
      await call('POST', `/v1/accounts/${id}/unfreeze`, { reference });
    await call('PATCH', `/v1/accounts/${id}`, { price_book: 'steady' });
    await call('POST', `/v1/accounts/${id}/grants`, { credits: '1000', kind: 'refill', reference: prefix });
  }
  const holds = [0, 1, 2, 3, 4].map((n) => `${prefix}-h${n}`);
  const parked = [0, 1, 2, 3, 4].map((n) => `${prefix}-p${n}`);
  const [account = ''] = ACCOUNTS;
  const estimate = { calls: 1 };
  for (const id of holds)
    await call('POST', '/v1/authorize', { account, model: 'm', estimate, hold: { id, expires_in: 3_600 } });
  for (const id of parked) await call('POST', '/v1/usage', { id, account, model: 'dear', usage: estimate });
  // An account that has not the plan gets it; one that has keeps it.
  await call('POST', `/v1/accounts/${account}/subscription`, {
    plan: 'basic',
    pay: 'credits',
    reference: prefix,
  });
  const { subscription } = (await call('GET', `/v1/accounts/${account}/subscription`)).body;
  const periods = [subscription?.current_period_start ?? '2026-01-01T00:00:00Z'];
  const purchases = [0, 1, 2].map((n) => `${prefix}-b${n}`);
  for (const reference of purchases)
    await call('POST', `/v1/accounts/${account}/purchases`, { package: 'basic', reference });
  const topUps = [await askForTopUp(ledger, account, prefix)];
  const endpoints = await listen(ledger);
  const deliveries: string[] = [];
  for (const id of endpoints)
    deliveries.push((await call('POST', `/v1/webhook-endpoints/${id}/test`)).body.delivery);
  const { now } = (await call('GET', '/v1/test-clock')).body;
  return { now, holds, parked, purchases, periods, topUps, endpoints, deliveries };
}

/** The id of its open request: what it asks for when it has less than a threshold that nobody reaches. */
async function askForTopUp({ call }: TestLedger, account: string, reference: string): Promise<string> {
  const terms = { enabled: true, threshold: '999999999', amount: { amount: '1', currency: 'USD' } };
  await call('PUT', `/v1/accounts/${account}/auto-top-up`, { ...terms, cool_off_seconds: 0, daily_cap: 100 });
  await call('POST', `/v1/accounts/${account}/adjustments`, {
    credits: '0.000001',
    reason: 'ask',
    reference,
  });
  return (await call('GET', `/v1/accounts/${account}/auto-top-up`)).body.open?.id ?? 'none';
}

async function audit(ledger: TestLedger): Promise<readonly string[]> {
  const { projector, pool, schema, store } = ledger;
  const faults: string[] = [];
  await projector.caughtUp();
  const { body } = await ledger.call('GET', '/v1/trial-balance');
  for (const { unit, total } of body.units)
    if (total !== '0') faults.push(`${unit} comes to ${total}, not to 0`);
  await rebuildReads({ store, pool, schema: 'refolded', force: true });
  const { rows: tables } = await pool.query<{ name: string }>(
    `select table_name as name from information_schema.tables where table_schema = $1 and table_type = 'BASE TABLE'`,
    [schema],
  );
  for (const { name } of tables) {
    // Snapshots are taken when there is time, so not at the same revisions.
    if (['meta', 'checkpoints', 'snapshots'].includes(name)) continue;
    const differing = (one: string, other: string): string =>
      `select to_jsonb(a)::text as row from ${one}.${name} a except all select to_jsonb(b)::text from ${other}.${name} b`;
    const { rows } = await pool.query<{ row: string }>(
      `(${differing(schema, 'refolded')}) union all (${differing('refolded', schema)}) limit 4`,
    );
    for (const { row } of rows) faults.push(`${name} differs from what the events say: ${row}`);
  }
  return faults;
}
