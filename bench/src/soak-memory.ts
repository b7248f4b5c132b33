/** What the ledger under test says of its memory, and whether a series of such figures rises. */
import { readdirSync, readFileSync } from 'node:fs';
import { parseStat } from './cpu.ts';
import type { Ledger } from './ledger.ts';

export interface Reading {
  readonly heapBytes: number;
  readonly rssBytes: number;
  /** Rough weight of the wallets in memory, and how many there are: they may come up to a limit of their own. */
  readonly walletBytes: number;
  readonly wallets: number;
  readonly lagMs: number;
  /** Of all its processes, each with its share of what they share; null where there is no /proc. */
  readonly postgresBytes: number | null;
}

export async function readLedger({ url, key, postgres }: Ledger): Promise<Reading> {
  const answer = await fetch(`${url}/metrics`, { headers: { authorization: `Bearer ${key}` } });
  if (!answer.ok) throw new Error(`/metrics answered ${answer.status}`);
  const metrics = await answer.text();
  const value = (name: string): number => {
    const found = new RegExp(`^${name}(?:\\{[^}]*\\})? (\\S+)$`, 'm').exec(metrics)?.[1];
    if (found === undefined) throw new Error(`/metrics does not tell ${name}`);
    return Number(found);
  };
  return {
    heapBytes: value('nodejs_heap_size_used_bytes'),
    rssBytes: value('process_resident_memory_bytes'),
    walletBytes: value('tallystick_runner_bytes'),
    wallets: value('tallystick_runner_streams'),
    lagMs: value('tallystick_projection_lag_seconds') * 1_000,
    postgresBytes: memoryOf(postgres.pid),
  };
}

/** Proportional set size of a server and its children: shared buffers count once. */
function memoryOf(pid: number): number | null {
  try {
    return readdirSync('/proc')
      .filter((name) => /^\d+$/.test(name))
      .filter((name) => Number(name) === pid || parentOf(name) === pid)
      .reduce((sum, name) => sum + proportionalBytes(name), 0);
  } catch {
    return null;
  }
}

function parentOf(pid: string): number | null {
  try {
    return parseStat(readFileSync(`/proc/${pid}/stat`, 'latin1'))?.parent ?? null;
  } catch {
    // It has ended since the listing.
    return null;
  }
}

function proportionalBytes(pid: string): number {
  try {
    const found = /^Pss:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/smaps_rollup`, 'latin1'))?.[1];
    return Number(found ?? 0) * 1_024;
  } catch {
    return 0;
  }
}

/** By least squares. @throws RangeError for fewer than two points */
export function slopePerMinute(points: readonly (readonly [minute: number, value: number])[]): number {
  if (points.length < 2) throw new RangeError('a slope needs two points');
  const mean = (values: readonly number[]): number =>
    values.reduce((sum, value) => sum + value, 0) / values.length;
  const [x, y] = [mean(points.map(([at]) => at)), mean(points.map(([, value]) => value))];
  const over = points.reduce((sum, [at, value]) => sum + (at - x) * (value - y), 0);
  return over / points.reduce((sum, [at]) => sum + (at - x) ** 2, 0);
}
