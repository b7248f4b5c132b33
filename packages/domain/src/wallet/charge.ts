/**
 * Usage becomes a charge. The rules in short:
 * - priced at min(occurred_at, now) by the wallet's price book, or by the version its hold has pinned
 * - `charge` is refused where credits (and the overdraft) do not suffice, or while frozen; `record`, and whatever
 *   settles a hold, is booked come what may, into debt: the call has run
 * - no price: parked as unpriced, never charged zero, never lost (P10)
 */
import { formatCredits } from '../amount.ts';
import { canonical } from '../canonical.ts';
import type { CommandKey } from '../decider.ts';
import { keys } from '../ids.ts';
import type { Unpriced } from '../pricing/quote.ts';
import { type Charge, charged, closing, park, type WalletContext } from './booked.ts';
import { closedHold, planOfClosed, unknownOfClosed } from './closed-hold.ts';
import {
  accepted,
  type ChargeUsage,
  NEEDS_CATALOGUE,
  needs,
  type RepriceUsage,
  refused,
  type SettleHold,
  type WalletDecision,
} from './commands.ts';
import { BALANCE_MAX } from './credit.ts';
import { EntryDraft, incomeOf } from './entry-draft.ts';
import type { UsageRecord, WalletEventOf } from './events.ts';
import type { Hold, Wallet } from './state.ts';
import { type Pinned, type Use, useOf } from './use.ts';

export function chargeUsage(
  wallet: Wallet,
  command: ChargeUsage & CommandKey,
  context: WalletContext,
): WalletDecision {
  const beyond = beyondLimit(wallet);
  if (beyond !== null) return beyond;
  const { id, source, model, usage, mode, hold, cost, metadata } = command;
  const pointer = command.key === null ? null : context.facts.get(command.key);
  if (pointer?.type === 'HoldClosed') return repeatOf(pointer.data.by, model, usage, context);
  const occurredAt = Math.min(command.occurredAt ?? context.now, context.now);
  const record = {
    usage_id: id,
    source,
    model,
    usage,
    mode,
    occurred_at: new Date(occurredAt).toISOString(),
  };
  const plain: Charge = { key: command.key, record, cost, metadata, mustBook: mode === 'record', marks: {} };
  if (hold === null) return chargeFree(wallet, plain, occurredAt, context);
  const settling: Charge = { ...plain, record: { ...record, hold }, mustBook: true };
  const open = wallet.holds.get(hold);
  if (open !== undefined) return settleOpen(wallet, open, settling, context);
  return settleClosed(wallet, hold, settling, context, mode === 'record' ? plain : null);
}

export function settleHold(
  wallet: Wallet,
  command: SettleHold & CommandKey,
  context: WalletContext,
): WalletDecision {
  const beyond = beyondLimit(wallet);
  if (beyond !== null) return beyond;
  const { hold, usage, cost } = command;
  const pointer = command.key === null ? null : context.facts.get(command.key);
  const open = wallet.holds.get(hold);
  if (open === undefined && pointer?.type === 'HoldClosed')
    return repeatOf(pointer.data.by, null, usage, context);
  const model = open?.model ?? closedHold(hold, context)?.terms.model ?? '';
  const occurred_at = new Date(context.now).toISOString();
  const record: UsageRecord = { usage_id: hold, source: '', model, usage, mode: 'record', hold, occurred_at };
  const charge: Charge = { key: command.key, record, cost, metadata: null, mustBook: true, marks: {} };
  if (open !== undefined) return settleOpen(wallet, open, charge, context);
  return settleClosed(wallet, hold, charge, context, null);
}

/** Charges what was parked; `record` semantics, because that call has run long ago. */
export function repriceUsage(
  wallet: Wallet,
  command: RepriceUsage & CommandKey,
  context: WalletContext,
): WalletDecision {
  const beyond = beyondLimit(wallet);
  if (beyond !== null) return beyond;
  const key = keys.usage(command.source, command.id);
  const parked = context.facts.get(key);
  if (parked === undefined) return needs(key);
  if (parked === null) return refused({ code: 'usage_not_found' });
  if (parked.type !== 'UsageUnpriced') return refused({ code: 'usage_already_charged' });
  const { model, usage, occurred_at } = parked.data;
  const at = Math.min(Date.parse(occurred_at), parked.recordedAt);
  const asked = { model, usage, at, now: context.now, mustBook: true, hold: null, orLater: true };
  const outcome = useOf(wallet, asked, context.catalogue);
  if (outcome.status === 'refused') return refused(outcome.refusal);
  if (outcome.status === 'unpriced') {
    if (!context.catalogueIsFresh) return NEEDS_CATALOGUE;
    return refused({ code: 'no_price', reason: outcome.reason, missing: outcome.missing });
  }
  const { use } = outcome;
  const { hold: _released, ...record } = recordOf(parked);
  const { cost, metadata } = parked.facts;
  const charge: Charge = {
    key: command.key,
    record,
    cost,
    metadata: metadata ?? null,
    mustBook: true,
    marks: { repriced: use.by },
  };
  const draft = new EntryDraft(wallet, context.now, incomeOf(model));
  if (use.funding !== null) draft.takeQuotas(use.funding.takes, 'used');
  draft.take(use.priced.credits, 'spent');
  return accepted(charged(draft, charge, use));
}

function recordOf({ data }: WalletEventOf<'UsageUnpriced'>): UsageRecord {
  const { usage_id, source, model, usage, mode, hold, occurred_at } = data;
  return { usage_id, source, model, usage, mode, occurred_at, ...(hold === undefined ? {} : { hold }) };
}

