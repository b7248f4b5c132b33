/** One part of the ledger as a process of its own: what API, projector and worker have in common. */
import { once } from 'node:events';
import { type Connected, type ConnectOptions, connectPatiently } from './connect.ts';
import { createLog, type Log, withoutPasswords } from './log.ts';
import { createMeter, type Meter } from './meter.ts';
import { BadSettings, parseSettings, type Settings } from './settings.ts';
import { startTracing, type Tracing } from './tracing.ts';

export interface Part {
  readonly settings: Settings;
  /** Of the read models; a part cannot do without. */
  readonly postgresUrl: string;
  readonly ledger: Connected;
  readonly log: Log;
  readonly meter: Meter;
  readonly tracing: Tracing | null;
  /** Aborts with the first of `stopSignal`. */
  readonly stopping: AbortSignal;
}

type Connecting = Pick<ConnectOptions, 'connections' | 'onGroup'>;

/**
 * Waits for store and database, runs the part, and ends the process: with what `run` returns, with 1 where it throws,
 * with 2 where the settings are wrong.
 * @param run until `stopping`; stops what it has started
 */
export async function runPart(
  name: string,
  connecting: (settings: Settings, meter: Meter) => Connecting,
  run: (part: Part) => Promise<number>,
): Promise<never> {
  try {
    process.exit(await connectAndRun(name, connecting, run));
  } catch (error) {
    process.stderr.write(`${withoutPasswords(error instanceof Error ? error.message : String(error))}\n`);
    process.exit(error instanceof BadSettings ? 2 : 1);
  }
}

async function connectAndRun(
  name: string,
  connecting: (settings: Settings, meter: Meter) => Connecting,
  run: (part: Part) => Promise<number>,
): Promise<number> {
  const settings = parseSettings(process.env);
  const { postgresUrl } = settings;
  if (postgresUrl === null)
    throw new BadSettings(['LEDGER_POSTGRES_URL must name the database of the read models']);
  const log = createLog(settings.logLevel, name);
  const meter = createMeter();
  const stopping = stopSignal();
  const onError = (err: unknown): void => log.warn({ err }, 'store or database are away');
  const options = { ...settings, postgresUrl, onError, ...connecting(settings, meter) };
  const ledger = await connectPatiently(options, stopping);
  if (ledger === null) return 0;
  const tracing = await startTracing(process.env, `tallystick-${name}`, (message) => log.warn(message));
  const code = await run({ settings, postgresUrl, ledger, log, meter, tracing, stopping });
  await tracing?.stop();
  await ledger.close();
  return code;
}

/**
 * Aborts with SIGTERM, SIGINT or SIGHUP: a terminal that is closed ends a process in good order as well, or what it has
 * started would go on without it. A second SIGTERM or SIGINT ends it at once; SIGHUP comes twice of itself, from the
 * terminal and from the shell that ends with it.
 */
export function stopSignal(): AbortSignal {
  const stopping = new AbortController();
  const stop = (): void => stopping.abort();
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, stop);
  process.on('SIGHUP', stop);
  return stopping.signal;
}

/** Until the part is to stop. */
export async function untilStopped({ stopping }: Pick<Part, 'stopping'>): Promise<void> {
  if (!stopping.aborted) await once(stopping, 'abort');
}
