/** Counters of a plan's caps, and whether a charge adds to them what it uses. */
import { stepsOf, textOf } from '../decimal.ts';
import type { AuditedEvent } from '../event.ts';
import type { Name } from './finding.ts';
import type { Hold } from './holds.ts';
import type { LineText, Subscribed } from './picture.ts';

/** Of one cap: the window that `used` counts, in milliseconds since 1970; both 0 before the first. */
export interface CapCounter {
  readonly start: number;
  readonly end: number;
  /** In steps of 10^-9. */
  readonly used: bigint;
}
export const NOT_COUNTED: CapCounter = { start: 0, end: 0, used: 0n };

interface CountText {
  readonly cap: number;
  readonly quantity: string;
  readonly start?: string;
  readonly end?: string;
}

export const TOKENS: readonly string[] = [
  'input_tokens',
  'cached_input_tokens',
  'cache_write_tokens',
  'output_tokens',
  'reasoning_tokens',
];

/** What a usage is in the unit of a quota or cap: as many calls as it says, else one; all its tokens. */
export function usedIn(unit: string, usage: Readonly<Record<string, number>>): number {
  if (unit === 'calls') return usage.calls || 1;
  return TOKENS.reduce((sum, dimension) => sum + (usage[dimension] ?? 0), 0);
}

/** @returns the counters after it */
export function countCharge(
  { data }: AuditedEvent,
  { now, terms: { caps = [] } }: Subscribed,
  counters: readonly CapCounter[],
  held: Hold | null,
  name: Name,
): readonly CapCounter[] {
  const counts = (data.caps ?? []) as readonly CountText[];
  const after = [...counters];
  const { model, usage, mode, hold, plan, violations } = data as {
    model: string;
    usage: Record<string, number>;
    mode: string;
    hold?: string;
    plan?: { readonly id: string };
    violations?: readonly string[];
  };
  // One that has ended counts only what was held on it, or had a share of that very cap.
  const isOfPlan = plan !== undefined && (now.ended_at === null || (held !== null && plan.id === now.plan));
  const mustCount = (index: number): boolean => isOfPlan || (plan !== undefined && hasShare(held, index));
  for (const index of leftOut(caps, counts, model, usage).filter(mustCount))
    name(`the cap ${index} does not count a call of the plan`, 'a count', 'none');
  for (const { cap: index, quantity, start, end } of counts) {
    const cap = caps[index];
    if (cap === undefined || (cap.model !== '*' && cap.model !== model)) {
      name('a cap counts that is not for the model', `a cap for ${model}`, String(index));
      continue;
    }
    if (!mustCount(index)) name('a cap counts a call that is none of its plan', 'none', `the cap ${index}`);
    const due = stepsOf(String(usedIn(cap.unit, usage)));
    if (due !== stepsOf(quantity))
      name(`the cap ${index} does not count what was used`, textOf(due), quantity);
    if (start === undefined || end === undefined) continue;
    const before = after[index] ?? NOT_COUNTED;
    const window = { start: Date.parse(start), end: Date.parse(end) };
    const used = (before.start === window.start ? before.used : 0n) + stepsOf(quantity);
    after[index] = { ...window, used };
    const mustPass = mode === 'charge' && hold === undefined && violations?.includes('cap_reached') !== true;
    if (mustPass && used > stepsOf(cap.amount))
      name(`the cap ${index} was passed`, `at most ${cap.amount}`, textOf(used));
  }
  return after;
}

/** While it is open; how much is as it may be. */
function hasShare(held: Hold | null, index: number): boolean {
  return held?.status === 'open' && held.caps.some(({ cap, quantity }) => cap === index && quantity !== '0');
}

/** Caps for the model that nothing is counted in. A usage of nothing in a cap's unit is no matter of it. */
function leftOut(
  caps: readonly LineText[],
  counts: readonly CountText[],
  model: string,
  usage: Readonly<Record<string, number>>,
): readonly number[] {
  const numbered = caps.map((cap, index) => ({ cap, index }));
  return numbered
    .filter(({ cap }) => (cap.model === '*' || cap.model === model) && usedIn(cap.unit, usage) > 0)
    .filter(({ index }) => !counts.some((count) => count.cap === index))
    .map(({ index }) => index);
}
