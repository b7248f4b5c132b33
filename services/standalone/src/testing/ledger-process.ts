/** The ledger as a process of its own, for tests that kill it; and the few calls that they make. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';

export const KEY = 'an-admin-key-for-tests';
const MAIN = join(import.meta.dirname, '../main.ts');

export interface Answer {
  readonly status: number;
  readonly retryAfter: string | null;
  readonly body: Record<string, unknown>;
}

export interface LedgerProcess {
  readonly url: string;
  /** Sends a request; rejects only where no answer came at all. */
  call(method: string, path: string, body?: unknown): Promise<Answer>;
  kill(signal?: NodeJS.Signals): Promise<void>;
  /** What it wrote to its output. */
  output(): string;
}

export async function startLedger(env: Record<string, string>): Promise<LedgerProcess> {
  const port = await freePort();
  const child = spawn(process.execPath, [MAIN], {
    env: { ...cleanEnvironment(), LEDGER_ADMIN_KEY: KEY, PORT: String(port), ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let written = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (chunk: Buffer) => {
      written += chunk.toString();
    });
  }
  const url = `http://127.0.0.1:${port}`;
  await ready(url, child, () => written);
  return {
    url,
    output: () => written,
    call: (method, path, body) => call(url, method, path, body),
    async kill(signal = 'SIGTERM') {
      if (child.exitCode !== null || child.signalCode !== null) return;
      const exit = once(child, 'exit');
      child.kill(signal);
      await exit;
    },
  };
}

/** Nothing of the developer's own settings, and nothing of the test runner's hooks. */
function cleanEnvironment(): Record<string, string> {
  const { PATH = '', HOME = '', TMPDIR } = process.env;
  return { PATH, HOME, ...(TMPDIR === undefined ? {} : { TMPDIR }) };
}

async function ready(url: string, child: ChildProcess, written: () => string): Promise<void> {
  for (let tries = 0; tries < 1_200; tries += 1) {
    if (child.exitCode !== null) throw new Error(`the ledger ended with ${child.exitCode}:\n${written()}`);
    const answer = await fetch(`${url}/health/ready`).catch(() => null);
    if (answer?.ok) return;
    await pause(50);
  }
  throw new Error(`the ledger does not become ready:\n${written()}`);
}

async function call(url: string, method: string, path: string, body?: unknown): Promise<Answer> {
  const answer = await fetch(`${url}${path}`, {
    method,
    headers: {
      authorization: `Bearer ${KEY}`,
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const text = await answer.text();
  const retryAfter = answer.headers.get('retry-after');
  return { status: answer.status, retryAfter, body: text === '' ? {} : JSON.parse(text) };
}

/** As `call`, and again until there is a final answer: what a client of the ledger does. */
export async function insist(
  ledger: () => LedgerProcess,
  method: string,
  path: string,
  body?: unknown,
): Promise<Answer> {
  for (let tries = 0; tries < 600; tries += 1) {
    const answer = await ledger()
      .call(method, path, body)
      .catch(() => null);
    if (answer !== null && answer.status !== 503 && answer.status !== 429) return answer;
    await pause(50);
  }
  throw new Error(`${method} ${path} never got an answer`);
}

export async function prepare(ledger: LedgerProcess, account: string, credits: string): Promise<void> {
  const book = { models: { call: { prices: { calls: { credits: '1', per: 1 } } } } };
  expectSuccess(await ledger.call('PUT', '/v1/price-books/default', book));
  expectSuccess(await ledger.call('POST', '/v1/accounts', { id: account }));
  const topUp = { credits, source: 'test', reference: 'first' };
  expectSuccess(await ledger.call('POST', `/v1/accounts/${account}/top-ups`, topUp));
}

export const usage = (account: string, id: string): object => ({
  id,
  account,
  model: 'call',
  usage: { calls: 1 },
});

/** The balance at the position that was reached last; waits for the projection. */
export async function balanceOf(
  ledger: LedgerProcess,
  account: string,
  position: string,
): Promise<Answer['body']> {
  const path = `/v1/accounts/${account}/balance?min_position=${position}`;
  return expectSuccess(await insist(() => ledger, 'GET', path));
}

/** Every unit of the trial balance comes to zero. */
export async function trialTotals(ledger: LedgerProcess): Promise<string[]> {
  const { units } = expectSuccess(await insist(() => ledger, 'GET', '/v1/trial-balance'));
  return (units as { total: string }[]).map(({ total }) => total);
}

export function expectSuccess({ status, body }: Answer): Answer['body'] {
  if (status >= 300) throw new Error(`answered ${status}: ${JSON.stringify(body)}`);
  return body;
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  return typeof address === 'object' && address !== null ? address.port : 0;
}
