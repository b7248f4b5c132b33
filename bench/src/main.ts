/**
 * `pnpm bench`: how fast the ledger is beside bare yardsticks, on this machine, in this run. Ratios are what counts:
 * machines drift, so each side is run in turn with its yardstick. `--quick` is for a look, not for a decision.
 */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { readArguments, refuseArguments } from './arguments.ts';
import { auditRow } from './audit-row.ts';
import type { BareClientJob } from './bare-client.ts';
import type { BareInsertJob, BareReport } from './bare-insert.ts';
import type { BareRouteJob } from './bare-route.ts';
import { startChild } from './children.ts';
import { clientRow } from './client-rows.ts';
import { esdbRows, openServer } from './esdb-rows.ts';
import { type Ledger, postgresVersion, prepare, readBooks, startLedger, usageSchema } from './ledger.ts';
import type { LoadJob, LoadReport } from './load.ts';
import { describeMachine, describeVersion } from './machine.ts';
import { planRow } from './plan-rows.ts';
import { openProgress } from './progress.ts';
import { type Report, tableOf, writeReport } from './report.ts';
import type { Done, Result } from './results.ts';
import {
  arrayRow,
  type Bench,
  bareRoute,
  charges,
  lagRow,
  type Plan,
  readRows,
  singleRows,
  WALLETS,
  warmUp,
} from './rows.ts';

/** Events of the ledger that is audited; with `--quick`. */
const AUDITED = 1_000_000;
const AUDITED_QUICK = 50_000;

const ROWS = [1, 2, 3, 4, 5, 6, 7, 8, 9];
const HELP = `pnpm bench [--quick] [--rows 1,3] [--seconds n] [--rounds n]

  1  one usage per request, ${WALLETS} wallets     | a bare route that checks the same body
  2  the same on one wallet                 | row 1
  3  arrays of 1,000                        | bare insert from unnest
  4  on EventStoreDB: singles, arrays       | its client's appends (LEDGER_ESDB_URL, else a stand-in)
  5  authorize, balances                    | the bare route
  6  projection lag at half load            |
  7  one call per charge by the client      | the bare route
  8  ledger verify, ${AUDITED.toLocaleString('en')} events       | a bare read of the same table
  9  authorize with quotas, caps, limits    | the bare route

Row 8 first writes its ledger, which takes minutes: with --quick it is one of ${AUDITED_QUICK.toLocaleString('en')} events.`;

/** They share one ledger on Postgres. */
const ON_ONE_LEDGER = [1, 2, 3, 5, 6, 7, 9];

/** Of one run, and how many of each side, where nothing else is asked for. */
const SECONDS = 3;
const ROUNDS = 3;

/** Code is compiled for a good 30,000 charges; until then each costs up to half as much again. */
const WARM_UP = 3;

/** On the same disk as the checkout: a temporary folder may be in memory, where nothing is ever flushed. */
const DATA = join(import.meta.dirname, '../.data');
const RESULTS = join(import.meta.dirname, '../results');

interface Options {
  /** All rows at full length: only such a run is kept under the commit's plain name. */
  readonly complete: boolean;
  readonly seconds: number;
  readonly rounds: number;
  readonly rows: ReadonlySet<number>;
  /** Events of the ledger that is audited. */
  readonly audited: number;
}

function readOptions(): Options {
  const values = readArguments(HELP, {
    quick: { type: 'boolean', default: false },
    rows: { type: 'string' },
    seconds: { type: 'string' },
    rounds: { type: 'string' },
  });
  const seconds = Number(values.seconds ?? (values.quick ? 0.5 : SECONDS));
  const rounds = Number(values.rounds ?? ROUNDS);
  const rows = values.rows?.split(',').map(Number) ?? ROWS;
  if (!(seconds > 0) || !Number.isInteger(rounds) || rounds < 1 || !rows.every((row) => ROWS.includes(row)))
    refuseArguments(
      HELP,
      '--seconds must be above 0, --rounds a whole number above 0, --rows some of 1 to 9',
    );
  const complete = seconds >= SECONDS && rounds >= ROUNDS && ROWS.every((row) => rows.includes(row));
  const audited = values.quick ? AUDITED_QUICK : AUDITED;
  return { complete, seconds, rounds, rows: new Set(rows), audited };
}

