/**
 * CPU time of processes with all their children, from Linux' /proc. On machines that drift by tens of per cent within
 * minutes this says more than a rate does: it is what a charge costs, whoever else was running.
 */
import { readdirSync, readFileSync } from 'node:fs';

/** USER_HZ, the unit of /proc/<pid>/stat, is 100 on every platform that Node runs on. */
const TICK_US = 10_000;

interface Stat {
  readonly pid: number;
  readonly parent: number;
  /** Own time and that of children that have ended and were waited for. */
  readonly us: number;
}

/** Microseconds that each group of process trees has used so far; null where there is no /proc. */
export function cpuOf<G extends string>(
  groups: Readonly<Record<G, readonly number[]>>,
): Record<G, number> | null {
  const stats = readStats();
  if (stats === null) return null;
  const roots = new Map<number, G>();
  for (const group of Object.keys(groups) as G[]) for (const pid of groups[group]) roots.set(pid, group);
  const used = Object.fromEntries(Object.keys(groups).map((group) => [group, 0])) as Record<G, number>;
  for (const stat of stats.values()) {
    const group = groupOf(stat, stats, roots);
    if (group !== null) used[group] += stat.us;
  }
  return used;
}

/** Of the nearest ancestor that is named: a Postgres that the ledger started counts as Postgres, not as ledger. */
function groupOf<G>(stat: Stat, stats: ReadonlyMap<number, Stat>, roots: ReadonlyMap<number, G>): G | null {
  for (let at: Stat | undefined = stat; at !== undefined; at = stats.get(at.parent)) {
    const group = roots.get(at.pid);
    if (group !== undefined) return group;
  }
  return null;
}

function readStats(): Map<number, Stat> | null {
  const stats = new Map<number, Stat>();
  try {
    for (const name of readdirSync('/proc')) {
      if (!/^\d+$/.test(name)) continue;
      const stat = readStat(name);
      if (stat !== null) stats.set(stat.pid, stat);
    }
  } catch {
    return null;
  }
  return stats.size === 0 ? null : stats;
}

function readStat(pid: string): Stat | null {
  try {
    return parseStat(readFileSync(`/proc/${pid}/stat`, 'latin1'));
  } catch {
    // It has ended since the listing.
    return null;
  }
}

/** Fields 4 (parent) and 14 to 17 (user and system time, own and of waited-for children); the name may hold anything. */
export function parseStat(text: string): Stat | null {
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  const pid = Number.parseInt(text, 10);
  const parent = Number(fields[1]);
  const ticks = fields.slice(11, 15).reduce((sum, field) => sum + Number(field), 0);
  return Number.isInteger(pid) && Number.isInteger(ticks) ? { pid, parent, us: ticks * TICK_US } : null;
}
