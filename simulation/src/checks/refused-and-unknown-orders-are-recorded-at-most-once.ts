/**
 * Rules 2, 5 and 6: what was answered without an event has made none; what nobody knows the fate of was made once or not
 * at all. Every event names the request that made it, so retries under new ids show.
 */
import { broken, type Evidence } from './evidence.ts';

/** Nobody can say whether these have written. */
const UNKNOWN = new Set(['outcome_unknown', 'lost', 'none']);

/** Events that stand behind another one of the same order: which. */
const FOLLOWING: { readonly [type: string]: readonly string[] | undefined } = {
  // A charge closes its hold beside.
  HoldClosed: ['UsageCharged', 'UsageUnpriced'],
  PurchaseOpened: ['AutoTopUpResolved'],
  PurchasePaid: ['PurchaseOpened'],
  PurchaseClosed: ['PurchasePaid'],
  PurchasePaymentUnapplied: ['AutoTopUpResolved'],
  // Consequences: a new account's plan, a period paid by what has come in, a balance that has run low,
  // a threshold that is crossed.
  SubscriptionStarted: ['AccountOpened'],
  SubscriptionRenewed: ['*'],
  AutoTopUpRequested: ['*'],
  AlertRaised: ['*'],
  AlertsRearmed: ['*'],
  SpendDayBegan: ['*'],
};

export function refusedAndUnknownOrdersAreRecordedAtMostOnce({ attempts, wallets }: Evidence): void {
  const made = new Map<string, string[]>();
  for (const { events, requests } of wallets) {
    events.forEach(({ type, revision }, index) => {
      const request = requests[index] ?? '';
      if (request === '') return;
      // What follows from a fact stands right behind it, of the same request and in the same append.
      const before = events[index - 1];
      const isBehind = requests[index - 1] === request && before !== undefined && before.left > 0;
      if (!(isBehind && FOLLOWING[type]?.some((other) => other === before.type || other === '*')))
        made.set(request, [...(made.get(request) ?? []), `${revision} ${type}`]);
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
