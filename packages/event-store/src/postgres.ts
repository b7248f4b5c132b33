/**
 * The Postgres store: one table, one writing function (postgres-schema.ts), appends in groups (postgres-append.ts).
 * Positions are 1, 2, 3, …, become visible in that order, and are the cursors.
 */
import pg from 'pg';
import { HASH_SUFFIX_LENGTH } from './codec.ts';
import type { EventStore, KeyIndex, Page, ReadAll, RecordedEvent } from './port.ts';
import { GroupAppender } from './postgres-append.ts';
import { unavailable } from './postgres-errors.ts';
import { schemaOf } from './postgres-schema.ts';
import { DoorBell } from './postgres-watch.ts';
import { RecentAppends } from './recent-appends.ts';

export interface PostgresStoreOptions {
  readonly connectionString: string;
  /** Lower-case letters, digits and `_`; the schema is `<namespace>_events`. */
  readonly namespace?: string;
  readonly readConnectionsMax?: number;
  /** Without an answer for so long an append's outcome is unknown. Longer than the server's own limit of 10 s. */
  readonly answerMsMax?: number;
  /** Told of each transaction that was written, how many appends (and so streams) it had. */
  readonly onGroup?: (appends: number) => void;
}

type Row = readonly [string, string, string, string, string, string | null, string, string];
const COLUMNS = 'e.position, e.stream, e.revision, e.id, e.type, e.key, e.data, e.meta';
const HASH_COLUMNS = `e.position, e.stream, e.revision, e.id, e.type, e.key, '', right(e.meta, ${HASH_SUFFIX_LENGTH})`;

