/** API processes on one database, served on real ports: in this process, to look into, or as ones of their own, to kill. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { type Connected, connectLedger, createLog, createMeter, parseSettings } from '@tallystick/connect';
import { followReads, startProjector } from '@tallystick/projections';
import { serveLedger } from '../serve.ts';

const KEY = 'an-admin-key-for-tests';
const MAIN = join(import.meta.dirname, '../main.ts');

export interface Answer {
  readonly status: number;
  // biome-ignore lint/suspicious/noExplicitAny: the shape is what is being tested
  readonly body: any;
}

export type Call = (method: string, path: string, body?: unknown, key?: string) => Promise<Answer>;

export interface Served {
  readonly url: string;
  readonly call: Call;
  readonly ledger: Connected;
  stop(): Promise<void>;
}

type Environment = Readonly<Record<string, string>>;

/** An API; with a projector where `projects` says so: one of the processes on a database needs it. */
export async function serve(
  postgresUrl: string,
  environment: Environment = {},
  { projects = true } = {},
): Promise<Served> {
  const settings = parseSettings({ PORT: '0', LEDGER_ADMIN_KEY: KEY, ...environment });
  const ledger = await connectLedger({ ...settings, postgresUrl });
  const { store, pool, schema } = ledger;
  const projector = projects ? startProjector({ store, pool, schema }) : null;
  const follower = followReads(pool, schema);
  const served = await serveLedger({
    settings,
    ledger,
    log: createLog('silent', 'test'),
    meter: createMeter(),
    tracer: null,
    waitFor: (wanted, timeoutMs) => follower.waitFor(wanted, timeoutMs),
    lagMs: () => projector?.lagMs ?? null,
    onNewAdminKey: () => undefined,
    onError: () => undefined,
  });
  return {
    url: served.url,
    call: callerOf(served.url),
    ledger,
    async stop() {
      await served.close();
      await projector?.stop();
      await follower.close();
      await ledger.close();
    },
  };
}

export interface ServedProcess {
  readonly call: Call;
  kill(signal: NodeJS.Signals): Promise<void>;
}

/** An API process of its own, without a projector. */
export async function serveProcess(postgresUrl: string, environment: Environment): Promise<ServedProcess> {
  const { child, written } = spawnApi(postgresUrl, environment);
  let url: string | undefined;
  for (let tries = 0; url === undefined; tries += 1) {
    if (child.exitCode !== null || tries > 600) throw new Error(`the API does not come up:\n${written()}`);
    url = /listens on (\S+)/.exec(written())?.[1];
    await pause(50);
  }
  return {
    call: callerOf(url),
    async kill(signal) {
      const exit = once(child, 'exit');
      child.kill(signal);
      await exit;
    },
  };
}

/** Where it does not come up: its exit code, and what it said. */
export async function failToServe(
  postgresUrl: string,
  environment: Environment,
): Promise<{ code: number | null; said: string }> {
  const { child, written } = spawnApi(postgresUrl, environment);
  const [code] = (await once(child, 'exit')) as [number | null];
  return { code, said: written() };
}

function spawnApi(postgresUrl: string, environment: Environment): { child: ChildProcess; written(): string } {
  const { PATH = '', HOME = '' } = process.env;
  const child = spawn(process.execPath, [MAIN], {
    // Nothing of the developer's own settings, and nothing of the test runner's hooks.
    env: {
      PATH,
      HOME,
      PORT: '0',
      LEDGER_ADMIN_KEY: KEY,
      LEDGER_POSTGRES_URL: postgresUrl,
      ...environment,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let text = '';
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (chunk: Buffer) => {
      text += chunk.toString();
    });
  return { child, written: () => text };
}

function callerOf(url: string): Call {
  return async (method, path, body, key = KEY) => {
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
}
