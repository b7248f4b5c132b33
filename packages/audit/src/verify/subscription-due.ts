/** When something of a subscription falls due by itself. */
import type { Subscribed } from './picture.ts';

/** The soonest of its lines' next grants; none where an unpaid period grants nothing. */
export const nextGrantAt = ({ now }: Subscribed): string | null => earliest(now.next_grants);

/** The end of its period or grace, or its next grant; null after its end. */
export function dueAt(subscribed: Subscribed): string | null {
  const { ended_at, period_end, grace_ends_at } = subscribed.now;
  return ended_at === null ? earliest([period_end, grace_ends_at, nextGrantAt(subscribed)]) : null;
}

function earliest(instants: readonly (string | null)[]): string | null {
  let first: string | null = null;
  for (const at of instants)
    if (at !== null && (first === null || Date.parse(at) < Date.parse(first))) first = at;
  return first;
}
