/** What an event says that quotas covered, against what its moves took of them. */
import { stepsOf, textOf } from '../decimal.ts';
import type { AuditedEvent } from '../event.ts';
import { usedIn } from './caps.ts';
import type { Name } from './finding.ts';
import type { Quota, QuotaPassage } from './quotas.ts';

export interface CoveredText {
  readonly unit: string;
  readonly quantity: string;
  readonly model: string;
  /** Left out: of a line without limit. */
  readonly quota?: string;
  readonly usage: Readonly<Record<string, number>>;
}

export function checkCovered(
  { type, data }: AuditedEvent,
  passages: readonly QuotaPassage[],
  quotas: ReadonlyMap<string, Quota>,
  name: Name,
): void {
  const covered = (data.covered ?? NOTHING) as readonly CoveredText[];
  if (covered.length === 0 && passages.length === 0) return;
  if (type !== 'UsageCharged') {
    checkMarks(covered, quotas, name);
    return;
  }
  const used = new Map<string, bigint>();
  for (const { quota, from, to, quantity } of passages) {
    const id = quota.marks.quota;
    if (to === 'used') used.set(id, (used.get(id) ?? 0n) + quantity);
    if (from === 'used') used.set(id, (used.get(id) ?? 0n) - quantity);
  }
  checkMarks(covered, quotas, name);
  for (const { quota, quantity } of covered) {
    if (quota === undefined) continue;
    used.set(quota, (used.get(quota) ?? 0n) - stepsOf(quantity));
  }
  for (const [id, left] of used)
    if (left !== 0n) name(`what is covered by ${id} is not what was used of it`, '0 left over', textOf(left));
}

const NOTHING: readonly CoveredText[] = [];

/** Each is of its quota's unit, for its model, and as many as the part of the usage that it covers. */
function checkMarks(covered: readonly CoveredText[], quotas: ReadonlyMap<string, Quota>, name: Name): void {
  for (const { quota: id, unit, model, quantity, usage } of covered) {
    if (unit === 'tokens' && stepsOf(quantity) !== stepsOf(String(tokensIn(usage, id, quotas))))
      name(
        'the tokens covered are not those of the usage that they cover',
        String(tokensIn(usage, id, quotas)),
        quantity,
      );
    if (id === undefined) continue;
    const marks = quotas.get(id)?.marks;
    if (marks === undefined)
      name('a usage is covered by a quota that was never granted', 'a quota of this wallet', id);
    else if (marks.unit !== unit || marks.model !== model)
      name(
        `what is covered by ${id} is not of its kind`,
        `${marks.unit} of ${marks.model}`,
        `${unit} of ${model}`,
      );
  }
}

/** Of the dimensions that count for the quota. */
function tokensIn(
  usage: Readonly<Record<string, number>>,
  id: string | undefined,
  quotas: ReadonlyMap<string, Quota>,
): number {
  const counted = id === undefined ? undefined : quotas.get(id)?.marks.counted_dimensions;
  if (id === undefined) return Object.values(usage).reduce((sum, quantity) => sum + quantity, 0);
  if (counted === undefined) return usedIn('tokens', usage);
  return counted.reduce((sum, dimension) => sum + (usage[dimension] ?? 0), 0);
}