/** Sums of a wallet stay inside Postgres' bigint, whatever is recorded. */
function beyondLimit(wallet: Wallet): WalletDecision | null {
  return wallet.totals.consumed < BALANCE_MAX
    ? null
    : refused({ code: 'balance_limit', limit: formatCredits(BALANCE_MAX) });
}

function chargeFree(wallet: Wallet, charge: Charge, at: number, context: WalletContext): WalletDecision {
  if (!charge.mustBook && wallet.frozen.size > 0) {
    return refused({ code: 'account_frozen', reasons: [...wallet.frozen.values()] });
  }
  const { model, usage } = charge.record;
  const { now, catalogue } = context;
  const asked = { model, usage, at, now, mustBook: charge.mustBook, hold: null };
  const outcome = useOf(wallet, asked, catalogue);
  if (outcome.status === 'refused') return refused(outcome.refusal);
  if (outcome.status === 'unpriced') return park(wallet, charge, outcome, context);
  const { priced, funding } = outcome.use;
  if (!charge.mustBook && !canAfford(wallet, priced.credits)) return insufficient(wallet, priced.credits);
  const draft = new EntryDraft(wallet, now, incomeOf(model));
  if (funding !== null) draft.takeQuotas(funding.takes, 'used');
  draft.take(priced.credits, 'spent');
  return accepted(charged(draft, charge, outcome.use));
}

/** What costs nothing may always run, in debt too: price "0" is a price (rule 24). */
export function canAfford(wallet: Wallet, credits: bigint): boolean {
  return credits === 0n || wallet.totals.available + wallet.overdraftLimit >= credits;
}

export function insufficient(wallet: Wallet, required: bigint): WalletDecision {
  return refused({
    code: 'insufficient_credits',
    available: formatCredits(wallet.totals.available),
    required: formatCredits(required),
  });
}

function settleOpen(wallet: Wallet, hold: Hold, charge: Charge, context: WalletContext): WalletDecision {
  const { model, usage } = charge.record;
  const settleKey = keys.settle(hold.id);
  if (charge.key !== settleKey && !context.facts.has(settleKey)) return needs(settleKey);
  const use = useOfHeld(wallet, hold, model, usage, context);
  if (use.status === 'unpriced') return park(wallet, charge, use, context);
  const { priced, funding } = use;
  const draft = new EntryDraft(wallet, context.now, incomeOf(model));
  if (funding !== null) draft.takeQuotas(funding.takes, 'used', hold.id);
  draft.releaseQuotas(hold.id);
  const beyond = draft.consumeHold(hold.id, priced.credits);
  draft.release(hold.id);
  draft.take(beyond, 'spent');
  return accepted(charged(draft, charge, use), ...closing(charge, context));
}

/** The hold is not open: settled (the same charge), voided, expired (charged all the same), or never was. */
function settleClosed(
  wallet: Wallet,
  hold: string,
  charge: Charge,
  context: WalletContext,
  withoutHold: Charge | null,
): WalletDecision {
  const unknown = unknownOfClosed(hold, context);
  if (unknown !== null) return needs(...unknown);
  const settled = context.facts.get(keys.settle(hold));
  if (settled?.type === 'HoldClosed')
    return repeatOf(settled.data.by, charge.record.model, charge.record.usage, context);
  if (settled != null) return repeatOf(keys.settle(hold), charge.record.model, charge.record.usage, context);
  if (context.facts.get(keys.void(hold)) != null)
    return refused({ code: 'hold_closed', hold, status: 'voided' });
  const closed = closedHold(hold, context);
  if (closed === null) {
    if (withoutHold === null) return refused({ code: 'hold_not_found', hold });
    return chargeFree(wallet, withoutHold, Date.parse(withoutHold.record.occurred_at), context);
  }
  const record = {
    ...charge.record,
    model: charge.record.model === '' ? closed.terms.model : charge.record.model,
  };
  const late: Charge = { ...charge, record, marks: { late: true } };
  const pinned = {
    book: closed.terms.price_book,
    model: closed.terms.model,
    estimate: closed.terms.estimate,
    plan: planOfClosed(wallet, closed),
    quotaPins: [],
    caps: [],
    expired: true,
  };
  const use = useOfHeld(wallet, pinned, record.model, record.usage, context);
  if (use.status === 'unpriced') return park(wallet, late, use, context);
  const draft = new EntryDraft(wallet, context.now, incomeOf(record.model));
  if (use.funding !== null) draft.takeQuotas(use.funding.takes, 'used');
  draft.take(use.priced.credits, 'spent');
  return accepted(charged(draft, late, use), ...closing(late, context));
}

/** The command is a charge that has been made already, under another id: answered as that charge, if it is the same. */
function repeatOf(key: string, model: string | null, usage: object, context: WalletContext): WalletDecision {
  const event = context.facts.get(key);
  if (event === undefined) return needs(key);
  if (event === null || (event.type !== 'UsageCharged' && event.type !== 'UsageUnpriced')) {
    return refused({ code: 'idempotency_conflict' });
  }
  const same =
    canonical(event.data.usage) === canonical(usage) &&
    (model === null || model === '' || model === event.data.model);
  return same ? { kind: 'repeats', event } : refused({ code: 'idempotency_conflict' });
}

/** What a call that was held uses: by the book and the plan that the hold has pinned, and never refused. */
function useOfHeld(
  wallet: Wallet,
  hold: Pinned,
  model: string,
  usage: UsageRecord['usage'],
  { now, catalogue }: WalletContext,
): Unpriced | ({ readonly status: 'usable' } & Use) {
  const outcome = useOf(wallet, { model, usage, at: now, now, mustBook: true, hold }, catalogue);
  if (outcome.status === 'refused')
    throw new Error(`a call that has run was refused: ${outcome.refusal.code}`);
  return outcome.status === 'unpriced' ? outcome : { status: 'usable', ...outcome.use };
}
