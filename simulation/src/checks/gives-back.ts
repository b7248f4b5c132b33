/**
 * A cancellation gives back no more than what is left: of the time, and of each line of the plan. Windows that have passed are
 * gone, and what was used or is held in the one that lasts; where no quota measures what a plan gives, one call is enough for
 * nothing to come back (billing rule 3).
 */
import type { NewLot, PlanTerms, Subscription, WalletEvent } from '@tallystick/domain';
import type { StoredEvent } from '@tallystick/event-store';
import { smallerOf, stepsOf } from '../refold.ts';
import type { PlanState } from '../refold-quotas.ts';
import { broken } from './evidence.ts';

type At = { readonly stream: string; readonly revision: number };

const CREDIT = 1_000_000n;

/** @param unmeasured in this period a call may have had what no quota of the terms of then measures */
export function givesBack(
  course: { readonly now: Subscription; readonly terms: PlanTerms } | null,
  state: PlanState,
  unmeasured: boolean,
  event: StoredEvent<WalletEvent>,
  back: bigint,
  at: At,
): void {
  if (course === null) return;
  const { now, terms } = course;
  const [start, end] = [BigInt(Date.parse(now.period_start)), BigInt(Date.parse(now.period_end))];
  const left = end - BigInt(event.recordedAt);
  const isByCommand = event.key !== null && terms.refund_on_cancel === true && left > 0n;
  const share = (stepsOf(now.period_credits) * left) / (end - start);
  const mayRefund = isByCommand && !unmeasured;
  const rest = mayRefund ? smallerOf(share, unusedOf(course, state, event.recordedAt)) : 0n;
  const { lots = [] } = event.data as { lots?: readonly NewLot[] };
  if (lots.some(({ origin }) => origin.kind === 'reversal' && origin.of !== 'repaid_debt'))
    broken('a cancellation revives no credits that have expired', { ...at, lots });
  if (back > rest - (rest % CREDIT) || back < 0n)
    broken('a cancellation gives back no more than what is left', { ...at, back, rest });
}

export function isMeasured(terms: PlanTerms): boolean {
  const { included, overage_multiplier, overage_prices, price_book } = terms;
  if (overage_multiplier !== undefined || overage_prices !== undefined || price_book !== undefined)
    return false;
  return included.length > 0 && included.every(({ amount }) => amount !== 'unlimited');
}

function unusedOf(
  { now, terms }: { readonly now: Subscription; readonly terms: PlanTerms },
  { quotas }: PlanState,
  at: number,
): bigint {
  const paid = stepsOf(now.period_credits);
  const [start, end] = [Date.parse(now.period_start), Date.parse(now.period_end)];
  const length = BigInt(end - start);
  let most = 0n;
  for (const line of terms.included) {
    let begun = at;
    let gone = 0n;
    let whole = { had: 0n, inAll: 0n, from: end, to: start };
    for (const { born, free, pinned, used } of quotas.values()) {
      const { unit, model, origin } = born;
      const [from, to] = [
        Math.max(Date.parse(born.starts_at), start),
        Math.min(Date.parse(born.expires_at), end),
      ];
      if (origin.kind !== 'plan' || origin.subscription !== now.id || Date.parse(born.expires_at) <= at)
        continue;
      if (unit !== line.unit || model !== line.model || origin.per !== line.per) continue;
      begun = Math.min(begun, from);
      const [had, inAll] = [pinned + used, pinned + used + free];
      if (origin.extra === true) {
        if (inAll > 0n) gone += (paid * had * BigInt(to - from)) / (inAll * length);
        continue;
      }
      // What a grace granted and its payment made up are one.
      whole = {
        had: whole.had + had,
        inAll: whole.inAll + inAll,
        from: Math.min(whole.from, from),
        to: Math.max(whole.to, to),
      };
    }
    if (whole.inAll > 0n) gone += (paid * whole.had * BigInt(whole.to - whole.from)) / (whole.inAll * length);
    if (line.per !== 'period') gone += (paid * BigInt(begun - start)) / length;
    if (gone > most) most = gone;
  }
  return most > paid ? 0n : paid - most;
}
