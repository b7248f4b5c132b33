/** Row 4: a ledger whose events are in EventStoreDB, beside that database's own client. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { BareClientJob } from './bare-client.ts';
import type { BareReport } from './bare-insert.ts';
import type { Child } from './children.ts';
import { type Groups, interleave, runBare, type Side } from './measure.ts';
import { compare, type Result } from './results.ts';
import {
  ARRAY_CONNECTIONS,
  ARRAY_ITEMS,
  type Bench,
  CONNECTIONS,
  charges,
  newPrefix,
  WALLETS,
  warmUp,
} from './rows.ts';

export interface Server {
  readonly url: string;
  /** Null: it is somebody else's, perhaps on another machine. */
  readonly pid: number | null;
  readonly isStandIn: boolean;
  stop(): Promise<void>;
}

/** The server that LEDGER_ESDB_URL names, else the stand-in, which keeps its log in memory and flushes nothing. */
export async function openServer(given: string | undefined): Promise<Server> {
  if (given) return { url: given, pid: null, isStandIn: false, stop: async () => undefined };
  const main = new URL('./eventstoredb-main.ts', import.meta.resolve('@tallystick/event-store/testing'));
  const child = spawn(process.execPath, [fileURLToPath(main)], { stdio: ['ignore', 'pipe', 'inherit'] });
  const end = (): void => void child.kill('SIGKILL');
  process.once('exit', end);
  const [url] = (await once(createInterface({ input: child.stdout }), 'line')) as [string];
  return {
    url,
    pid: child.pid ?? null,
    isStandIn: true,
    async stop() {
      process.off('exit', end);
      const exit = once(child, 'exit');
      child.kill('SIGTERM');
      await exit;
    },
  };
}

/** Items of one array belong to so few wallets that each append carries a good many of them. */
const WALLETS_PER_ARRAY = 8;
const STAND_IN_NOTE = 'on the stand-in, in memory: says nothing about a server';

export async function esdbRows(
  bench: Bench,
  server: Server,
  client: Child<BareClientJob, BareReport>,
): Promise<Result[]> {
  const { plan, ledger } = bench;
  const store: Groups = server.pid === null ? {} : { store: [server.pid] };
  const appends = (name: string, eventsPerAppend: number): Side => ({
    name,
    run: () =>
      runBare({ ...store, load: [client.pid] }, () =>
        client.ask({
          esdbUrl: server.url,
          namespace: ledger.namespace,
          prefix: newPrefix(),
          streams: WALLETS,
          inFlight: CONNECTIONS,
          eventsPerAppend,
          seconds: plan.seconds,
        }),
      ),
  });
  const singles = charges(bench, 'EventStoreDB, one per request', {}, store);
  const arrays = charges(
    bench,
    `EventStoreDB, arrays of ${ARRAY_ITEMS} for ${WALLETS_PER_ARRAY} wallets`,
    { kind: 'array', connections: ARRAY_CONNECTIONS, walletsPerArray: WALLETS_PER_ARRAY },
    store,
  );
  const perAppend = ARRAY_ITEMS / WALLETS_PER_ARRAY;
  const bareSingles = appends('bare client, one per append', 1);
  const bareArrays = appends(`bare client, ${perAppend} per append`, perAppend);
  plan.tell('EventStoreDB, warming up');
  await warmUp([singles, arrays, singles, bareSingles, bareArrays]);
  const measured = await interleave({ singles, bareSingles, arrays, bareArrays }, plan.rounds, plan.tell);
  const note = server.isStandIn ? STAND_IN_NOTE : '';
  return [
    compare({
      row: 4,
      ours: [singles.name, measured.singles],
      yardstick: [bareSingles.name, measured.bareSingles],
      aim: 0.8,
      note,
    }),
    compare({
      row: 4,
      ours: [arrays.name, measured.arrays],
      yardstick: [bareArrays.name, measured.bareArrays],
      aim: 1.2,
      note,
    }),
  ];
}