async function main(): Promise<boolean> {
  const options = readOptions();
  const progress = openProgress();
  const plan: Plan = { ...options, wanted: options.rows, tell: progress.tell };
  mkdirSync(DATA, { recursive: true });
  const folder = mkdtempSync(join(DATA, 'bench-'));
  const generator = startChild<LoadJob, LoadReport>('load.ts');
  const faults: string[] = [];
  const results: Result[] = [];
  const versions = new Set<string>();
  try {
    if (ON_ONE_LEDGER.some((row) => plan.wanted.has(row))) {
      const done = await onPostgres(join(folder, 'postgres'), plan, generator, faults);
      results.push(...done.results);
      versions.add(done.version);
    }
    if (plan.wanted.has(4)) {
      const done = await onEventStoreDb(join(folder, 'esdb'), plan, generator, faults);
      results.push(...done.results);
      versions.add(done.version);
    }
    if (plan.wanted.has(8)) {
      const done = await auditRow(plan, join(folder, 'audited'), options.audited);
      results.push(...done.results);
      versions.add(done.version);
    }
    const { seconds, rounds } = plan;
    const machine = describeMachine(folder, [...versions].join());
    results.sort((a, b) => a.row - b.row);
    const report: Report = {
      at: new Date().toISOString(),
      version: describeVersion(),
      machine,
      seconds,
      rounds,
      results,
      faults,
    };
    progress.end();
    console.log(tableOf(report));
    console.log(`\nwritten to ${writeReport(RESULTS, report, options.complete)}`);
    return faults.length === 0 && results.every((result) => result.faults.length === 0);
  } finally {
    progress.end();
    await generator.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}

type Generator = Bench['generator'];

async function onPostgres(folder: string, plan: Plan, generator: Generator, faults: string[]): Promise<Done> {
  plan.tell('starting the ledger');
  const ledger = await startLedger({ folder, esdbUrl: null });
  const route = startChild<BareRouteJob, string>('bare-route.ts');
  const inserter = startChild<BareInsertJob, BareReport>('bare-insert.ts');
  const callers = startChild<LoadJob, LoadReport>('client-load.ts');
  try {
    await prepare(ledger, WALLETS);
    const bare = { url: await route.ask({ schema: await usageSchema(ledger) }), pid: route.pid };
    const charged = countCharges();
    const bench: Bench = { plan, ledger, generator, bare, onReport: charged.add };
    plan.tell('warming up');
    await warmUp([charges(bench, 'warm-up', { seconds: plan.seconds * WARM_UP }), bareRoute(bench)]);
    const results = await singleRows(bench);
    if (plan.wanted.has(6)) results.push(...(await lagRow(bench, halfOfRowOne(results))));
    if (plan.wanted.has(5)) results.push(...(await readRows(bench)));
    if (plan.wanted.has(3)) results.push(...(await arrayRow(bench, inserter)));
    if (plan.wanted.has(9)) results.push(...(await planRow(bench)));
    if (plan.wanted.has(7)) results.push(...(await clientRow(bench, callers)));
    faults.push(...(await checkBooks(ledger, charged)));
    return { results, version: await postgresVersion(ledger) };
  } finally {
    await Promise.all([route.stop(), inserter.stop(), callers.stop()]);
    await ledger.stop();
  }
}

async function onEventStoreDb(
  folder: string,
  plan: Plan,
  generator: Generator,
  faults: string[],
): Promise<Done> {
  plan.tell('starting the ledger on EventStoreDB');
  const server = await openServer(process.env.LEDGER_ESDB_URL);
  const client = startChild<BareClientJob, BareReport>('bare-client.ts');
  try {
    const ledger = await startLedger({ folder, esdbUrl: server.url });
    try {
      await prepare(ledger, WALLETS);
      const charged = countCharges();
      const bench: Bench = { plan, ledger, generator, bare: { url: '', pid: 0 }, onReport: charged.add };
      const results = await esdbRows(bench, server, client);
      faults.push(...(await checkBooks(ledger, charged)));
      return { results, version: await postgresVersion(ledger) };
    } finally {
      await ledger.stop();
    }
  } finally {
    await client.stop();
    await server.stop();
  }
}

interface Charged {
  total: number;
  readonly add: (report: LoadReport) => void;
}

function countCharges(): Charged {
  const charged: Charged = {
    total: 0,
    add: ({ credits }) => {
      charged.total += credits;
    },
  };
  return charged;
}

/** Nothing lost, nothing doubled, nothing out of balance. */
async function checkBooks(ledger: Ledger, { total }: Charged): Promise<string[]> {
  const { unbalanced, charged } = await readBooks(ledger);
  const faults = unbalanced.map((unit) => `${unit} does not come to zero`);
  if (charged !== total) faults.push(`${charged} credits are in the books, ${total} were answered`);
  return faults;
}

function halfOfRowOne(results: readonly Result[]): number | null {
  const row = results.find((result) => result.kind === 'ratio' && result.row === 1);
  return row?.kind === 'ratio' ? row.ours.perSecond.median / 2 : null;
}

process.exitCode = (await main()) ? 0 : 1;
