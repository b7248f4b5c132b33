/**
 * How a call stands in the books: charged, or parked until it has a price. Either way the hold that it settles is closed,
 * under the hold's own key too.
 */
import { formatCredits, type Money, parseAmount } from '../amount.ts';
import type { Catalogues } from '../catalogue/catalogues.ts';
import type { Context } from '../decider.ts';
import { accounts } from '../entry.ts';
import { keys } from '../ids.ts';
import { costOf, type Unpriced } from '../pricing/quote.ts';
import { accepted, NEEDS_CATALOGUE, type WalletDecision } from './commands.ts';
import { EntryDraft } from './entry-draft.ts';
import type { UsageCharged, UsageRecord, UsageUnpriced, WalletEvent } from './events.ts';
import { countsOf } from './quota/caps.ts';
import type { Wallet } from './state.ts';
import type { Use } from './use.ts';

export type WalletContext = Context<Catalogues, WalletEvent>;

/** What a charge is made of, however it was asked for. */
export interface Charge {
  readonly key: string | null;
  readonly record: UsageRecord;
  readonly cost: Money | null;
  readonly metadata: object | null;
  /** The call has run: booked whatever happens. */
  readonly mustBook: boolean;
  readonly marks: { readonly late?: true; readonly repriced?: 'in_force' | 'later_version' };
}

/**
 * A hold that is settled under another id than its own is closed for its own key too; unless another call, which named no
 * hold, has been charged under that very id: this one has run as well, and must not be lost for it.
 */
export function closing({ key, record }: Charge, context: WalletContext): WalletEvent[] {
  if (record.hold === undefined || key === null) return [];
  const settleKey = keys.settle(record.hold);
  if (key === settleKey || context.facts.get(settleKey) != null) return [];
  return [{ type: 'HoldClosed', key: settleKey, data: { hold: record.hold, by: key }, facts: {} }];
}

export function charged(draft: EntryDraft, charge: Charge, use: Use): WalletEvent {
  const { record, key, metadata, marks } = charge;
  const { priced, funding, caps, violations } = use;
  // Of the whole call by the price book, whoever pays for it.
  const booked = funding === null ? priced : costOf(priced.book, record.model, record.usage);
  const cost = charge.cost ?? booked.cost;
  const supplier = booked.supplier ?? 'unknown';
  if (cost !== null) {
    // Beyond a hard stop the call is the platform's own, at its own expense (billing rule 6).
    const isOverrun = violations.includes('quota_exhausted') && use.plan !== null;
    const expense =
      isOverrun && use.plan !== null ? accounts.overrun(use.plan.id) : accounts.supplierExpense(supplier);
    const steps = parseAmount(cost.amount, cost.currency);
    draft.moneyMove(expense, accounts.supplierPayable(supplier), cost.currency, steps);
  }
  const data: UsageCharged = {
    ...record,
    ...marks,
    credits: formatCredits(priced.credits),
    price_book: { name: priced.book.name, version: priced.book.version },
    ...(funding === null || funding.covered.length === 0 ? {} : { covered: funding.covered }),
    ...(use.plan === null ? {} : { plan: use.plan }),
    ...(caps.length === 0 ? {} : { caps: countsOf(caps) }),
    ...(violations.length === 0 ? {} : { violations }),
    ...draft.movement(),
  };
  const facts = { ...draft.facts(), price: priced.facts, supplier: booked.supplier, cost };
  return { type: 'UsageCharged', key, data, facts: metadata === null ? facts : { ...facts, metadata } };
}

export function park(
  wallet: Wallet,
  charge: Charge,
  unpriced: Unpriced,
  context: WalletContext,
): WalletDecision {
  // A price may have been published a moment ago: read the catalogues to their heads once (rule 24).
  if (!context.catalogueIsFresh) return NEEDS_CATALOGUE;
  const draft = new EntryDraft(wallet, context.now);
  const { record, key, cost, metadata } = charge;
  if (record.hold !== undefined && wallet.holds.has(record.hold)) {
    draft.releaseQuotas(record.hold);
    draft.release(record.hold);
  }
  const data: UsageUnpriced = { ...record, reason: unpriced.reason, ...draft.movement() };
  const facts = { ...draft.facts(), cost };
  const event: WalletEvent = {
    type: 'UsageUnpriced',
    key,
    data,
    facts: metadata === null ? facts : { ...facts, metadata },
  };
  return accepted(event, ...closing(charge, context));
}
