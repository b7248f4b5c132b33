/**
 * Billing rule 19: what a friend pays for accrues once, its share rounded down, to whoever referred it before; it is granted
 * once, when its time has come; what is taken back comes out of it, of what is pending or still to come, and no more than that.
 */
import type { WalletEvent } from '@tallystick/domain';
import type { StoredEvent } from '@tallystick/event-store';
import { REFERRAL } from '../reactions.ts';
import { stepsOf, sumOf } from '../refold.ts';
import { broken, type Evidence } from './evidence.ts';

interface Accrual {
  readonly credits: bigint;
  readonly availableAt: string;
  left: bigint;
  status: 'pending' | 'granted';
  isTakenBack: boolean;
}

export function referralsAreGrantedOnce({ wallets, world }: Evidence): void {
  for (const { account, stream, events } of wallets) {
    const accruals = new Map<string, Accrual>();
    let owed = 0n;
    for (const event of events) {
      const at = { stream, revision: event.revision };
      switch (event.type) {
        case 'ReferralAccrued': {
          const { from, revision, credits, of_credits, withheld = '0', available_at } = event.data;
          const name = `${from} ${revision}`;
          if (accruals.has(name)) broken('an entry accrues once', { ...at, name });
          const friend = wallets.find((wallet) => wallet.account === from);
          if (!isLinked(friend?.events.slice(0, revision) ?? [], account))
            broken('who has referred a friend before earns by it', { ...at, from });
          const share = (stepsOf(of_credits) * stepsOf(REFERRAL.percent)) / 100_000_000n;
          const kept = stepsOf(withheld);
          if (stepsOf(credits) !== share || kept > owed || kept > share)
            broken('an accrual is the share of what was bought', { ...at, credits, share, kept, owed });
          owed -= kept;
          const left = share - kept;
          accruals.set(name, {
            credits: share,
            availableAt: available_at,
            left,
            status: 'pending',
            isTakenBack: false,
          });
          break;
        }
        case 'ReferralGranted': {
          const { from, revision, credits, effective_at } = event.data;
          const accrual = accruals.get(`${from} ${revision}`);
          const about = { ...at, from, of: revision, credits, accrual: accrual?.left };
          if (accrual?.status !== 'pending') throw broken('an accrual is granted once', about);
          if (stepsOf(credits) !== accrual.left || accrual.left === 0n)
            broken('what is granted is what was pending', about);
          if (effective_at !== accrual.availableAt || Date.parse(effective_at) > event.recordedAt)
            broken('an accrual is granted when its time has come', { ...about, effective_at });
          accrual.status = 'granted';
          break;
        }
        case 'ReferralClawedBack': {
          const { from, revision, credits, pending, lot, owed: more } = event.data;
          const accrual = accruals.get(`${from} ${revision}`);
          if (accrual === undefined || accrual.isTakenBack) throw broken('an accrual is taken back once', at);
          accrual.isTakenBack = true;
          for (const part of pending) {
            const other = accruals.get(`${part.from} ${part.revision}`);
            if (other?.status !== 'pending' || other.left < stepsOf(part.credits))
              throw broken('what is taken was pending', { ...at, part });
            other.left -= stepsOf(part.credits);
          }
          const parts = [...pending, ...(lot === undefined ? [] : [lot])];
          const taken = sumOf(parts.map((part) => stepsOf(part.credits)));
          if (taken + stepsOf(more) !== accrual.credits || stepsOf(credits) !== accrual.credits)
            broken('what is taken back is what had accrued', { ...at, taken, more, credits });
          takesNothingElse(event, lot?.lot, at);
          owed += stepsOf(more);
          break;
        }
        default:
      }
    }
    for (const [name, { availableAt, status, left }] of accruals)
      if (status === 'pending' && left > 0n && Date.parse(availableAt) <= world.clock())
        broken('what has fallen due is granted', { stream, name, availableAt });
  }
}

function isLinked(before: readonly StoredEvent<WalletEvent>[], referrer: string): boolean {
  return before.some((event) => event.type === 'ReferralLinked' && event.data.referred_by === referrer);
}

/** Never out of credits that the referrer has bought or been given. */
function takesNothingElse(
  { data }: StoredEvent<WalletEvent> & { readonly type: 'ReferralClawedBack' },
  lot: string | undefined,
  at: { readonly stream: string },
): void {
  for (const move of data.moves)
    if (move.lot !== lot || move.from !== 'free' || move.to !== 'granted')
      broken('a claw-back takes its own lot only', { ...at, move });
}
