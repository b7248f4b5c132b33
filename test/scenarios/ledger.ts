/**
 * A whole ledger for a story, on a real PostgreSQL, born with a clock that can be moved, with jobs on a real Redis where
 * there is one. Stories talk to it over HTTP, and have its books audited by `ledger verify`, as an auditor would.
 */
import { randomBytes } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { startPostgres } from '@tallystick/event-store/testing';
import { startRedis, type TestRedis } from '@tallystick/jobs/testing';
import { KEY, startLedger } from '@tallystick/standalone/testing';
import { type Behind, goBehind } from './behind.ts';
import { runTool, type ServiceProcess, startService } from './processes.ts';

export const HOUR = 3_600_000;
export const DAY = 24 * HOUR;

export interface Answer {
  readonly status: number;
  // Stories look into answers of every shape; what they find there is what they compare.
  // biome-ignore lint/suspicious/noExplicitAny: the shape is what is being tested
  readonly body: any;
}

export interface Calls {
  call(method: string, path: string, body?: unknown, key?: string): Promise<Answer>;
  /** @returns the body of an answer that says yes; @throws with what it says otherwise */
  get(path: string): Promise<Answer['body']>;
  put(path: string, body: unknown): Promise<Answer['body']>;
  post(path: string, body?: unknown): Promise<Answer['body']>;
  /** All pages of a list. */
  list(path: string): Promise<Answer['body'][]>;
  /** Moves the clock; resolves when everything that is due until then has happened. */
  moveTo(instant: string | number): Promise<void>;
  now(): Promise<number>;
  /** Opens an account, with credits that it has bought. @returns its path */
  open(id: string, credits?: string, fields?: object): Promise<string>;
  available(account: string): Promise<string>;
}

export interface Story extends Calls {
  readonly behind: Behind;
  readonly postgresUrl: string;
  readonly namespace: string;
  /** What this ledger's processes are started with. */
  readonly environment: Readonly<Record<string, string>>;
  /** Null where there is none; why, says `withoutRedis`. */
  readonly redis: TestRedis | null;
  readonly withoutRedis: string | false;
}

interface Tap {
  teardown(handler: () => Promise<unknown>): void;
  equal(found: unknown, wanted: unknown, message: string): unknown;
}

export interface Setting {
  /** `away`: API and projector, each a process, and nobody who does what falls due. Else the standalone. */
  readonly workers?: 'there' | 'away';
  /** `ours`: one that may be killed; jobs are in Postgres where there is no other. */
  readonly engine?: 'any' | 'ours';
}

export async function startStory(
  t: Tap,
  { workers = 'there', engine = 'any' }: Setting = {},
): Promise<Story> {
  const postgres = await startPostgres();
  t.teardown(() => postgres.stop());
  const found = await startRedis();
  const redis =
    engine === 'ours' && typeof found !== 'string' && found.server === null
      ? 'the Redis that LEDGER_REDIS_URL names is not ours to kill'
      : found;
  if (typeof redis !== 'string') t.teardown(() => redis.stop());
  // Of its own: a Redis that is given may have other stories on it.
  const namespace = `story_${randomBytes(6).toString('hex')}`;
  const environment = {
    LEDGER_POSTGRES_URL: postgres.url,
    LEDGER_NAMESPACE: namespace,
    LEDGER_TEST_CLOCK: '1',
    LEDGER_ADMIN_KEY: KEY,
    // Told to a receiver on this machine.
    LEDGER_WEBHOOKS_ALLOW_PRIVATE: '1',
    ...(typeof redis === 'string' ? {} : { LEDGER_REDIS_URL: redis.url }),
  };
  const url = workers === 'there' ? await standalone(t, environment) : await apart(t, environment);
  const behind = await goBehind(postgres.url, namespace);
  t.teardown(() => behind.close());
  const there =
    typeof redis === 'string'
      ? { redis: null, withoutRedis: redis }
      : { redis, withoutRedis: false as const };
  return { behind, postgresUrl: postgres.url, namespace, environment, ...there, ...callsOf(url) };
}

