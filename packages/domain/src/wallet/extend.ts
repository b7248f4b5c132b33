/**
 * Extending a hold while its call streams, by time, by estimate, or both (rule 20): "at least", so what it has it keeps,
 * and twice is once. One that has expired is placed anew on the terms of now, or refused.
 */
import { formatCredits, larger } from '../amount.ts';
import type { CommandKey } from '../decider.ts';
import { keys } from '../ids.ts';
import type { WalletContext } from './booked.ts';
import { closedHold, planOfClosed, unknownOfClosed } from './closed-hold.ts';
import {
  type ExtendHold,
  NEEDS_CATALOGUE,
  needs,
  refused,
  UNCHANGED,
  type WalletDecision,
} from './commands.ts';
import type { HoldTerms } from './events.ts';
import { HOLDS_MAX, planTermsOf, reserve, tooManyConcurrent } from './hold.ts';
import type { Hold, Wallet } from './state.ts';
import { type Pinned, type Use, useOf } from './use.ts';

export function extendHold(
  wallet: Wallet,
  command: ExtendHold & CommandKey,
  context: WalletContext,
): WalletDecision {
  const open = wallet.holds.get(command.hold);
  if (open !== undefined) return extendOpen(wallet, open, command, context);
  const { hold } = command;
  const unknown = unknownOfClosed(hold, context);
  if (unknown !== null) return needs(...unknown);
  if (context.facts.get(keys.settle(hold)) != null)
    return refused({ code: 'hold_closed', hold, status: 'settled' });
  if (context.facts.get(keys.void(hold)) != null)
    return refused({ code: 'hold_closed', hold, status: 'voided' });
  const closed = closedHold(hold, context);
  if (closed === null) return refused({ code: 'hold_not_found', hold });
  if (wallet.frozen.size > 0)
    return refused({ code: 'account_frozen', reasons: [...wallet.frozen.values()] });
  const crowd = tooManyConcurrent(wallet);
  if (crowd !== null) return refused(crowd);
  if (wallet.holds.size >= HOLDS_MAX) return refused({ code: 'too_many_holds', limit: HOLDS_MAX });
  // It has expired: it is placed anew, at its own prices, or the answer is 402.
  const { model, price_book: book, estimate } = closed.terms;
  const anew: Held = {
    hold,
    key: keys.holdAgain(hold, closed.again + 1),
    expired: true,
    model,
    book,
    estimate,
    credits: 0n,
    plan: planOfClosed(wallet, closed),
    quotaPins: [],
    caps: [],
  };
  const lifetime = command.expiresInMs ?? closed.lifetimeMs;
  return extendTo(wallet, anew, command.estimate ?? estimate, context.now + lifetime, context);
}

function extendOpen(wallet: Wallet, open: Hold, command: ExtendHold, context: WalletContext): WalletDecision {
  const asked = command.expiresInMs === null ? open.expiresAt : context.now + command.expiresInMs;
  const expiresAt = Math.max(open.expiresAt, asked);
  const held: Held = { ...open, hold: open.id, key: null };
  return extendTo(wallet, held, command.estimate, expiresAt, context, open.expiresAt);
}

interface Held extends Pinned {
  readonly hold: string;
  /** Of what is placed anew, to be found by; null where it is open. */
  readonly key: string | null;
  readonly credits: bigint;
}

function extendTo(
  wallet: Wallet,
  held: Held,
  estimate: HoldTerms['estimate'] | null,
  expiresAt: number,
  context: WalletContext,
  expiresNow = 0,
): WalletDecision {
  let use: Use | null = null;
  if (estimate !== null) {
    const { now, catalogue } = context;
    const { model } = held;
    const asked = { model, usage: estimate, at: now, now, mustBook: false, isEstimate: true, hold: held };
    const outcome = useOf(wallet, asked, catalogue);
    if (outcome.status === 'refused') return refused(outcome.refusal);
    if (outcome.status === 'unpriced') {
      // Another process may have pinned a version that was published a moment ago (rule 24).
      if (!context.catalogueIsFresh) return NEEDS_CATALOGUE;
      return refused({ code: 'no_price', reason: outcome.reason, missing: outcome.missing });
    }
    use = outcome.use;
  }
  const grown = use !== null && (held.expired === true || growsBeyond(held, use)) ? use : null;
  if (grown === null && expiresAt <= expiresNow) return UNCHANGED;
  const credits = larger(grown?.priced.credits ?? 0n, held.credits);
  const terms: HoldTerms = {
    hold: held.hold,
    purpose: 'call',
    model: held.model,
    estimate: grown !== null && estimate !== null ? estimate : held.estimate,
    credits: formatCredits(credits),
    expires_at: new Date(expiresAt).toISOString(),
    price_book: held.book,
    ...(grown === null ? planTermsKept(held) : planTermsOf({ ...grown, caps: largerCaps(held, grown) })),
  };
  return reserve(wallet, 'HoldExtended', held.key, terms, credits - held.credits, grown, context);
}

/** "At least": more credits, or more of a quota or a cap, than the hold has. */
function growsBeyond({ credits, quotaPins, caps: held }: Held, { priced, funding, caps }: Use): boolean {
  if (priced.credits > credits) return true;
  if (caps.some(({ cap, quantity }) => quantity > heldOf(held, cap))) return true;
  return (funding?.takes ?? []).some(
    ({ quota, quantity }) => quantity > (quotaPins.find((pin) => pin.quota === quota.id)?.quantity ?? 0n),
  );
}

function heldOf(caps: Hold['caps'], index: number): bigint {
  return caps.find(({ cap }) => cap === index)?.quantity ?? 0n;
}

/** What it has of a cap it keeps: the call may still use it. */
function largerCaps({ caps: held }: Held, { caps }: Use): Hold['caps'] {
  const indexes = [...new Set([...held, ...caps].map(({ cap }) => cap))].sort((a, b) => a - b);
  return indexes.map((cap) => ({ cap, quantity: larger(heldOf(caps, cap), heldOf(held, cap)) }));
}

function planTermsKept({ plan, caps }: Held): Pick<HoldTerms, 'plan' | 'caps'> {
  const counts = caps.map(({ cap, quantity }) => ({ cap, quantity: quantity.toString() }));
  return { ...(plan === null ? {} : { plan }), ...(counts.length === 0 ? {} : { caps: counts }) };
}
