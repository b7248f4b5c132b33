/** One measured run: a rate, what it cost in CPU, and whether everything was answered and projected as it should be. */
import type { BareReport } from './bare-insert.ts';
import type { Child } from './children.ts';
import { cpuOf } from './cpu.ts';
import { drain, type Ledger } from './ledger.ts';
import type { LoadJob, LoadReport } from './load.ts';

/** Microseconds of CPU per item, by process; null where they cannot be known. */
export type Cost = Readonly<Record<string, number>> | null;

export interface Run {
  /** Charges, authorizations or balances per second. */
  readonly perSecond: number;
  readonly cost: Cost;
  readonly p50Ms: number | null;
  readonly p99Ms: number | null;
  /** From the last answer until the read models hold everything; null where nothing is projected. */
  readonly drainSeconds: number | null;
  readonly faults: readonly string[];
}

export type Generator = Child<LoadJob, LoadReport>;
export type Groups = Readonly<Record<string, readonly number[]>>;

/** Longer than this after the last answer, and the projections did not keep up: then the rate counts until they have. */
export const KEPT_UP_SECONDS = 0.5;

/** Charges: sends them, waits until they are projected, and counts the CPU of both. */
export async function runCharges(
  ledger: Ledger,
  generator: Generator,
  job: LoadJob,
  groups: Groups,
  onReport: (report: LoadReport) => void,
): Promise<Run> {
  const before = cpuOf(groups);
  const report = await generator.ask(job);
  const drainSeconds = await drain(ledger, BigInt(report.position));
  const after = cpuOf(groups);
  onReport(report);
  const faults = faultsOf(report);
  if (drainSeconds === null) faults.push('the read models did not come to the last charge');
  const behind = drainSeconds === null || drainSeconds > KEPT_UP_SECONDS ? (drainSeconds ?? 0) : 0;
  return {
    perSecond: report.items / (report.seconds + behind),
    cost: costOf(before, after, report.items),
    p50Ms: report.p50Ms,
    p99Ms: report.p99Ms,
    drainSeconds,
    faults,
  };
}

/** Requests that change nothing, on the ledger or on the bare route. */
export async function runRequests(generator: Generator, job: LoadJob, groups: Groups): Promise<Run> {
  const before = cpuOf(groups);
  const report = await generator.ask(job);
  const after = cpuOf(groups);
  return {
    perSecond: report.items / report.seconds,
    cost: costOf(before, after, report.items),
    p50Ms: report.p50Ms,
    p99Ms: report.p99Ms,
    drainSeconds: null,
    faults: faultsOf(report),
  };
}

/** A yardstick that makes its own load. */
export async function runBare(groups: Groups, work: () => Promise<BareReport>): Promise<Run> {
  const before = cpuOf(groups);
  const { items, seconds } = await work();
  const after = cpuOf(groups);
  const cost = costOf(before, after, items);
  return { perSecond: items / seconds, cost, p50Ms: null, p99Ms: null, drainSeconds: null, faults: [] };
}

function faultsOf({ failed, firstFailure }: LoadReport): string[] {
  return failed === 0 ? [] : [`${failed} wrong answers, the first: ${firstFailure}`];
}

export function costOf(
  before: Record<string, number> | null,
  after: Record<string, number> | null,
  items: number,
): Cost {
  if (before === null || after === null || items === 0) return null;
  return Object.fromEntries(
    Object.keys(after).map((group) => [group, ((after[group] ?? 0) - (before[group] ?? 0)) / items]),
  );
}

/** A side of a comparison. */
export interface Side {
  readonly name: string;
  run(): Promise<Run>;
}

/**
 * Runs all sides in turn, `rounds` times, every other time backwards: a machine that slows down meets each side alike.
 * @returns the runs of each side, in the order of the rounds
 */
export async function interleave<K extends string>(
  sides: Readonly<Record<K, Side>>,
  rounds: number,
  tell: (what: string) => void,
): Promise<Record<K, Run[]>> {
  const names = Object.keys(sides) as K[];
  const runs = Object.fromEntries(names.map((name) => [name, [] as Run[]])) as Record<K, Run[]>;
  for (let round = 0; round < rounds; round += 1) {
    for (const name of round % 2 === 0 ? names : [...names].reverse()) {
      tell(`${sides[name].name}, round ${round + 1} of ${rounds}`);
      runs[name].push(await sides[name].run());
    }
  }
  return runs;
}
