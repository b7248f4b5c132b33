/**
 * A real Redis for tests: the one that `LEDGER_REDIS_URL` names, else a `redis-server` from the PATH in a temporary folder
 * on a free port.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { rmSync } from 'node:fs';
import { mkdtemp } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export interface TestRedis {
  readonly url: string;
  /** To stop, start and empty it; null where it is not ours to do so. */
  readonly server: TestRedisServer | null;
  /** Ends what was started. It happens without it, too, when the process ends, however it ends. */
  stop(): Promise<void>;
}

export interface TestRedisServer {
  /** Without any farewell; it keeps nothing. */
  kill(): Promise<void>;
  /** It says nothing more, and its connections stay open, until it is thawed. */
  freeze(): void;
  thaw(): void;
  /** Starts it again on the same port, empty. */
  start(): Promise<void>;
}

/** Where there is none: the reason, for the test to skip with. */
export async function startRedis({
  policy = 'noeviction',
}: {
  readonly policy?: string;
} = {}): Promise<TestRedis | string> {
  const given = process.env.LEDGER_REDIS_URL;
  if (given) return { url: given, server: null, stop: async () => undefined };
  const folder = await mkdtemp(join(tmpdir(), 'tallystick-redis-'));
  const sweep = sweepAfterwards(folder);
  for (let tries = 0; tries < 3; tries += 1) {
    // Between finding a port free and listening on it another process may take it.
    const port = await freePort();
    const child = await launch(folder, port, policy);
    if (child !== 'missing' && child !== null)
      return owned(child, port, () => launch(folder, port, policy), sweep);
    if (child === null) continue;
    await sweep();
    return 'there is no redis-server on the PATH, and LEDGER_REDIS_URL is not set';
  }
  await sweep();
  throw new Error('redis-server does not start');
}

type Launched = ChildProcess | 'missing' | null;

function owned(
  first: ChildProcess,
  port: number,
  again: () => Promise<Launched>,
  sweep: () => Promise<void>,
): TestRedis {
  let running = first;
  async function kill(): Promise<void> {
    if (running.exitCode !== null || running.signalCode !== null) return;
    running.ref();
    const exit = once(running, 'exit');
    running.kill('SIGKILL');
    await exit;
  }
  return {
    url: `redis://127.0.0.1:${port}`,
    server: {
      kill,
      freeze: () => void running.kill('SIGSTOP'),
      thaw: () => void running.kill('SIGCONT'),
      async start() {
        const child = await again();
        if (child === null || child === 'missing') throw new Error('redis-server does not start again');
        running = child;
      },
    },
    async stop() {
      await kill();
      await sweep();
    },
  };
}

/** Null where it ends at once, most likely because the port is taken. */
async function launch(folder: string, port: number, policy: string): Promise<Launched> {
  const settings = {
    port: String(port),
    bind: '127.0.0.1',
    dir: folder,
    pidfile: join(folder, 'redis.pid'),
    save: '',
    appendonly: 'no',
    'maxmemory-policy': policy,
  };
  const flags = Object.entries(settings).flatMap(([name, value]) => [`--${name}`, value]);
  const child = spawn('redis-server', flags, { stdio: ['ignore', 'pipe', 'ignore'], detached: true });
  const started = Promise.withResolvers<Launched>();
  child.once('error', () => started.resolve('missing'));
  child.once('exit', () => {
    // Its number may become another process's, which the sweeper must not end.
    rmSync(settings.pidfile, { force: true });
    started.resolve(null);
  });
  let said = '';
  child.stdout.on('data', (chunk: Buffer) => {
    if (said.length < 10_000) said += chunk.toString();
    if (said.includes('Ready to accept connections')) started.resolve(child);
  });
  const result = await started.promise;
  child.unref();
  if ('unref' in child.stdout && typeof child.stdout.unref === 'function') child.stdout.unref();
  return result;
}

/**
 * A shell that waits for the end of this process: its input ends with it, even by SIGKILL. @returns how to sweep before
 */
function sweepAfterwards(folder: string): () => Promise<void> {
  const script = 'cat > /dev/null; if read -r pid < "$0/redis.pid"; then kill -KILL "$pid"; fi; rm -rf "$0"';
  const sweeper = spawn('sh', ['-c', script, folder], {
    stdio: ['pipe', 'ignore', 'ignore'],
    detached: true,
  });
  sweeper.unref();
  const { stdin } = sweeper;
  if (stdin !== null && 'unref' in stdin && typeof stdin.unref === 'function') stdin.unref();
  return async () => {
    const exit = once(sweeper, 'exit');
    sweeper.ref();
    sweeper.stdin?.end();
    await exit;
  };
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  return typeof address === 'object' && address !== null ? address.port : 0;
}
