/** A hard stop says no: what is lacking, and when there is more of it (billing rule 6). */
import type { QuotaUnit } from '../../plans/terms.ts';
import type { Wallet } from '../state.ts';
import type { UseRefusal } from '../subscription/commands.ts';
import { isInForce, type SubscriptionState } from '../subscription/state.ts';
import { type Funding, isFor } from './funding.ts';

export function exhausted(wallet: Readonly<Wallet>, model: string, { lacking }: Funding): UseRefusal {
  const common = { code: 'quota_exhausted', unit: lacking ?? 'calls', model } as const;
  const { subscription } = wallet;
  // Nobody has paid: there is quota as soon as somebody has, and not before.
  if (isInForce(subscription) && subscription.now.status === 'past_due') {
    const { period_start: unpaid_since, grace_ends_at } = subscription.now;
    return { ...common, resets_at: null, unpaid_since, grace_ends_at };
  }
  return { ...common, resets_at: subscription === null ? null : nextGrantFor(subscription, common) };
}

/** Of the lines that count for it; those of the period, and what has no line any more, come with the next one. */
function nextGrantFor(
  { terms, now }: SubscriptionState,
  { unit, model }: { readonly unit: QuotaUnit; readonly model: string },
): string {
  const grants = terms.included.flatMap((line, index) =>
    line.unit === unit && isFor(model, line) ? [now.next_grants[index] ?? now.period_end] : [],
  );
  return grants.sort()[0] ?? now.period_end;
}
