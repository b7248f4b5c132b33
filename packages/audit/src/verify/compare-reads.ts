/** All read models against what the audit made of the events. */
import { type EventStore, splitStream } from '@tallystick/event-store';
import { readAccounted } from './accounted.ts';
import type { Cell } from './cells.ts';
import { compareRows } from './compare-rows.ts';
import type { Digests } from './digest.ts';
import { entryCells } from './entry-row.ts';
import type { Finding } from './finding.ts';
import type { Listed } from './part.ts';
import type { PlatformSums } from './platform.ts';
import type { Reads } from './reads.ts';
import { rangeRows } from './seal-rows.ts';
import * as tables from './tables.ts';

export interface Expected {
  readonly platform: PlatformSums;
  /** Last revision of each stream that the read models should have seen. */
  readonly covered: ReadonlyMap<string, number>;
  readonly entries: Digests;
  readonly keys: Digests;
  readonly sealedRanges: Digests;
  rows(table: Listed): AsyncIterable<readonly Cell[]>;
}

type Report = (finding: Finding) => void;
type Found = ReadonlyMap<string, readonly [rows: string, sum: string]>;

export async function compareReads(
  store: EventStore,
  reads: Reads,
  entries: Found,
  expected: Expected,
  report: Report,
): Promise<void> {
  const { platform, covered } = expected;
  const compare = (
    table: tables.Table,
    rows: Iterable<readonly Cell[]> | AsyncIterable<readonly Cell[]>,
  ): Promise<void> => compareRows(table, rows, reads.rows(table), report);
  for (const [listed, table] of LISTED) await compare(table, expected.rows(listed));
  await compare(tables.TOTALS, platform.totalRows());
  await compare(tables.DAILY, platform.dayRows());
  const drill = new DrillDown(store, reads, report);
  const rowsOf = (rowsOfEvent: RowsOfEvent) => (name: string) =>
    drill.rowsOf(name, covered.get(name) ?? -1, rowsOfEvent);
  await drill.compare(tables.ENTRIES, entries, expected.entries, rowsOf(entriesOf));
  const ranges = await reads.digests(tables.SEALED_RANGES);
  await drill.compare(tables.SEALED_RANGES, ranges, expected.sealedRanges, async (name) => {
    const rows: Cell[][] = [];
    for (const stream of covered.keys())
      if (splitStream(stream).category === 'seal') rows.push(...(await rowsOf(rangesOf)(stream)));
    return rows.filter(([of]) => of === name);
  });
  if (store.enforcesKeys) return;
  await drill.compare(tables.KEYS, await reads.digests(tables.KEYS), expected.keys, rowsOf(keysOf));
  await compare(tables.COVERAGE, expected.rows('coverage'));
}

/** Small enough to be compared row by row. */
const LISTED: readonly (readonly [Listed, tables.Table])[] = [
  ['balances', tables.BALANCES],
  ['lots', tables.LOTS],
  ['holds', tables.HOLDS],
  ['pins', tables.PINS],
  ['quota_pins', tables.QUOTA_PINS],
  ['subscriptions', tables.SUBSCRIPTIONS],
  ['quotas', tables.QUOTAS],
  ['purchases', tables.PURCHASES],
  ['account_coupons', tables.ACCOUNT_COUPONS],
  ['referral_accruals', tables.REFERRAL_ACCRUALS],
  ['marks', tables.MARKS],
  ['accounts', tables.ACCOUNTS],
  ['freezes', tables.FREEZES],
  ['profiles', tables.PROFILES],
  ['api_keys', tables.API_KEYS],
  ['seals', tables.SEALS],
];

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
    found: Found,
    expected: Digests,
    rowsOf: (stream: string) => Promise<Cell[][]>,
  ): Promise<void> {
    const differing = [...found.keys()].filter((name) => !expected.has(name));
    for (const [name, digest] of expected) {
      const [rows, sum] = found.get(name) ?? ['0', '0'];
      if (digest.rows !== Number(rows) || digest.sum !== Number(sum)) differing.push(name);
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
