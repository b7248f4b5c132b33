/** Rules 2, 13 and 14: a key has one fact, whoever asks and however often; with other content it is a conflict. */
import { keys } from '@tallystick/domain';
import type { Attempt } from '../history.ts';
import { broken, type Evidence, historyOf } from './evidence.ts';

export function sameIdSameAnswer(evidence: Evidence): void {
  const facts = new Map<string, { revision: number; position: bigint }>();
  for (const attempt of evidence.attempts) {
    const { id, order, answer } = attempt;
    if (answer?.status === 'conflict') isAnotherFact(evidence, attempt);
    if (answer?.status !== 'recorded' || order.command.key === null) continue;
    const { event, position } = answer;
    const about = { id, command: order.command.type, key: order.command.key, event: event.key };
    if (event.key === order.command.key && event.fingerprint !== order.command.fingerprint)
      broken('the same key with other content is a conflict', about);
    const request = `${order.account} ${order.command.key} ${order.command.fingerprint}`;
    const before = facts.get(request);
    if (before === undefined) facts.set(request, { revision: event.revision, position });
    else if (before.revision !== event.revision || before.position !== position)
      broken('the same id is answered the same', { ...about, before, revision: event.revision, position });
  }
}

/** Somebody else's fact stands under one of the keys that the command claims. */
function isAnotherFact(evidence: Evidence, { id, order, decided }: Attempt): void {
  const { command, account } = order;
  const claimed = [command.key];
  if (command.type === 'ChargeUsage' && command.hold !== null) claimed.push(keys.settle(command.hold));
  const upTo = decided?.head ?? Number.POSITIVE_INFINITY;
  const others = historyOf(evidence, account).events.filter(
    ({ key, revision, fingerprint }) =>
      key !== null && claimed.includes(key) && revision <= upTo && fingerprint !== command.fingerprint,
  );
  if (others.length === 0) broken('a conflict has another fact under its key', { id, claimed });
}
