/** Whether the quotas that an event of a subscription grants are those of its plan's lines. */
import { textOf } from '../decimal.ts';
import type { AuditedEvent } from '../event.ts';
import type { Name } from './finding.ts';
import { isShort, mostOf } from './granted-part.ts';
import { isLimited, type LineText, type Subscribed } from './picture.ts';
import type { QuotaPassage } from './quotas.ts';

/** What is granted is by the plan's lines, and no more than they say. */
export function checkGrants(
  before: Subscribed | null,
  { now, terms }: Subscribed,
  { type, data }: AuditedEvent,
  passages: readonly QuotaPassage[],
  name: Name,
): void {
  let granted = 0;
  let first: string | null = null;
  for (const { quota, from, quantity } of passages) {
    if (from !== 'granted') continue;
    granted += 1;
    const { quota: id, unit, model, origin, starts_at, expires_at, counted_dimensions } = quota.marks;
    if (first === null || Date.parse(starts_at) < Date.parse(first)) first = starts_at;
    if (origin.kind !== 'plan' || origin.subscription !== now.id) {
      name(
        `${id} is not granted by the subscription`,
        now.id,
        origin.kind === 'plan' ? origin.subscription : origin.kind,
      );
      continue;
    }
    const line = terms.included[origin.line];
    const found = {
      unit,
      model,
      per: origin.per,
      amount: '',
      ...(counted_dimensions === undefined ? {} : { counted_dimensions }),
    };
    if (line === undefined || !isLimited(line) || lineText(line) !== lineText(found)) {
      name(
        `${id} is not what its line of the plan says`,
        line === undefined ? 'no such line' : lineText(line),
        lineText(found),
      );
      continue;
    }
    const opening = { now, interval: terms.interval ?? '', before: before?.terms ?? null };
    if (isShort(opening) && Date.parse(expires_at) > Date.parse(now.period_end))
      name(`${id} outlasts a period that is a part of one`, now.period_end, expires_at);
    const most = mostOf(line, quota.marks, opening);
    // What a grace had granted of the window, and was not lost, counts too.
    if (quantity + quota.beside > most)
      name(
        `${id} is more than its line of the plan says`,
        `at most ${textOf(most)}`,
        textOf(quantity + quota.beside),
      );
    const next = now.next_grants[origin.line] ?? null;
    const due = line.per === 'period' ? null : expires_at;
    if (next !== due)
      name(`the next grant of line ${origin.line} is not due when ${id} ends`, due ?? 'none', next ?? 'none');
  }
  if (type !== 'QuotaGranted') return;
  // A part of a window may come to nothing: then only the next one is due.
  if (granted === 0) {
    const due = before?.now.next_grants ?? [];
    if (now.next_grants.every((at, line) => at === due[line]))
      name('nothing was granted, and nothing else is due', 'a quota', 'none');
  } else if (first !== data.effective_at)
    name(
      'quotas were granted as of another time than their windows begin',
      first ?? 'none',
      String(data.effective_at),
    );
}

function lineText({ unit, model, per, counted_dimensions }: LineText): string {
  return `${unit} of ${model} per ${per}${counted_dimensions === undefined ? '' : ` (${counted_dimensions.join(', ')})`}`;
}
