/** Referrals in a wallet's state. Values are replaced, never changed in place: forks share them. */
import { parseCredits } from '../../amount.ts';
import type { ReferralEvent, ReferredEntry } from './events.ts';

export interface ReferralState {
  readonly referredBy: string | null;
  /** From then on the link is fixed, there or not. */
  readonly hasToppedUp: boolean;
  /** In the order in which they fall due. */
  readonly pending: readonly PendingAccrual[];
  /** Clawed back and not taken yet: future accruals pay it. */
  readonly owed: bigint;
}

export interface PendingAccrual extends ReferredEntry {
  /** Still to be granted. */
  readonly credits: bigint;
  readonly availableAt: number;
}

export const NO_REFERRALS: ReferralState = { referredBy: null, hasToppedUp: false, pending: [], owed: 0n };

/** The friend has paid for something: too late to be referred. */
export function toppedUp(state: ReferralState): ReferralState {
  return state.hasToppedUp ? state : { ...state, hasToppedUp: true };
}

export const sameEntry = (a: ReferredEntry, b: ReferredEntry): boolean =>
  a.revision === b.revision && a.from === b.from;

/** When the next accrual is granted. */
export function nextReferralAt({ pending }: ReferralState): number {
  return pending[0]?.availableAt ?? Number.MAX_SAFE_INTEGER;
}

/** The referral part of an event; what moves is folded as of every event. */
export function referralAfter(state: ReferralState, event: ReferralEvent): ReferralState {
  switch (event.type) {
    case 'ReferralLinked':
      return { ...state, referredBy: event.data.referred_by };
    case 'ReferralAccrued': {
      const { from, revision, credits, withheld = '0', available_at } = event.data;
      const kept = parseCredits(withheld);
      const left = parseCredits(credits) - kept;
      const accrual = { from, revision, credits: left, availableAt: Date.parse(available_at) };
      return {
        ...state,
        owed: state.owed - kept,
        pending: left === 0n ? state.pending : inserted(state.pending, accrual),
      };
    }
    case 'ReferralGranted':
      return { ...state, pending: state.pending.filter((accrual) => !sameEntry(accrual, event.data)) };
    case 'ReferralClawedBack': {
      const { pending: taken, owed } = event.data;
      return {
        ...state,
        owed: state.owed + parseCredits(owed),
        pending: taken.reduce(
          (pending, part) => reduced(pending, part, parseCredits(part.credits)),
          state.pending,
        ),
      };
    }
  }
}

function inserted(pending: readonly PendingAccrual[], accrual: PendingAccrual): readonly PendingAccrual[] {
  const at = pending.findLastIndex(({ availableAt }) => availableAt <= accrual.availableAt);
  return pending.toSpliced(at + 1, 0, accrual);
}

function reduced(
  pending: readonly PendingAccrual[],
  entry: ReferredEntry,
  by: bigint,
): readonly PendingAccrual[] {
  return pending.flatMap((accrual) => {
    if (!sameEntry(accrual, entry)) return [accrual];
    const credits = accrual.credits - by;
    return credits === 0n ? [] : [{ ...accrual, credits }];
  });
}
