/**
 * A subscription ends: what is free of its quotas is lost, and the money that nobody earned is breakage. What open holds
 * have of its quotas stays theirs. Cancelled now it gives nothing back, unless the plan says so: then the rest of the
 * period's credits returns to the lots that paid, the last one first, but not to lots that have expired meanwhile.
 */
import { formatCredits } from '../../amount.ts';
import type { EntryDraft } from '../entry-draft.ts';
import type { WalletEvent } from '../events.ts';
import { addLot } from '../moves.ts';
import type { Restored } from '../reversal.ts';
import type { Wallet } from '../state.ts';
import type { BillLine, Subscription } from './events.ts';
import { draftFor, factsOf, iso, nameOfPeriod, withoutGrace } from './period.ts';
import { Pots } from './pots.ts';
import { type Lapsed, refund, refundMoves } from './refund.ts';
import type { SubscriptionState } from './state.ts';

export interface Ending {
  readonly status: 'canceled' | 'lapsed';
  readonly at: number;
  readonly now: number;
  /** By a command; null: it fell due. */
  readonly command: {
    readonly key: string | null;
    readonly reference: string;
    /** Lots that the refund goes to and that had left the wallet. */
    readonly restored: Restored;
  } | null;
}

export function endSubscription(wallet: Wallet, state: SubscriptionState, ending: Ending): WalletEvent {
  const { status, at, now, command } = ending;
  const draft = draftFor(wallet, now, state.now.plan);
  const pots = Pots.left(draft, state);
  const lapsed = lapse(draft, state, pots);
  const subscription: Subscription = {
    ...withoutGrace(state.now),
    ...spentGrace(state),
    status,
    ended_at: iso(at),
    pending_plan: null,
    next_grants: state.terms.included.map(() => null),
  };
  for (const lot of command?.restored.lots ?? []) addLot(draft.wallet, lot, command?.restored.paid[lot.lot]);
  const credits = command === null ? 0n : refund(draft, refundMoves(wallet, state, at), state, at, lapsed);
  const lines: BillLine[] =
    credits === 0n ? [] : [{ description: 'rest of the period', credits: formatCredits(-credits) }];
  const facts = factsOf(draft, pots);
  const lots = { ...facts.lots, ...command?.restored.paid };
  return {
    type: 'SubscriptionEnded',
    key: command?.key ?? null,
    data: {
      subscription,
      effective_at: iso(at),
      lines,
      ...(command === null ? {} : { reference: command.reference }),
      ...(command === null || command.restored.lots.length === 0 ? {} : { restored: command.restored.lots }),
      ...draft.movement(),
    },
    facts: { ...facts, ...(Object.keys(lots).length === 0 ? {} : { lots }) },
  };
}

/** A grace's quota was had, and is left unpaid: there will be no other (see `graceQuotaOf`). */
function spentGrace({ now }: SubscriptionState): Pick<Subscription, 'grace_spent'> {
  return (now.grace_quota ?? 'none') === 'none' ? {} : { grace_spent: nameOfPeriod(now) };
}

function lapse(draft: EntryDraft, { now }: SubscriptionState, pots: Pots): Lapsed {
  const { currency, steps } = pots.rest();
  let lapsed = steps;
  for (const { id, origin, paid, currency: of } of [...draft.wallet.quotas]) {
    if (origin.kind !== 'plan' || origin.subscription !== now.id) continue;
    if (of === currency || currency === null) lapsed += paid;
    draft.lapseQuota(id);
  }
  pots.lapse();
  const known = currency ?? draft.wallet.quotas.find((quota) => quota.currency !== null)?.currency ?? null;
  return { currency: known, steps: lapsed };
}
