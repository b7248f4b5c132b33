/**
 * Rules 2, 5 and 6: what was answered without an event has made none; what nobody knows the fate of was made once or not
 * at all. Every event names the request that made it, so retries under new ids show.
 */
import { broken, type Evidence } from './evidence.ts';

/** Nobody can say whether these have written. */
const UNKNOWN = new Set(['outcome_unknown', 'lost', 'none']);

export function refusedAndUnknownOrdersAreRecordedAtMostOnce({ attempts, wallets }: Evidence): void {
  const made = new Map<string, number[]>();
  for (const { events, requests } of wallets) {
    events.forEach(({ type, revision }, index) => {
      const request = requests[index] ?? '';
      // A charge may close its hold beside: the same request, the same append.
      if (request !== '' && type !== 'HoldClosed')
        made.set(request, [...(made.get(request) ?? []), revision]);
    });
  }
  for (const { id, answer, order } of attempts) {
    const revisions = made.get(id) ?? [];
    const about = {
      id,
      revisions,
      account: order.account,
      command: order.command.type,
      answer: answer?.status,
    };
    if (revisions.length > 1) broken('a request makes one fact at most', about);
    const isNew = answer?.status === 'recorded' && !answer.replayed;
    if (isNew && revisions.length === 0) broken('what is answered as new was made', about);
    const reason = answer?.status === 'unavailable' ? answer.reason : (answer?.status ?? 'none');
    if (!isNew && revisions.length > 0 && !UNKNOWN.has(reason))
      broken('who is told that nothing was recorded has recorded nothing', { ...about, reason });
    made.delete(id);
  }
  if (made.size > 0) broken('every event was asked for', [...made]);
}
