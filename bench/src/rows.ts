/** The rows that run on one ledger on Postgres: single calls, one wallet, arrays, authorize and reads, and the lag. */
import type { BareInsertJob, BareReport } from './bare-insert.ts';
import type { Child } from './children.ts';
import { lagsOf } from './lags.ts';
import { durationsOf, type Ledger, projectedPosition } from './ledger.ts';
import type { LoadJob, LoadReport } from './load.ts';
import {
  type Generator,
  type Groups,
  interleave,
  type Run,
  runBare,
  runCharges,
  runRequests,
  type Side,
} from './measure.ts';
import type { Kind } from './requests.ts';
import { compare, type Result } from './results.ts';
import { bucketPercentile, median, percentile } from './statistics.ts';

export const WALLETS = 1_000;
export const CONNECTIONS = 64;
export const ARRAY_ITEMS = 1_000;
/** Arrays on their way at once. */
export const ARRAY_CONNECTIONS = 4;

export interface Plan {
  /** Of one run. */
  readonly seconds: number;
  readonly rounds: number;
  /** Rows that were asked for. */
  readonly wanted: ReadonlySet<number>;
  readonly tell: (what: string) => void;
}

export interface Bench {
  readonly plan: Plan;
  readonly ledger: Ledger;
  readonly generator: Generator;
  /** Of the yardstick of single calls. */
  readonly bare: { readonly url: string; readonly pid: number };
  /** Told of everything that was charged, to be compared with the books at the end. */
  readonly onReport: (report: LoadReport) => void;
}

let runs = 0;

/** Usage ids must be new in every run. */
export const newPrefix = (): string => `b${process.pid}-${(++runs).toString(36)}`;

export function jobOf(bench: Bench, kind: Kind, changes: Partial<LoadJob> = {}): LoadJob {
  return {
    kind,
    url: bench.ledger.url,
    key: bench.ledger.key,
    prefix: newPrefix(),
    wallets: WALLETS,
    items: ARRAY_ITEMS,
    walletsPerArray: WALLETS,
    connections: CONNECTIONS,
    seconds: bench.plan.seconds,
    status: kind === 'charge' ? 201 : 200,
    ...changes,
  };
}

export function groupsOf({ ledger, generator }: Bench, more: Groups = {}): Groups {
  return { ledger: [ledger.pid], postgres: [ledger.postgres.pid], load: [generator.pid], ...more };
}

export function charges(bench: Bench, name: string, changes: Partial<LoadJob> = {}, more: Groups = {}): Side {
  const { ledger, generator, onReport } = bench;
  const kind = changes.kind ?? 'charge';
  return {
    name,
    run: () => runCharges(ledger, generator, jobOf(bench, kind, changes), groupsOf(bench, more), onReport),
  };
}

export function bareRoute(bench: Bench): Side {
  const groups = { route: [bench.bare.pid], load: [bench.generator.pid] };
  return {
    name: 'bare route',
    run: () => runRequests(bench.generator, jobOf(bench, 'charge', { url: bench.bare.url }), groups),
  };
}

/** First calls compile code and load wallets; that is not what is compared. */
export async function warmUp(sides: readonly Side[]): Promise<void> {
  for (const side of sides) await side.run();
}

/** Rows 1 and 2, side by side, because the first is the second's yardstick. */
export async function singleRows(bench: Bench): Promise<Result[]> {
  const { plan } = bench;
  const many = charges(bench, `one per request, ${WALLETS} wallets`);
  const one = charges(bench, 'one per request, one wallet', { wallets: 1 });
  const bare = bareRoute(bench);
  const results: Result[] = [];
  if (plan.wanted.has(2)) {
    const measured = await interleave({ many, bare, one }, plan.rounds, plan.tell);
    if (plan.wanted.has(1)) results.push(singles(measured.many, measured.bare));
    results.push(
      compare({ row: 2, ours: [one.name, measured.one], yardstick: [many.name, measured.many], aim: 0.9 }),
    );
  } else if (plan.wanted.has(1)) {
    const measured = await interleave({ many, bare }, plan.rounds, plan.tell);
    results.push(singles(measured.many, measured.bare));
  }
  return results;

  function singles(ours: readonly Run[], yardstick: readonly Run[]): Result {
    return compare({ row: 1, ours: [many.name, ours], yardstick: [bare.name, yardstick], aim: 0.3 });
  }
}

