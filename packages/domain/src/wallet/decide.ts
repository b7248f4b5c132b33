/** The wallet's decider: one switch from command to decision, and the shape the runner wants. */

import { formatCredits } from '../amount.ts';
import type { Catalogues } from '../catalogue/catalogues.ts';
import type { Decider } from '../decider.ts';
import { setAlerts } from './alerts/alerts.ts';
import { resolveAutoTopUp, setAutoTopUp } from './auto-top-up/auto-top-up.ts';
import type { WalletContext } from './booked.ts';
import { chargeUsage, repriceUsage, settleHold } from './charge.ts';
import {
  accepted,
  refused,
  UNCHANGED,
  type WalletCommand,
  type WalletDecision,
  type WalletRefusal,
} from './commands.ts';
import { consequencesOf } from './consequences.ts';
import { adjust, grant, topUp } from './credit.ts';
import { duesOf } from './dues.ts';
import type { AccountTerms, WalletEvent } from './events.ts';
import { evolveWallet } from './evolve.ts';
import { extendHold } from './extend.ts';
import { placeHold, voidHold } from './hold.ts';
import { shareHolds } from './moves.ts';
import { applyCoupon, forgetCoupon } from './purchase/coupon.ts';
import { cancelPurchase, openPurchase, recordPayment } from './purchase/purchase.ts';
import { accrueReferral, clawBackReferral, linkReferral } from './referral/referral.ts';
import { reverseEntry } from './reversal.ts';
import { freezeWallet, thawWallet } from './snapshot.ts';
import { emptyWallet, forkWallet, type Wallet } from './state.ts';
import { cancelSubscription, changePlan, resumeSubscription } from './subscription/change.ts';
import { expandQuota, recordSubscriptionPayment } from './subscription/payments.ts';
import { subscribe } from './subscription/subscribe.ts';

export function decideWallet(wallet: Wallet, command: WalletCommand, context: WalletContext): WalletDecision {
  const decision = decideAlone(wallet, command, context);
  if (decision.kind !== 'accepted' || decision.events.length === 0) return decision;
  const follow = consequencesOf(wallet, decision.events, context);
  return follow.length === 0 ? decision : accepted(...decision.events, ...follow);
}

function decideAlone(wallet: Wallet, command: WalletCommand, context: WalletContext): WalletDecision {
  if (command.type === 'OpenAccount') {
    const data = { account: wallet.account, ...command.terms };
    return accepted({ type: 'AccountOpened', key: command.key, data, facts: {} });
  }
  if (!wallet.opened) return refused({ code: 'account_not_found' });
  switch (command.type) {
    case 'ChangeAccount':
      return changeAccount(wallet, command.terms);
    case 'FreezeAccount':
      return freeze(wallet, command.reason, command.reference);
    case 'UnfreezeAccount':
      if (!wallet.frozen.has(command.reference)) return UNCHANGED;
      return accepted({
        type: 'AccountUnfrozen',
        key: null,
        data: { reference: command.reference },
        facts: {},
      });
    case 'TopUpCredits':
      return topUp(wallet, command, context.now);
    case 'GrantCredits':
      return grant(wallet, command, context.now);
    case 'AdjustCredits':
      return adjust(wallet, command, context.now);
    case 'ChargeUsage':
      return chargeUsage(wallet, command, context);
    case 'SettleHold':
      return settleHold(wallet, command, context);
    case 'RepriceUsage':
      return repriceUsage(wallet, command, context);
    case 'PlaceHold':
      return placeHold(wallet, command, context);
    case 'ExtendHold':
      return extendHold(wallet, command, context);
    case 'VoidHold':
      return voidHold(wallet, command, context);
    case 'ReverseEntry':
      return reverseEntry(wallet, command, context);
    case 'OpenPurchase':
      return openPurchase(wallet, command, context);
    case 'RecordPurchasePayment':
      return recordPayment(wallet, command, context);
    case 'CancelPurchase':
      return cancelPurchase(command, context);
    case 'ApplyCoupon':
      return applyCoupon(wallet, command, context.now);
    case 'ForgetCoupon':
      return forgetCoupon(wallet, command.code);
    case 'LinkReferral':
      return linkReferral(wallet, command);
    case 'AccrueReferral':
      return accrueReferral(wallet, command);
    case 'ClawBackReferral':
      return clawBackReferral(wallet, command, context);
    case 'SetAutoTopUp':
      return setAutoTopUp(wallet, command.terms);
    case 'ResolveAutoTopUp':
      return resolveAutoTopUp(wallet, command, context);
    case 'SetAlerts':
      return setAlerts(wallet, command.terms);
    case 'Subscribe':
      return subscribe(wallet, command, context);
    case 'ChangePlan':
      return changePlan(wallet, command, context);
    case 'CancelSubscription':
      return cancelSubscription(wallet, command, context);
    case 'ResumeSubscription':
      return resumeSubscription(wallet, context.now);
    case 'RecordSubscriptionPayment':
      return recordSubscriptionPayment(wallet, command, context);
    case 'ExpandQuota':
      return expandQuota(wallet, command, context);
    case 'CarryOutDues':
      return accepted();
  }
}

/**
 * Freezing claims no key: the set of references says what is frozen, so the same freeze twice is one, and a reference
 * that was lifted may be used again. With a key, freezing again would be answered as done while the account is open.
 */
function freeze(wallet: Wallet, reason: string, reference: string): WalletDecision {
  if (wallet.frozen.has(reference)) return UNCHANGED;
  return accepted({ type: 'AccountFrozen', key: null, data: { reason, reference }, facts: {} });
}

function changeAccount(wallet: Wallet, terms: Partial<AccountTerms>): WalletDecision {
  const now: AccountTerms = {
    price_book: wallet.priceBook,
    overdraft_limit: formatCredits(wallet.overdraftLimit),
    time_zone: wallet.timeZone,
    currency: wallet.currency,
  };
  const names = Object.keys(terms) as (keyof AccountTerms)[];
  const changed = names.filter((name) => terms[name] !== now[name]);
  if (changed.length === 0) return UNCHANGED;
  const data: Partial<AccountTerms> = Object.fromEntries(changed.map((name) => [name, terms[name]]));
  return accepted({ type: 'AccountChanged', key: null, data, facts: {} });
}

/** A fork that outlives the next change of its original: without this, that change would show through in the fork. */
function forkForGood(wallet: Wallet): Wallet {
  shareHolds(wallet);
  return forkWallet(wallet);
}

export const walletDecider: Decider<Wallet, WalletCommand, WalletEvent, WalletRefusal, Catalogues> = {
  category: 'wallet',
  foldVersion: 4,
  initial: emptyWallet,
  fork: forkForGood,
  evolve: evolveWallet,
  decide: decideWallet,
  dues: duesOf,
  freeze: freezeWallet,
  thaw: thawWallet,
  weigh: (wallet) =>
    1_000 +
    wallet.lots.length * 400 +
    wallet.holds.size * 700 +
    wallet.quotas.length * 500 +
    wallet.referral.pending.length * 200 +
    wallet.alerts.quotas.length * 250 +
    (wallet.subscription === null ? 0 : 4_000),
};
