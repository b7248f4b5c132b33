/**
 * From settings to a ledger that can be worked with: the event store they name, the read models beside it, and the
 * certainty that both are of one ledger (rule 10). Every process of the system starts with this.
 */
import { randomUUID } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { GENESIS_ID, genesisDecider, type LedgerOpened } from '@tallystick/domain';
import {
  createEventStoreDbStore,
  createPostgresStore,
  createRunner,
  type EventStore,
  type KeyIndex,
  type SnapshotReader,
} from '@tallystick/event-store';
import {
  assertSameHistory,
  claim,
  createKeyIndex,
  createSnapshotReader,
  ForeignReads,
  migrate,
  ownerOf,
  readCheckpoint,
  readsSchema,
} from '@tallystick/projections';
import pg from 'pg';
import { type Clock, followTestClock, realClock, type TestClock } from './clock.ts';
import { joinClock } from './clock-processes.ts';
import { BadSettings } from './settings.ts';

const RETRY_MS = 1_000;
/** A database that is frozen must not hang whoever asks it: key look-ups pin their wallet while they wait. */
const PATIENCE = {
  connectionTimeoutMillis: 5_000,
  query_timeout: 15_000,
  statement_timeout: 10_000,
  keepAlive: true,
};

export interface ConnectOptions {
  readonly namespace: string;
  /** Null: events are stored in Postgres. */
  readonly esdbUrl: string | null;
  readonly postgresUrl: string;
  /** Of the read models; every process of a ledger is told the same. */
  readonly partitions?: number;
  /** A new store gets a clock that can be moved, and only one that was born so is opened. False where left out. */
  readonly testClock?: boolean;
  /** Connections for the read models. */
  readonly connections?: number;
  /** Told of connections that were lost while idle; they are made anew by themselves. */
  readonly onError?: (error: unknown) => void;
  /** Told of each transaction of the Postgres store, how many appends it had. */
  readonly onGroup?: (appends: number) => void;
}

export interface Connected {
  readonly store: EventStore;
  /** The store itself where it enforces keys, else the projector's table (rule 3). */
  readonly keyIndex: KeyIndex;
  readonly snapshots: SnapshotReader;
  readonly pool: pg.Pool;
  /** Of the read models. */
  readonly schema: string;
  readonly genesis: LedgerOpened['data'];
  /** What business goes by. */
  readonly clock: Clock;
  /** The same; null where it is real time and cannot be moved. */
  readonly testClock: TestClock | null;
  close(): Promise<void>;
}

/**
 * @throws ForeignReads where the read models are of another store; it says how to rebuild
 * @throws BadSettings where the store was born with a clock that can be moved and the settings do not say so, or the
 * other way round
 */
export async function connectLedger(options: ConnectOptions): Promise<Connected> {
  const {
    namespace,
    postgresUrl,
    partitions = 1,
    connections = 10,
    testClock: asked = false,
    onError = () => undefined,
  } = options;
  const pool = new pg.Pool({
    connectionString: postgresUrl,
    max: connections,
    application_name: 'tallystick reads',
    ...PATIENCE,
  });
  let closing = false;
  pool.on('error', (error) => {
    if (!closing) onError(error);
  });
  const schema = readsSchema(namespace);
  const close: (() => Promise<void>)[] = [() => pool.end()];
  try {
    const { store, keyIndex } = await openStore(options, () => createKeyIndex(pool, schema));
    close.unshift(() => store.close());
    await migrate(pool, schema, partitions);
    await refuseEmptyStore(store, pool, schema);
    const genesis = await openGenesis(store, keyIndex, asked);
    assertClock(genesis, asked);
    await claim(pool, schema, {
      storeId: genesis.store_id,
      epoch: genesis.epoch,
      testClock: genesis.test_clock,
    });
    // A restored log may be behind what the read models, and so the key index, have seen of it (rule 10).
    for (let partition = 0; partition < partitions; partition++)
      await assertSameHistory(store, await readCheckpoint(pool, schema, partition));
    const snapshots = createSnapshotReader(pool, schema);
    const testClock = genesis.test_clock ? await openTestClock(store, pool, namespace, onError) : null;
    if (testClock !== null) close.unshift(() => testClock.close());
    return {
      store,
      keyIndex,
      snapshots,
      pool,
      schema,
      genesis,
      clock: testClock ?? realClock,
      testClock,
      close() {
        closing = true;
        return closeAll(close);
      },
    };
  } catch (error) {
    await closeAll(close);
    throw error;
  }
}

