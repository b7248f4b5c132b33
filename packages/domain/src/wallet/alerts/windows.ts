/**
 * What there is of each quota for one window of time, as a customer counts it: "of my 1,000 calls a month". A plan's line
 * is one window, with what an upgrade added to it in the middle. An expansion counts with the window of its unit and model
 * in which it was given, the one that ends last; beyond that window's end, or where there is none, it stands by itself:
 * else what was used of it last month would fill up this month's.
 */
import type { QuotaUnit } from '../../plans/terms.ts';
import type { Quota } from '../quota/state.ts';

export interface QuotaWindow {
  /** Whose it is: `sub-3:day`, or `expansion`. */
  readonly of: string;
  readonly unit: QuotaUnit;
  /** A model, or `*`. */
  readonly model: string;
  /** Milliseconds since 1970. */
  start: number;
  end: number;
  granted: bigint;
  used: bigint;
  /** In open holds. */
  held: bigint;
  /** Ids. */
  readonly quotas: string[];
}

/** Those that are open at `now`. */
export function windowsOf(quotas: readonly Quota[], now: number): readonly QuotaWindow[] {
  const windows = new Map<string, QuotaWindow>();
  const expansions: Quota[] = [];
  for (const quota of quotas) {
    if (quota.startsAt > now || quota.expiresAt <= now) continue;
    const { origin, unit, model } = quota;
    if (origin.kind === 'expansion') expansions.push(quota);
    else {
      const of = `${origin.subscription}:${origin.per}`;
      count(windowOf(windows, `${of} ${unit} ${model}`, of, quota), quota);
    }
  }
  if (expansions.length === 0) return [...windows.values()];
  const ofPlans = [...windows.values()];
  for (const quota of expansions) {
    const { unit, model, startsAt, expiresAt } = quota;
    const alone = `${startsAt} ${expiresAt} ${unit} ${model}`;
    count(hostOf(ofPlans, quota) ?? windowOf(windows, alone, 'expansion', quota), quota);
  }
  return [...windows.values()];
}

function windowOf(windows: Map<string, QuotaWindow>, name: string, of: string, quota: Quota): QuotaWindow {
  const { unit, model, startsAt: start, expiresAt: end } = quota;
  const found = windows.get(name);
  if (found !== undefined) {
    found.start = Math.min(found.start, start);
    found.end = Math.max(found.end, end);
    return found;
  }
  const window: QuotaWindow = {
    ...{ of, unit, model, start, end },
    ...{ granted: 0n, used: 0n, held: 0n, quotas: [] },
  };
  windows.set(name, window);
  return window;
}

function hostOf(windows: readonly QuotaWindow[], { unit, model, startsAt }: Quota): QuotaWindow | null {
  let host: QuotaWindow | null = null;
  for (const window of windows) {
    if (window.unit !== unit || window.model !== model || window.start > startsAt) continue;
    const isLonger = host === null || window.end > host.end;
    if (isLonger || (window.end === host?.end && window.start < host.start)) host = window;
  }
  return host;
}

function count(window: QuotaWindow, { id, quantity, used, pinned }: Quota): void {
  window.granted += quantity;
  window.used += used;
  window.held += pinned;
  window.quotas.push(id);
}

/** Held counts: what a call under way has reserved is not there for another one. */
export function isReached(
  { granted, used, held }: Pick<QuotaWindow, 'granted' | 'used' | 'held'>,
  percent: number,
): boolean {
  return (used + held) * 100n >= granted * BigInt(percent);
}

export function percentOf({ granted, used, held }: QuotaWindow): number {
  return Number(((used + held) * 100n) / granted);
}
