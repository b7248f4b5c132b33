/**
 * "May this call run?" without reserving anything: advice, given on the state at hand (rule 1), as the wallet stands
 * after what is due. All reasons at once, by the same conditions that a hold is refused by.
 */
import { formatCredits } from '../amount.ts';
import type { Catalogues } from '../catalogue/catalogues.ts';
import type { Usage } from '../usage.ts';
import { canAfford } from './charge.ts';
import { duesOf } from './dues.ts';
import { evolveWallet } from './evolve.ts';
import { tooManyConcurrent } from './hold.ts';
import type { Covered } from './quota/events.ts';
import { forkWallet, type Wallet } from './state.ts';
import type { UseRefusal } from './subscription/commands.ts';
import { isInForce } from './subscription/state.ts';
import { useOf } from './use.ts';

export type AuthorizeReason = 'account_frozen' | 'no_price' | 'insufficient_credits' | UseRefusal['code'];

/** What the plan limits beside quotas and caps. */
export interface PlanLimits {
  readonly requestsPerMinute: number | null;
  readonly concurrent: number | null;
  /** Calls under way. */
  readonly open: number;
  /** Its class of service. */
  readonly priority: string | null;
}

export interface Advice {
  readonly allowed: boolean;
  /** What the estimate costs; null where it has no price. */
  readonly credits: string | null;
  readonly available: string;
  readonly reasons: readonly AuthorizeReason[];
  /** What quotas would pay for. */
  readonly covered: readonly Covered[];
  /** Null without a plan. */
  readonly plan: PlanLimits | null;
  /** Where a quota or cap says no: when it may be different. */
  readonly resetsAt: string | null;
  /** The one that does not let it through; null where all do. */
  readonly cap: Omit<CapReached, 'code'> | null;
}

type CapReached = Extract<UseRefusal, { readonly code: 'cap_reached' }>;

/** @param now milliseconds since 1970 */
export function adviseWallet(
  state: Readonly<Wallet>,
  { model, estimate }: { readonly model: string; readonly estimate: Usage },
  now: number,
  catalogue: Catalogues,
): Advice {
  const wallet = walletAfterDues(state, now, catalogue);
  const asked = { model, usage: estimate, at: now, now, mustBook: false, isEstimate: true, hold: null };
  const outcome = useOf(wallet, asked, catalogue);
  const reasons: AuthorizeReason[] = [];
  if (wallet.frozen.size > 0) reasons.push('account_frozen');
  if (outcome.status === 'unpriced') reasons.push('no_price');
  else if (outcome.status === 'refused') reasons.push(outcome.refusal.code);
  else if (!canAfford(wallet, outcome.use.priced.credits)) reasons.push('insufficient_credits');
  if (tooManyConcurrent(wallet) !== null) reasons.push('too_many_concurrent');
  const use = outcome.status === 'usable' ? outcome.use : null;
  return {
    allowed: reasons.length === 0,
    credits: use === null ? null : formatCredits(use.priced.credits),
    available: formatCredits(wallet.totals.available),
    reasons,
    covered: use?.funding?.covered ?? NOTHING,
    plan: planLimits(wallet),
    resetsAt:
      outcome.status === 'refused' && 'resets_at' in outcome.refusal ? outcome.refusal.resets_at : null,
    cap: outcome.status === 'refused' ? capOf(outcome.refusal) : null,
  };
}

function capOf(refusal: UseRefusal): Advice['cap'] {
  if (refusal.code !== 'cap_reached') return null;
  const { code: _code, ...cap } = refusal;
  return cap;
}

const NOTHING: readonly never[] = [];

export function planLimits(wallet: Readonly<Wallet>): PlanLimits | null {
  if (!isInForce(wallet.subscription)) return null;
  const { terms } = wallet.subscription;
  return {
    requestsPerMinute: terms.rate_limit_per_minute ?? null,
    concurrent: terms.max_concurrent_requests ?? null,
    open: wallet.holds.size,
    priority: terms.priority ?? null,
  };
}

/** The wallet as it is now: what has fallen due is carried out, though it is not written yet (rule 33). */
export function walletAfterDues(
  state: Readonly<Wallet>,
  now: number,
  catalogue: Catalogues,
): Readonly<Wallet> {
  if (state.nextDueAt > now) return state;
  const wallet = forkWallet(state);
  for (;;) {
    const { events, more } = duesOf(wallet, now, catalogue);
    for (const event of events) evolveWallet(wallet, event, wallet.revision + 1);
    if (!more) return wallet;
  }
}
