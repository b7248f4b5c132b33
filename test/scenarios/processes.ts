/** The services as processes of their own, to start, to ask and to kill. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';

type Environment = Readonly<Record<string, string>>;

export interface ServiceProcess {
  /** What it has written. */
  said(): string;
  /** Resolves when it has ended. */
  kill(signal?: NodeJS.Signals): Promise<void>;
}

/** How each service says that it is ready. A projector does not: whoever reads waits for it. */
const READY = {
  api: /listens on (\S+)/,
  projector: null,
  worker: /the worker works, on (\w+)/,
} as const;

/** Resolves when it is ready, with what it says then. */
export async function startService(
  service: keyof typeof READY,
  environment: Environment,
): Promise<ServiceProcess & { readonly ready: string }> {
  const child = spawn(process.execPath, [mainOf(service)], {
    env: { ...cleanEnvironment(), LOG_LEVEL: 'info', PORT: '0', ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let text = '';
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (chunk: Buffer) => {
      text += chunk.toString();
    });
  const ended = once(child, 'exit');
  const kill: ServiceProcess['kill'] = async (signal = 'SIGTERM') => {
    child.kill(signal);
    await ended;
  };
  const running = { said: () => text, kill };
  const sign = READY[service];
  if (sign === null) return { ...running, ready: '' };
  for (let tries = 0; tries < 1_200; tries += 1) {
    const ready = sign.exec(text)?.[1];
    if (ready !== undefined) return { ...running, ready };
    if (child.exitCode !== null) break;
    await pause(25);
  }
  await kill('SIGKILL');
  throw new Error(`the ${service} does not come up:\n${text}`);
}

/** `ledger …`, as an auditor calls it, to its end. */
export async function runTool(
  args: readonly string[],
  environment: Environment,
): Promise<{ code: number | null; said: string }> {
  const child = spawn(process.execPath, [mainOf('cli'), ...args], {
    env: { ...cleanEnvironment(), ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let said = '';
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (chunk: Buffer) => {
      said += chunk.toString();
    });
  const [code] = (await once(child, 'close')) as [number | null];
  return { code, said };
}

const mainOf = (service: string): string =>
  join(import.meta.dirname, `../../services/${service}/src/main.ts`);

/** Nothing of the developer's own settings, and nothing of the test runner's hooks. */
function cleanEnvironment(): Record<string, string> {
  const { PATH = '', HOME = '', TMPDIR } = process.env;
  return { PATH, HOME, ...(TMPDIR === undefined ? {} : { TMPDIR }) };
}