/** Row 3. */
export async function arrayRow(bench: Bench, inserter: Child<BareInsertJob, BareReport>): Promise<Result[]> {
  const { plan, ledger } = bench;
  const arrays = charges(bench, `arrays of ${ARRAY_ITEMS}, ${ARRAY_CONNECTIONS} at a time`, {
    kind: 'array',
    connections: ARRAY_CONNECTIONS,
  });
  const insert: Side = {
    name: 'bare insert from unnest',
    run: () =>
      runBare({ postgres: [ledger.postgres.pid], load: [inserter.pid] }, () =>
        inserter.ask({
          postgresUrl: ledger.postgres.url,
          schema: `${ledger.namespace}_events`,
          rows: ARRAY_ITEMS,
          seconds: plan.seconds,
        }),
      ),
  };
  plan.tell('arrays, warming up');
  await warmUp([arrays]);
  const measured = await interleave({ arrays, insert }, plan.rounds, plan.tell);
  return [
    compare({
      row: 3,
      ours: [arrays.name, measured.arrays],
      yardstick: [insert.name, measured.insert],
      aim: 1.2,
    }),
  ];
}

/** Row 5: advice and balances against the bare route, and how long advice takes at half of what it can. */
export async function readRows(bench: Bench): Promise<Result[]> {
  const { plan, generator } = bench;
  const requests = (name: string, kind: Kind): Side => ({
    name,
    run: () => runRequests(generator, jobOf(bench, kind), groupsOf(bench)),
  });
  const authorize = requests('authorize without hold', 'authorize');
  const balance = requests('balance', 'balance');
  const bare = bareRoute(bench);
  plan.tell('authorize and balance, warming up');
  await warmUp([authorize, balance]);
  const measured = await interleave({ authorize, bare, balance }, plan.rounds, plan.tell);
  const yardstick = [bare.name, measured.bare] as const;
  return [
    compare({ row: 5, ours: [authorize.name, measured.authorize], yardstick, aim: 0.45 }),
    compare({ row: 5, ours: [balance.name, measured.balance], yardstick, aim: 0.45 }),
    await authorizeAtHalfLoad(bench, median(measured.authorize.map(({ perSecond }) => perSecond)) / 2),
  ];
}

async function authorizeAtHalfLoad(bench: Bench, perSecond: number): Promise<Result> {
  const { plan, ledger, generator } = bench;
  plan.tell('authorize at half load');
  const before = await durationsOf(ledger, '/v1/authorize');
  const report = await generator.ask(jobOf(bench, 'authorize', { perSecond }));
  const after = await durationsOf(ledger, '/v1/authorize');
  const during = after.map(({ le, count }, index) => ({ le, count: count - (before[index]?.count ?? 0) }));
  const seconds = bucketPercentile(during, 99);
  return {
    kind: 'time',
    row: 5,
    name: `authorize, 99th percentile at the server, ${Math.round(perSecond)} a second`,
    value: seconds === null ? null : seconds * 1_000,
    limit: 2,
    note: `seen by the caller: ${report.p50Ms.toFixed(1)} ms in the median, 99 % within ${report.p99Ms.toFixed(1)} ms`,
    faults: report.failed === 0 ? [] : [`${report.failed} wrong answers, the first: ${report.firstFailure}`],
  };
}

const LOOK_EVERY_MS = 10;

/**
 * Row 6: for every charge, from when it was sent until a reader of an idle account is told a position at or beyond
 * its own. `perSecond` is half of what row 1 came to; where that was not measured, a short run says it.
 */
export async function lagRow(bench: Bench, perSecond: number | null): Promise<Result[]> {
  const { plan, ledger, generator, onReport } = bench;
  plan.tell('projection lag at half load');
  const rate = perSecond ?? (await charges(bench, 'full load').run()).perSecond / 2;
  const looks: [atMs: number, position: number][] = [];
  const asking = new AbortController();
  const looking = (async () => {
    while (!asking.signal.aborted) {
      const position = Number(await projectedPosition(ledger));
      looks.push([performance.timeOrigin + performance.now(), position]);
      await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS));
    }
  })();
  const seconds = Math.max(3, plan.seconds);
  const report = await generator.ask(jobOf(bench, 'charge', { perSecond: rate, seconds, trace: true }));
  await new Promise((resolve) => setTimeout(resolve, 2_000));
  asking.abort();
  await looking;
  onReport(report);
  const { lags, unseen } = lagsOf(report.sent, looks);
  const known = lags.length > 0;
  const faults =
    report.failed === 0 ? [] : [`${report.failed} wrong answers, the first: ${report.firstFailure}`];
  if (unseen > 0) faults.push(`${unseen} charges were not projected two seconds after the last`);
  return [
    {
      kind: 'time',
      row: 6,
      name: `projection lag, 99th percentile, ${Math.round(rate)} charges a second`,
      value: known ? percentile(lags, 99) : null,
      limit: 250,
      note: known
        ? `median ${Math.round(percentile(lags, 50))} ms, longest ${Math.round(percentile(lags, 100))} ms; from sending, looked at every ${LOOK_EVERY_MS} ms`
        : null,
      faults,
    },
  ];
}
