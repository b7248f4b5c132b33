/**
 * Referrals (billing rule 19):
 * - linked before the friend's first top-up, then fixed; nobody refers himself, and no two refer each other
 * - each top-up that the friend pays for accrues a share to the referrer: once, of what was bought without any bonus,
 *   and only as far as it was paid for
 * - pending at first, granted when its time has come; what is granted cannot be withdrawn
 * - where the friend's top-up is taken back, so is its share: out of its own lot, then out of what is pending, then out of
 *   what is still to come; never out of credits that the referrer has bought or been given
 */
import { CREDITS, formatCredits, parseCredits, smaller } from '../../amount.ts';
import type { CommandKey } from '../../decider.ts';
import { accounts } from '../../entry.ts';
import { keys } from '../../ids.ts';
import { multiply, readRational } from '../../rational.ts';
import type { WalletContext } from '../booked.ts';
import { accepted, needs, refused, UNCHANGED, type WalletDecision } from '../commands.ts';
import { bringIn, DEFAULT_PRIORITY } from '../credit.ts';
import { EntryDraft } from '../entry-draft.ts';
import type { Origin, WalletEvent } from '../events.ts';
import { shareOf, type Wallet } from '../state.ts';
import type { AccrueReferral, ClawBackReferral, LinkReferral } from './commands.ts';
import type { ReferralAccrued, ReferralClawedBack, ReferredEntry } from './events.ts';
import { sameEntry } from './state.ts';

/** What credits given for referrals are booked under. */
export const REFERRAL_PROMOTION = 'referral';

export function linkReferral(wallet: Wallet, command: LinkReferral): WalletDecision {
  const { referredBy } = command;
  const { referral, account } = wallet;
  if (referredBy === account) return refused({ code: 'self_referral' });
  if (referral.referredBy === referredBy) return UNCHANGED;
  if (referral.referredBy !== null)
    return refused({ code: 'referral_fixed', referred_by: referral.referredBy });
  if (referral.hasToppedUp) return refused({ code: 'referral_too_late' });
  if (command.referrerReferredBy === account) return refused({ code: 'referral_cycle', account: referredBy });
  const data = { referred_by: referredBy };
  // Whoever asks for the link of an entry finds it by this key, in whatever process.
  return accepted({ type: 'ReferralLinked', key: keys.referralLink, data, facts: {} });
}

export function accrueReferral(wallet: Wallet, command: AccrueReferral & CommandKey): WalletDecision {
  const { from, revision, reason, ofCredits, percent, availableAt } = command;
  if (from === wallet.account) return refused({ code: 'self_referral' });
  // Both links were made at once: then neither pays.
  if (from === wallet.referral.referredBy) return refused({ code: 'referral_cycle', account: from });
  const share = shareFor(ofCredits, percent);
  if (share === 0n) return UNCHANGED;
  const withheld = smaller(wallet.referral.owed, share);
  const data: ReferralAccrued = {
    from,
    revision,
    reason,
    credits: formatCredits(share),
    of_credits: formatCredits(ofCredits),
    percent,
    available_at: new Date(availableAt).toISOString(),
    ...(withheld === 0n ? {} : { withheld: formatCredits(withheld) }),
  };
  return accepted({ type: 'ReferralAccrued', key: command.key, data, facts: {} });
}

/** Rounded down to the smallest step: never more than the share. */
function shareFor(credits: bigint, percent: string): bigint {
  const factor = readRational(percent);
  if (factor === undefined) throw new Error(`not a percentage: ${percent}`);
  const { n, d } = multiply(factor, { n: credits, d: 100n });
  return n / d;
}

/** What has fallen due first, as of its own instant; null where nothing has. One event for one accrual. */
export function grantReferral(wallet: Wallet, now: number): WalletEvent | null {
  const [accrual] = wallet.referral.pending;
  if (accrual === undefined || accrual.availableAt > now) return null;
  const { from, revision, credits, availableAt } = accrual;
  const draft = promotionDraft(wallet, now);
  const origin: Origin = { kind: 'grant', of: REFERRAL_PROMOTION, ref: `${from}:${revision}` };
  const marks = { expiresAt: null, priority: DEFAULT_PRIORITY, paid: null };
  // Nobody is there to be refused: what is due is granted however many lots there are.
  const lot = bringIn(draft, { from: 'granted', credits, origin, ...marks }, 'whatever_the_limits');
  if (typeof lot !== 'string') throw new Error(`a referral's grant was ${lot.kind}`);
  return {
    type: 'ReferralGranted',
    key: keys.referralGrant(from, revision),
    data: {
      from,
      revision,
      credits: formatCredits(credits),
      lot,
      effective_at: new Date(availableAt).toISOString(),
      ...draft.movement(),
    },
    facts: draft.facts(),
  };
}

export function clawBackReferral(
  wallet: Wallet,
  command: ClawBackReferral & CommandKey,
  { now, facts }: WalletContext,
): WalletDecision {
  const { from, revision } = command;
  const [accrual, grant] = [keys.referral(from, revision), keys.referralGrant(from, revision)];
  if (!facts.has(accrual) || !facts.has(grant)) return needs(accrual, grant);
  const accrued = facts.get(accrual);
  if (accrued?.type !== 'ReferralAccrued') return refused({ code: 'referral_not_found' });
  const credits = parseCredits(accrued.data.credits);
  const draft = promotionDraft(wallet, now);
  const own = takePending(wallet, credits, (other) => sameEntry(other, command));
  const granted = facts.get(grant);
  const lot = granted?.type === 'ReferralGranted' ? takeLot(draft, granted.data.lot, own.left) : null;
  const others = takePending(wallet, lot?.left ?? own.left, (other) => !sameEntry(other, command));
  const data: ReferralClawedBack = {
    from,
    revision,
    credits: formatCredits(credits),
    pending: [...own.taken, ...others.taken],
    ...(lot === null || lot.part === 0n ? {} : { lot: { lot: lot.id, credits: formatCredits(lot.part) } }),
    owed: formatCredits(others.left),
    ...draft.movement(),
  };
  return accepted({ type: 'ReferralClawedBack', key: command.key, data, facts: draft.facts() });
}

function promotionDraft(wallet: Wallet, now: number): EntryDraft {
  const promotions = accounts.promotions(REFERRAL_PROMOTION);
  return new EntryDraft(wallet, now, { granted: { credits: promotions, money: promotions } });
}

function takePending(
  { referral }: Wallet,
  credits: bigint,
  isMeant: (accrual: ReferredEntry) => boolean,
): { readonly taken: ReferralClawedBack['pending']; readonly left: bigint } {
  const taken: (ReferredEntry & { readonly credits: string })[] = [];
  let left = credits;
  for (const accrual of referral.pending) {
    if (left === 0n) break;
    if (!isMeant(accrual)) continue;
    const part = smaller(left, accrual.credits);
    const { from, revision } = accrual;
    taken.push({ from, revision, credits: formatCredits(part) });
    left -= part;
  }
  return { taken, left };
}

/** What is still free of the lot: credits in holds are somebody's call already. */
function takeLot(
  draft: EntryDraft,
  id: string,
  credits: bigint,
): { readonly id: string; readonly part: bigint; readonly left: bigint } {
  const lot = draft.wallet.lots.find((candidate) => candidate.id === id && candidate.unit === CREDITS);
  const part = lot === undefined ? 0n : smaller(credits, lot.free);
  if (lot !== undefined) draft.move('free', 'granted', part, lot, shareOf(lot.paid, part, lot.free));
  return { id, part, left: credits - part };
}