async function standalone(t: Tap, environment: Record<string, string>): Promise<string> {
  const ledger = await startLedger(environment);
  t.teardown(() => ledger.kill());
  return ledger.url;
}

async function apart(t: Tap, environment: Record<string, string>): Promise<string> {
  const started: ServiceProcess[] = [];
  t.teardown(() => Promise.all(started.map((service) => service.kill())));
  const api = await startService('api', environment);
  started.push(api, await startService('projector', environment));
  await until('reads are ready', async () => (await fetch(`${api.ready}/health/ready`)).ok);
  return api.ready;
}

/** How one of its processes is spoken to. */
export function callsOf(url: string): Calls {
  const call: Calls['call'] = async (method, path, body, key = KEY) => {
    const answer = await fetch(`${url}${path}`, {
      method,
      headers: {
        authorization: `Bearer ${key}`,
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await answer.text();
    return { status: answer.status, body: text === '' ? null : JSON.parse(text) };
  };
  const succeed = async (method: string, path: string, body?: unknown): Promise<Answer['body']> => {
    const answer = await call(method, path, body);
    if (answer.status < 300) return answer.body;
    throw new Error(`${method} ${path}: ${answer.status} ${JSON.stringify(answer.body)}`);
  };
  const get: Calls['get'] = (path) => succeed('GET', path);
  const post: Calls['post'] = (path, body) => succeed('POST', path, body);
  return {
    call,
    get,
    post,
    put: (path, body) => succeed('PUT', path, body),
    async list(path) {
      const all: Answer['body'][] = [];
      const first = `${path}${path.includes('?') ? '&' : '?'}page_size=500`;
      for (let next: string | null = first; next !== null; ) {
        const page: Answer['body'] = await get(next);
        all.push(...page.data);
        next = page.next_cursor && `${first}&cursor=${encodeURIComponent(page.next_cursor)}`;
      }
      return all;
    },
    async moveTo(instant) {
      await post('/v1/test-clock/advance', { to: new Date(instant).toISOString() });
    },
    now: async () => Date.parse((await get('/v1/test-clock')).now),
    async open(id, credits = '0', fields = {}) {
      const account = `/v1/accounts/${id}`;
      await post('/v1/accounts', { id, ...fields });
      const topUp = { credits, source: 'bank', reference: 'to-begin-with' };
      if (credits !== '0') await post(`${account}/top-ups`, topUp);
      return account;
    },
    available: async (account) => (await get(`${account}/balance`)).available,
  };
}

/** At the end of every story: all units come to zero, and the audit finds no difference anywhere. */
export async function booksAgree(t: Tap, story: Story): Promise<void> {
  const { units } = await story.get('/v1/trial-balance');
  for (const { unit, total } of units) t.equal(total, '0', `${unit} come to zero`);
  const { code, said } = await runTool(['verify'], story.environment);
  t.equal(code, 0, `ledger verify says: ${said.trim()}`);
}

export async function until(what: string, holds: () => Promise<boolean> | boolean): Promise<void> {
  const end = performance.now() + 40_000;
  while (!(await holds())) {
    if (performance.now() > end) throw new Error(`not in time: ${what}`);
    await pause(20);
  }
}

/** A leap year that has not begun, with the weekdays of 2028: they come again every 28 years. */
export function leapYear(): number {
  const year = [2028, 2056, 2084].find((candidate) => Date.UTC(candidate, 0, 1) > Date.now() + DAY);
  if (year === undefined) throw new Error('all of them have begun');
  return year;
}

/** What the stories' calls cost without a plan: a credit each. */
export const BOOK = { models: { chat: { prices: { calls: { credits: '1', per: 1 } } } } };

/** A plan for a month, in credits; each story says what is different about it. */
export const monthly = (credits: string, more: object = {}): object => ({
  name: 'A month',
  price: { credits },
  interval: 'month',
  included: [{ unit: 'calls', model: '*', amount: '100', per: 'period' }],
  overage: 'credits',
  ...more,
});
