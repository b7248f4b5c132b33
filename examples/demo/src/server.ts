/** The ledger the demo runs against: the one that LEDGER_URL and LEDGER_ADMIN_KEY name, else one of its own. */
import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { BadInput } from './bad-input.ts';

export interface DemoServer {
  readonly url: string;
  readonly key: string;
  stop(): Promise<void>;
}

const STANDALONE = join(import.meta.dirname, '../../../services/standalone/src/main.ts');

export async function startServer(): Promise<DemoServer> {
  const { LEDGER_URL: url, LEDGER_ADMIN_KEY: key } = process.env;
  if (url !== undefined) {
    if (key === undefined) throw new BadInput('LEDGER_URL wants LEDGER_ADMIN_KEY beside it');
    if (!URL.canParse(url)) throw new BadInput(`LEDGER_URL: "${url}" is not a URL`);
    return { url, key, stop: async () => undefined };
  }
  return ownServer();
}

async function ownServer(): Promise<DemoServer> {
  const folder = await mkdtemp(join(tmpdir(), 'tallystick-demo-'));
  const key = randomBytes(24).toString('base64url');
  const port = await freePort();
  const env = { ...process.env, PORT: String(port), LEDGER_DATA_DIR: folder, LEDGER_ADMIN_KEY: key };
  const server = spawn(process.execPath, ['--max-semi-space-size=64', STANDALONE], {
    env,
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  const url = `http://127.0.0.1:${port}`;
  const stop = async (): Promise<void> => {
    if (server.exitCode === null && server.signalCode === null) {
      server.kill('SIGTERM');
      await once(server, 'exit');
    }
    await rm(folder, { recursive: true, force: true });
  };
  process.once('exit', () => server.kill('SIGTERM'));
  while (!(await isReady(url))) {
    const ended = server.exitCode ?? server.signalCode;
    if (ended !== null) {
      await stop();
      throw new Error(`the ledger ended with ${ended} instead of starting`);
    }
    await pause(50);
  }
  return { url, key, stop };
}

async function isReady(url: string): Promise<boolean> {
  const answer = await fetch(`${url}/health/ready`).catch(() => null);
  return answer?.ok === true;
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  return typeof address === 'object' && address !== null ? address.port : 0;
}