/**
 * As `connectLedger`, again and again until store and database are there: they may come up after this process.
 * @returns null where `signal` ends the waiting
 */
export async function connectPatiently(
  options: ConnectOptions,
  signal: AbortSignal,
): Promise<Connected | null> {
  let told = '';
  while (!signal.aborted) {
    try {
      return await connectLedger(options);
    } catch (error) {
      if (error instanceof ForeignReads || error instanceof BadSettings) throw error;
      const refusal = refusedByServer(error);
      if (refusal !== null) throw new BadSettings([`LEDGER_POSTGRES_URL: ${refusal}`]);
      const message = error instanceof Error ? error.message : String(error);
      if (message !== told) options.onError?.(error);
      told = message;
      await pause(RETRY_MS, undefined, { signal }).catch(() => undefined);
    }
  }
  return null;
}

/** The server is there and will not let us in, whatever we wait for: no such database, role or password. */
function refusedByServer(error: unknown): string | null {
  if (!(error instanceof Error)) return null;
  const { code } = error as { code?: unknown };
  if (typeof code === 'string' && /^(28|3D)/.test(code)) return error.message;
  return refusedByServer(error.cause);
}

/** The event store alone, claiming nothing: for tools that read. */
export async function openStore(
  {
    namespace,
    esdbUrl,
    postgresUrl,
    onGroup = () => undefined,
  }: Pick<ConnectOptions, 'namespace' | 'esdbUrl' | 'postgresUrl' | 'onGroup'>,
  projected: () => KeyIndex,
): Promise<{ store: EventStore; keyIndex: KeyIndex }> {
  if (esdbUrl === null) {
    const store = await createPostgresStore({ connectionString: postgresUrl, namespace, onGroup });
    return { store, keyIndex: store };
  }
  return { store: createEventStoreDbStore({ connectionString: esdbUrl, namespace }), keyIndex: projected() };
}

/** Read models without their store: most likely a setting is missing, and a new ledger must not be opened over it. */
async function refuseEmptyStore(store: EventStore, pool: pg.Pool, schema: string): Promise<void> {
  const owner = await ownerOf(pool, schema);
  if (owner === null || (await store.head(`${genesisDecider.category}-${GENESIS_ID}`)) >= 0) return;
  throw new ForeignReads(
    `the event store is empty, but the read models in ${schema} are those of the store ${owner}`,
  );
}

/** The store's first event. Two first starts make one: its stream must not exist yet (rule 12). */
async function openGenesis(
  store: EventStore,
  keyIndex: KeyIndex,
  testClock: boolean,
): Promise<LedgerOpened['data']> {
  const runner = createRunner<null>({
    store,
    keyIndex,
    snapshots: { read: async () => null },
    catalogue: { current: () => null, fresh: async () => null },
  });
  const storeId = randomUUID();
  const command = { type: 'OpenLedger', key: null, fingerprint: null, storeId, testClock } as const;
  const order = { id: GENESIS_ID, command, cause: { actor: 'first-start', request: '' } };
  const executed = await runner.execute(genesisDecider, [order], Date.now() + 30_000);
  const outcome = executed === 'queue_full' ? undefined : executed[0];
  if (outcome?.status === 'recorded') return outcome.event.data;
  if (outcome?.status === 'unchanged' && outcome.state.ledger !== null) return outcome.state.ledger;
  throw new Error(
    `the ledger could not be opened: ${outcome?.status === 'unavailable' ? outcome.reason : outcome?.status}`,
  );
}

/**
 * Both must say the same. A store that was not born so never gets such a clock; and one that was is no ledger of
 * anybody's money, so whatever starts on it has to know that.
 */
function assertClock({ test_clock: born }: LedgerOpened['data'], asked: boolean): void {
  if (born === asked) return;
  throw new BadSettings([
    born
      ? 'LEDGER_TEST_CLOCK must be 1 here: this ledger was opened with a clock that can be moved, for tests, and has it for good'
      : 'LEDGER_TEST_CLOCK must not be 1 here: this ledger was opened without a clock that can be moved, and never gets one. Take another LEDGER_NAMESPACE or database for tests',
  ]);
}

async function openTestClock(
  store: EventStore,
  pool: pg.Pool,
  namespace: string,
  onError: (error: unknown) => void,
): Promise<TestClock> {
  const processes = await joinClock(pool, namespace);
  return followTestClock({ store, processes, onError });
}

async function closeAll(steps: readonly (() => Promise<void>)[]): Promise<void> {
  for (const step of steps) await step().catch(() => undefined);
}
