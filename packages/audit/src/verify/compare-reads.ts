/** All read models against what the audit made of the events. */
import type { EventStore } from '@tallystick/event-store';
import { readAccounted } from './accounted.ts';
import type { Cell } from './cells.ts';
import { compareRows } from './compare-rows.ts';
import type { RowDigest } from './digest.ts';
import type { Directory } from './directory.ts';
import { entryCells } from './entry-row.ts';
import type { Finding } from './finding.ts';
import type { PlatformSums } from './platform.ts';
import type { Reads } from './reads.ts';
import { rangeRows, type SealRows } from './seal-rows.ts';
import type { StreamAudit } from './stream.ts';
import * as tables from './tables.ts';

export interface Expected {
  readonly streams: ReadonlyMap<string, StreamAudit>;
  readonly platform: PlatformSums;
  readonly directory: Directory;
  readonly seals: SealRows;
}

type Report = (finding: Finding) => void;
type Digests = ReadonlyMap<string, readonly [rows: string, sum: string]>;

export async function compareReads(
  store: EventStore,
  reads: Reads,
  entries: Digests,
  expected: Expected,
  report: Report,
): Promise<void> {
  const { streams, platform, directory, seals } = expected;
  const compare = (table: tables.Table, rows: Iterable<readonly Cell[]>): Promise<void> =>
    compareRows(table, rows, reads.rows(table), report);
  await compare(
    tables.BALANCES,
    each(streams, (stream) => oneOf(stream.walletRows()?.balance)),
  );
  await compare(
    tables.LOTS,
    each(streams, (stream) => stream.walletRows()?.lots ?? []),
  );
  await compare(
    tables.HOLDS,
    each(streams, (stream) => stream.walletRows()?.holds ?? []),
  );
  await compare(
    tables.PINS,
    each(streams, (stream) => stream.walletRows()?.pins ?? []),
  );
  await compare(
    tables.MARKS,
    each(streams, (stream) => stream.markRows()),
  );
  await compare(tables.TOTALS, platform.totalRows());
  await compare(tables.DAILY, platform.dayRows());
  await compare(tables.ACCOUNTS, directory.accountRows());
  await compare(tables.FREEZES, directory.freezeRows());
  await compare(tables.PROFILES, directory.profileRows());
  await compare(tables.API_KEYS, directory.keyRows());
  await compare(tables.SEALS, seals.rows);
  const drill = new DrillDown(store, reads, report);
  const entryDigests = new Map([...streams].map(([name, stream]) => [name, stream.entries]));
  await drill.compare(tables.ENTRIES, entries, entryDigests, (name) =>
    drill.rowsOf(name, streams.get(name)?.covered ?? -1, entriesOf),
  );
  const ranges = await reads.digests(tables.SEALED_RANGES);
  await drill.compare(tables.SEALED_RANGES, ranges, seals.covered, async (name) => {
    const rows: Cell[][] = [];
    for (const { name: of, category, covered } of streams.values())
      if (category === 'seal') rows.push(...(await drill.rowsOf(of, covered, rangesOf)));
    return rows.filter(([of]) => of === name);
  });
  if (store.enforcesKeys) return;
  const keyDigests = new Map([...streams].map(([name, stream]) => [name, stream.keys]));
  await drill.compare(tables.KEYS, await reads.digests(tables.KEYS), keyDigests, (name) =>
    drill.rowsOf(name, streams.get(name)?.covered ?? -1, keysOf),
  );
  await compare(
    tables.COVERAGE,
    each(streams, ({ name, covered }) => (covered < 0 ? [] : [[name, String(covered)]])),
  );
}

const oneOf = (row: readonly Cell[] | undefined): readonly (readonly Cell[])[] =>
  row === undefined ? [] : [row];

function* each(
  streams: ReadonlyMap<string, StreamAudit>,
  rowsOf: (stream: StreamAudit) => Iterable<readonly Cell[]>,
): Iterable<readonly Cell[]> {
  for (const stream of streams.values()) yield* rowsOf(stream);
}

type Event = Awaited<ReturnType<EventStore['readStream']>>[number];

type RowsOfEvent = (event: Event) => Cell[][];

const entriesOf: RowsOfEvent = (event) => oneOfCells(entryCells(readAccounted(event)));
const keysOf: RowsOfEvent = ({ stream, key, revision }) =>
  key === null ? [] : [[stream, key, String(revision)]];
const rangesOf: RowsOfEvent = (event) => rangeRows(readAccounted(event));
const oneOfCells = (cells: Cell[] | null): Cell[][] => (cells === null ? [] : [cells]);

const PAGE = 1_000;

/** Streams whose rows do not come to the expected digest are read again, and compared row by row. */
class DrillDown {
  readonly #store: EventStore;
  readonly #reads: Reads;
  readonly #report: Report;

  constructor(store: EventStore, reads: Reads, report: Report) {
    this.#store = store;
    this.#reads = reads;
    this.#report = report;
  }

  async compare(
    table: tables.Table,
    found: Digests,
    expected: ReadonlyMap<string, RowDigest>,
    rowsOf: (stream: string) => Promise<Cell[][]>,
  ): Promise<void> {
    const differing = [...found.keys()].filter((name) => !expected.has(name));
    for (const [name, digest] of expected) {
      const [rows, sum] = found.get(name) ?? ['0', '0'];
      if (!digest.equals(rows, sum)) differing.push(name);
    }
    for (const name of differing)
      await compareRows(table, await rowsOf(name), this.#reads.rows(table, name), this.#report);
  }

  /** Of the events up to a revision. */
  async rowsOf(stream: string, covered: number, rowsOfEvent: RowsOfEvent): Promise<Cell[][]> {
    const rows: Cell[][] = [];
    for (let from = 0; from <= covered; ) {
      const events = await this.#store.readStream(stream, { from, limit: PAGE });
      for (const event of events)
        if (event.revision <= covered) rows.push(...rowsOfReadable(event, rowsOfEvent));
      const last = events.at(-1);
      if (last === undefined) break;
      from = last.revision + 1;
    }
    return rows;
  }
}

/** An event that cannot be read has been named already; its row counts as one that no event makes. */
function rowsOfReadable(event: Event, rowsOfEvent: RowsOfEvent): Cell[][] {
  try {
    return rowsOfEvent(event);
  } catch {
    return [];
  }
}
