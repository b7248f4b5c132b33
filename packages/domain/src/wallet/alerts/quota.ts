/**
 * Warnings of quotas: so many percent of a window are used or held, told by whatever takes something of it.
 * - once for each window and what was granted in it: after an expansion it may tell again; a hold that comes and goes
 *   never tells twice
 * - a threshold that is set below what is used already tells at the next use
 */
import { parseAmount } from '../../amount.ts';
import type { WalletEvent } from '../events.ts';
import type { Quota } from '../quota/state.ts';
import type { Wallet } from '../state.ts';
import type { QuotaAlert } from './events.ts';
import { type Alert, iso, type Judged, raised } from './judged.ts';
import { DEFAULT_ALERTS, limitsOf } from './limits.ts';
import { isReached, percentOf, type QuotaWindow, windowsOf } from './windows.ts';

export function addQuotaAlerts(
  alerts: Alert[],
  { wallet, events, now }: Judged,
  percents: readonly number[],
): void {
  const taken = takenBy(events);
  if (taken === null) return;
  const quotas = quotasAfter(wallet, taken);
  // A window is not fuller than the fullest of its quotas: most calls end here.
  const [lowest = 0] = percents;
  if (!quotas.some((quota) => isFull(quota, lowest))) return;
  for (const window of windowsOf(quotas, now)) {
    if (!window.quotas.some((id) => taken.get(id)?.grown ?? false)) continue;
    for (const percent of percents) {
      if (!isReached(window, percent)) continue;
      const key = keyOf(window, percent);
      if (!wallet.alerts.quotas.some((told) => told.key === key))
        alerts.push(raised(alertOf(window, percent, key, now)));
    }
  }
}

interface Taken {
  used: bigint;
  held: bigint;
  /** More is used or held than before. */
  grown: boolean;
}

/** By quota; null where nothing is taken of any. */
function takenBy(events: readonly WalletEvent[]): ReadonlyMap<string, Taken> | null {
  let all: Map<string, Taken> | null = null;
  for (const { data } of events) {
    if (!('quotas' in data) || data.quotas === undefined) continue;
    for (const { quota, from, to, quantity } of data.quotas.moves) {
      all ??= new Map();
      const taken = all.get(quota) ?? { used: 0n, held: 0n, grown: false };
      all.set(quota, taken);
      const amount = parseAmount(quantity, 'calls');
      if (to === 'used') taken.used += amount;
      else if (to.startsWith('hold:')) taken.held += amount;
      if (from === 'used') taken.used -= amount;
      else if (from.startsWith('hold:')) taken.held -= amount;
    }
  }
  if (all === null) return null;
  let isAnyGrown = false;
  for (const taken of all.values()) {
    taken.grown = taken.used + taken.held > 0n;
    isAnyGrown ||= taken.grown;
  }
  return isAnyGrown ? all : null;
}

/** Of the units and models of which something is taken: no window has others. */
function quotasAfter({ quotas }: Readonly<Wallet>, taken: ReadonlyMap<string, Taken>): readonly Quota[] {
  const grown = quotas.filter(({ id }) => taken.get(id)?.grown ?? false);
  const isPeer = (quota: Quota): boolean =>
    grown.some(({ unit, model }) => quota.unit === unit && quota.model === model);
  return quotas.filter(isPeer).map((quota) => {
    const change = taken.get(quota.id);
    if (change === undefined) return quota;
    return { ...quota, used: quota.used + change.used, pinned: quota.pinned + change.held };
  });
}

const isFull = ({ used, pinned: held, quantity: granted }: Quota, percent: number): boolean =>
  isReached({ used, held, granted }, percent);

function keyOf({ of, unit, model, start, end, granted }: QuotaWindow, percent: number): string {
  return `quota:${percent}:${of}:${unit}:${model}:${iso(start)}:${iso(end)}:${granted}`;
}

function alertOf(window: QuotaWindow, percent: number, key: string, now: number): QuotaAlert {
  return {
    alert: 'quota',
    threshold: percent.toString(),
    key,
    unit: window.unit,
    model: window.model,
    granted: window.granted.toString(),
    used: window.used.toString(),
    held: window.held.toString(),
    period_start: iso(window.start),
    period_end: iso(window.end),
    effective_at: iso(now),
  };
}

/** How a window of a quota stands. */
export interface QuotaWarning {
  readonly window: Readonly<QuotaWindow>;
  /** Used or held, rounded down. */
  readonly percent: number;
  /** Of the account's thresholds those that are reached, in percent, ascending. Empty: there is enough. */
  readonly reached: readonly number[];
}

/**
 * Every window of a quota that is open, with the thresholds that it has reached: what a warning would tell now, whether
 * it has been told or not, and whether warnings are sent at all.
 * @param wallet after what is due at `now`
 */
export function quotaWarnings(wallet: Readonly<Wallet>, now: number): readonly QuotaWarning[] {
  const { percents } = limitsOf(wallet.alerts.terms ?? DEFAULT_ALERTS);
  return windowsOf(wallet.quotas, now).map((window) => ({
    window,
    percent: percentOf(window),
    reached: percents.filter((percent) => isReached(window, percent)),
  }));
}
