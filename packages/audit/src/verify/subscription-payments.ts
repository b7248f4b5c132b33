/** Why money for a period was not applied to it: as the subscription stood when it came in. */
import type { AuditedEvent } from '../event.ts';
import type { Name } from './finding.ts';
import type { Picture, ToldData } from './picture.ts';

export function checkUnapplied(before: Picture | null, event: AuditedEvent, name: Name): void {
  const { result, applied, reason, period_start = '' } = event.data as ToldData;
  const due =
    result === 'paid' && applied !== true
      ? whyUnapplied(before, period_start, Date.parse(event.recordedAt))
      : null;
  if (due !== (reason ?? null))
    name('a payment was not applied for another reason', due ?? 'none', reason ?? 'none');
}

function whyUnapplied(before: Picture | null, periodStart: string, at: number): string {
  if (before === null || Date.parse(before.period_start) !== Date.parse(periodStart)) return 'not_the_period';
  if (before.period_paid) return 'paid_already';
  if (before.status === 'past_due') return 'amount_differs';
  if (at >= Date.parse(before.period_end)) return 'too_late';
  return before.status === 'lapsed' ? 'amount_differs' : 'canceled';
}
