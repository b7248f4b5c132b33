/** Rules 2, 3 and 5: what a client was told is recorded stands in the store, once, as it was told; nothing twice. */
import { canonical } from '@tallystick/domain';
import type { Attempt } from '../history.ts';
import { broken, type Evidence, historyOf } from './evidence.ts';

export function acknowledgedFactsAreStoredOnce(evidence: Evidence): void {
  for (const { stream, events } of evidence.wallets) {
    const keys = new Set<string>();
    for (const { key, revision } of events) {
      if (key !== null && keys.has(key)) broken('a business key is claimed once', { stream, key, revision });
      if (key !== null) keys.add(key);
    }
  }
  const owners = new Map<string, string>();
  for (const attempt of evidence.attempts) {
    const { answer, id, order } = attempt;
    if (answer?.status !== 'recorded') continue;
    isAsTold(evidence, attempt);
    if (answer.replayed) continue;
    const event = `${order.account}:${answer.event.revision}`;
    const other = owners.get(event);
    if (other !== undefined) broken('an event is the first answer to one request only', { event, id, other });
    owners.set(event, id);
  }
}

function isAsTold(evidence: Evidence, { id, order, answer }: Attempt): void {
  if (answer?.status !== 'recorded') return;
  const { events, requests } = historyOf(evidence, order.account);
  const { event: told, replayed, position } = answer;
  const stored = events[told.revision] ?? broken('what was acknowledged is stored', { id, told });
  if (stored.key !== told.key || stored.type !== told.type || contentOf(stored.data) !== contentOf(told.data))
    broken('what was acknowledged is stored as it was told', { id, told, stored });
  const last = events[told.revision + stored.left];
  if (last?.position !== position)
    broken('the answered position is that of the last event of the append', { id, position, last });
  if (!replayed && requests[told.revision] !== id)
    broken('what is answered as new was made by this request', { id, by: requests[told.revision] });
}

/** Without what the envelope adds. */
function contentOf(data: object): string {
  const { v: _version, recorded_at: _recordedAt, ...content } = data as { v?: number; recorded_at?: string };
  return canonical(content);
}
