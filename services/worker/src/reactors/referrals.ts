/**
 * What a friend pays for accrues to whoever referred it (billing rule 19): the entry is in one wallet, the accrual in
 * another. Where the entry is taken back, so is what had accrued on it.
 */
import {
  type DomainEvent,
  keys,
  parseAmount,
  parseCredits,
  type ReferralReason,
  type WalletEvent,
  walletDecider,
} from '@tallystick/domain';
import { type StoredEvent, splitStream } from '@tallystick/event-store';
import { giveOrder, type Orders } from './order.ts';
import type { Reactor } from './reaction.ts';

export interface ReferralTerms {
  /** Of what is bought and paid for; a decimal. "0": nothing accrues. */
  readonly percent: string;
  /** From the friend's entry until it is granted. */
  readonly days: number;
}

const DAY_MS = 86_400_000;
const TYPES = ['TopUp', 'PurchasePaid', 'EntryReversed'] as const;

export function referralReactor(runner: Orders, terms: ReferralTerms): Reactor {
  return {
    name: 'referrals',
    types: new Set(TYPES),
    async react(stored) {
      const event = stored as StoredEvent<DomainEvent> as unknown as StoredEvent<WalletEvent>;
      const what = whatOf(event);
      if (what === null) return;
      const referrer = await referrerOf(runner, event.stream);
      if (referrer === null) return;
      const from = splitStream(event.stream).id;
      if (what.type === 'taken_back') {
        const key = keys.referralClawBack(from, what.revision);
        const command = { type: 'ClawBackReferral', from, revision: what.revision } as const;
        // Refused where nothing had accrued on it: then there is nothing to take.
        await giveOrder(runner, walletDecider, referrer, { ...command, key, fingerprint: key });
        return;
      }
      const { revision, recordedAt } = event;
      const key = keys.referral(from, revision);
      // Refused where two refer each other, or the referrer is gone: then nobody earns by it.
      await giveOrder(runner, walletDecider, referrer, {
        type: 'AccrueReferral',
        key,
        fingerprint: key,
        from,
        revision,
        reason: what.reason,
        ofCredits: what.credits,
        percent: terms.percent,
        availableAt: recordedAt + terms.days * DAY_MS,
      });
    },
  };
}

type What =
  | { readonly type: 'paid'; readonly reason: ReferralReason; readonly credits: bigint }
  | { readonly type: 'taken_back'; readonly revision: number };

/** What an event means for a referrer; null: nothing. */
function whatOf(event: StoredEvent<WalletEvent>): What | null {
  switch (event.type) {
    case 'TopUp': {
      const { credits, lot } = event.data;
      // One that is said to have cost nothing was a gift.
      if (event.facts.lots?.[lot]?.amount === '0') return null;
      return { type: 'paid', reason: 'top_up', credits: parseCredits(credits) };
    }
    case 'PurchasePaid': {
      const { credits, price, total } = event.data.purchase;
      const paidFor = shareBought(parseCredits(credits), price, total);
      return paidFor === 0n ? null : { type: 'paid', reason: 'purchase', credits: paidFor };
    }
    case 'EntryReversed': {
      const { reversed_type, reverses } = event.data;
      const isPaid = reversed_type === 'TopUp' || reversed_type === 'PurchasePaid';
      return isPaid ? { type: 'taken_back', revision: reverses } : null;
    }
    default:
      throw new Error(`${event.type} is not one of ${TYPES.join(', ')}`);
  }
}

/** What a coupon paid for the friend did not: without bonus, and only the part that money came for. */
export function shareBought(
  credits: bigint,
  price: { readonly amount: string; readonly currency: string },
  total: { readonly amount: string; readonly currency: string },
): bigint {
  const whole = parseAmount(price.amount, price.currency);
  if (whole === 0n) return 0n;
  return (credits * parseAmount(total.amount, total.currency)) / whole;
}

/** The link is older than every payment, and fixed: whoever looks for it later finds the same. */
async function referrerOf(runner: Orders, stream: string): Promise<string | null> {
  const found = await runner.find<WalletEvent>(stream, [keys.referralLink]);
  const linked = found.get(keys.referralLink);
  return linked?.type === 'ReferralLinked' ? linked.data.referred_by : null;
}