/** Opens the store; makes its schema where it is missing. Rejects with StoreUnavailable where Postgres is not there. */
export async function createPostgresStore(options: PostgresStoreOptions): Promise<EventStore & KeyIndex> {
  const { connectionString, namespace = 'ledger', readConnectionsMax = 8, answerMsMax = 15_000 } = options;
  const schema = schemaOf(namespace);
  const config = (role: string) => ({ connectionString, application_name: `${schema}:${role}` });
  const recent = new RecentAppends();
  const appender = new GroupAppender(
    config('append'),
    namespace,
    answerMsMax,
    (append, position) => recent.add(append, position),
    options.onGroup ?? (() => undefined),
  );
  const pool = openPool({ ...config('read'), max: readConnectionsMax, query_timeout: answerMsMax });
  const bell = new DoorBell(config('watch'), schema, lastPosition);

  async function rows<R extends readonly unknown[]>(
    text: string,
    values: unknown[],
    name?: string,
  ): Promise<R[]> {
    try {
      const named = name === undefined ? {} : { name };
      return (await pool.query<unknown[]>({ text, values, rowMode: 'array', ...named }))
        .rows as unknown as R[];
    } catch (error) {
      throw unavailable(error);
    }
  }

  async function lastPosition(): Promise<bigint> {
    const [row] = await rows<[string]>(
      `select coalesce(max(position), 0) from ${schema}.events`,
      [],
      'position',
    );
    return BigInt(row?.[0] ?? 0);
  }

  async function readUnfiltered({ after, limit, hashesOnly = false }: ReadAll): Promise<Page> {
    const [columns, name] = hashesOnly ? [HASH_COLUMNS, 'read_hashes'] : [COLUMNS, 'read_all'];
    const text = `select ${columns} from ${schema}.events e where e.position > $1 order by e.position limit $2`;
    const read = (await rows<Row>(text, [after ?? '0', limit + 1], name)).map(recorded);
    const events = read.slice(0, limit);
    return pageOf(events, events.at(-1)?.position ?? BigInt(after ?? 0), read.length <= limit);
  }

  /**
   * One statement, so one snapshot: where the matching events end, the cursor goes to the store's head *of the same
   * moment*, past what the filter left out. It is planned each time: a kept plan would not use the partial index that
   * a reader of catalogues depends on, if it was made while the table was small.
   */
  async function readFiltered({ after, limit }: ReadAll, categories: readonly string[]): Promise<Page> {
    const partial = categories.includes('wallet') ? '' : `and x.category <> 'wallet'`;
    const text = `select ${COLUMNS}, h.head
      from (select coalesce(max(position), 0) as head from ${schema}.events) h
      left join lateral (select * from ${schema}.events x
        where x.position > $1 and x.category = any ($3) ${partial} order by x.position limit $2) e on true
      order by e.position`;
    const read = await rows<[...Row, string]>(text, [after ?? '0', limit + 1, categories]);
    const events = read.filter((row) => row[0] !== null).map((row) => recorded(row as unknown as Row));
    if (events.length > limit)
      return pageOf(events.slice(0, limit), events[limit - 1]?.position ?? 0n, false);
    const head = BigInt(read[0]?.[8] ?? 0);
    const from = BigInt(after ?? 0);
    return pageOf(events, head > from ? head : from, true);
  }

  try {
    await appender.start();
  } catch (error) {
    await Promise.all([appender.close(), pool.end()]);
    throw error;
  }
  return {
    enforcesKeys: true,

    append: (append) => appender.append(append),

    async readStream(stream, { from, limit }) {
      const text = `select ${COLUMNS} from ${schema}.events e
        where e.stream = $1 and e.revision >= $2 order by e.revision limit $3`;
      return (await rows<Row>(text, [stream, from, limit], 'read_stream')).map(recorded);
    },

    async readRevisions(stream, revisions) {
      const text = `select ${COLUMNS} from ${schema}.events e
        where e.stream = $1 and e.revision = any ($2) order by e.revision`;
      return (await rows<Row>(text, [stream, [...revisions]], 'read_revisions')).map(recorded);
    },

    async head(stream) {
      const text = `select e.revision from ${schema}.events e where e.stream = $1 order by e.revision desc limit 1`;
      return Number((await rows<[string]>(text, [stream], 'head'))[0]?.[0] ?? -1);
    },

    async readAll(options) {
      const { after, limit, categories } = options;
      // Who follows catalogues alone has a narrow index, and nobody need keep the wallets' events for it.
      const mayBeKnown = categories === undefined || categories.includes('wallet');
      const known = mayBeKnown ? recent.after(BigInt(after ?? 0), limit, categories) : null;
      // Whether these are the last ones only the table knows; the reader will ask again.
      if (known !== null) return pageOf(known.events, known.until, false);
      return categories === undefined ? readUnfiltered(options) : readFiltered(options, categories);
    },

    /** One statement, so one snapshot: what it covers and what it found belong together (rule 3). */
    async lookup(stream, keys) {
      const text = `select coalesce((select x.revision from ${schema}.events x where x.stream = $1
          order by x.revision desc limit 1), -1), e.key, e.revision
        from (select) once left join ${schema}.events e on e.stream = $1 and e.key = any ($2)`;
      const found = await rows<[string, string | null, string]>(text, [stream, [...keys]], 'lookup');
      const hits = new Map(
        found.flatMap(([, key, revision]) => (key === null ? [] : [[key, Number(revision)]])),
      );
      return { hits, coveredTo: Number(found[0]?.[0] ?? -1) };
    },

    watch: (ring, categories) => bell.watch(ring, categories),

    async close() {
      await bell.close();
      await appender.close();
      await pool.end();
    },
  };
}

/**
 * Connections for reading. Named statements keep a plan that may have been made while the table was small, so scanning
 * and sorting it is switched off: every read has its index.
 */
function openPool(config: pg.PoolConfig): pg.Pool {
  const session = `set statement_timeout = '10s'; set idle_in_transaction_session_timeout = '10s';
    set enable_seqscan = off; set enable_bitmapscan = off; set enable_hashjoin = off; set enable_mergejoin = off`;
  const prepare = async (client: pg.ClientBase): Promise<void> => {
    await client.query(session);
  };
  // The pool hands a connection out after `onConnect` has resolved, and drops it where that rejects.
  const pool = new pg.Pool({
    ...config,
    connectionTimeoutMillis: 5_000,
    keepAlive: true,
    onConnect: prepare,
  });
  // An idle connection was lost: the pool has dropped it and opens another when asked.
  pool.on('error', () => undefined);
  return pool;
}

function recorded([position, stream, revision, id, type, key, data, meta]: Row): RecordedEvent {
  return { id, type, key, data, meta, stream, revision: Number(revision), position: BigInt(position) };
}

function pageOf(events: readonly RecordedEvent[], position: bigint, atEnd: boolean): Page {
  return { events, cursor: position === 0n ? null : String(position), position, atEnd };
}
