/**
 * Taking an entry back (rules 22, 23, 32): what the charge recorded returns exactly, lot by lot with its money.
 * - into a lot that has expired meanwhile: a new lot with the same marks and a time of grace
 * - a top-up or grant that was spent already: refused, unless debt is asked for
 * - what had made debt ends debt; where the debt is paid already, credits come as a lot of their own
 */
import { CREDITS, formatCredits, type Money, parseAmount, parseCredits, smaller } from '../amount.ts';
import type { CommandKey, Stored } from '../decider.ts';
import { accounts } from '../entry.ts';
import { keys } from '../ids.ts';
import type { WalletContext } from './booked.ts';
import { accepted, needs, type ReverseEntry, refused, type WalletDecision } from './commands.ts';
import { DEFAULT_PRIORITY } from './credit.ts';
import { type Counterparts, EntryDraft, incomeOf } from './entry-draft.ts';
import type { EntryReversed, Move, NewLot, WalletEvent } from './events.ts';
import { addLot } from './moves.ts';
import { PURCHASES } from './purchase/purchase.ts';
import { isOpen } from './quota/state.ts';
import { birthOf, type Lot, shareOf, type Wallet } from './state.ts';

/** How long credits last that come back to a lot which has expired. */
export const GRACE_MS = 7 * 24 * 60 * 60 * 1000;

type Reversible = Extract<
  WalletEvent,
  { type: 'UsageCharged' | 'TopUp' | 'PurchasePaid' | 'CreditsGranted' | 'CreditsAdjusted' }
>;

export function reverseEntry(
  wallet: Wallet,
  command: ReverseEntry & CommandKey,
  context: WalletContext,
): WalletDecision {
  const original = context.facts.get(`#${command.revision}`);
  if (original === undefined) return needs(`#${command.revision}`);
  if (original === null) return refused({ code: 'entry_not_found' });
  if (!isReversible(original)) {
    const reason =
      original.type === 'EntryReversed'
        ? 'a reversal cannot be reversed'
        : `${original.type} cannot be reversed`;
    return refused({ code: 'entry_not_reversible', reason });
  }
  const draft = new EntryDraft(wallet, context.now, counterpartsOf(original));
  const unknown = unknownBirths(wallet, original.data.moves, context);
  if (unknown.length > 0) return needs(...unknown);
  const restored = restoreLots(wallet, original.data.moves, context);
  for (const lot of restored.lots) addLot(draft.wallet, lot, restored.paid[lot.lot]);
  const fault = original.data.moves.some(({ from }) => from === 'granted' || from === 'adjusted')
    ? takeBack(draft, original, command.allowDebt)
    : giveBackAll(draft, original);
  if (fault !== null) return fault;
  const lots = { ...draft.facts().lots, ...restored.paid };
  const data: EntryReversed = {
    reverses: command.revision,
    reversed_type: original.type,
    credits: original.data.credits,
    reason: command.reason,
    ...(restored.lots.length === 0 ? {} : { restored: restored.lots }),
    ...freedCoupon(wallet, original),
    ...draft.movement(),
  };
  const facts = { ...draft.facts(), ...(Object.keys(lots).length === 0 ? {} : { lots }) };
  return accepted({ type: 'EntryReversed', key: keys.reverse(command.revision), data, facts });
}

function isReversible(event: Stored<WalletEvent>): event is Stored<WalletEvent> & Reversible {
  return ['UsageCharged', 'TopUp', 'PurchasePaid', 'CreditsGranted', 'CreditsAdjusted'].includes(event.type);
}

function counterpartsOf(original: Reversible): Counterparts {
  switch (original.type) {
    case 'UsageCharged':
      return incomeOf(original.data.model);
    case 'TopUp':
      return { granted: { credits: accounts.issued, money: accounts.clearing(original.data.source) } };
    case 'PurchasePaid':
      return { granted: { credits: accounts.issued, money: accounts.clearing(PURCHASES) } };
    case 'CreditsGranted': {
      const promotions = accounts.promotions(original.data.kind);
      return { granted: { credits: promotions, money: promotions } };
    }
    case 'CreditsAdjusted':
      return {};
  }
}

/** Credits that had come in go out again: first what is still free of their lot, then, if asked for, into debt. */
function takeBack(draft: EntryDraft, original: Reversible, allowDebt: boolean): WalletDecision | null {
  const incoming = original.data.moves.find(({ from }) => from === 'granted' || from === 'adjusted');
  const from = incoming?.from ?? 'granted';
  const credits = parseCredits(original.data.credits);
  const lot = draft.wallet.lots.find(({ id }) => id === incoming?.lot);
  const free = lot === undefined ? 0n : smaller(credits, lot.free);
  if (free < credits && !allowDebt) {
    return refused({
      code: 'credits_already_spent',
      remaining: formatCredits(free),
      required: formatCredits(credits),
    });
  }
  const money = lot === undefined ? 0n : shareOf(lot.paid, free, lot.free);
  if (free > 0n && lot !== undefined) draft.move('free', from, free, lot, money);
  // What is lacking comes from the customer's other credits, or is debt. What was paid for those others was paid for
  // good: it is income now, as if they had been spent.
  draft.take(credits - free, from, accounts.incomeAdjustments);
  return clawBack(draft, original, money);
}

/** Of a purchase of which nothing has been spent: its coupon may be used again (billing rule 18). */
function freedCoupon(wallet: Wallet, original: Reversible): Pick<EntryReversed, 'frees_coupon'> {
  if (original.type !== 'PurchasePaid') return {};
  const { purchase, lot, credits } = original.data;
  const free = wallet.lots.find(({ id }) => id === lot)?.free ?? 0n;
  if (purchase.coupon === null || free < parseCredits(credits)) return {};
  return { frees_coupon: { code: purchase.coupon.code, purchase: purchase.id } };
}

/** The payment goes back whole: what was income already is our loss. */
function clawBack(draft: EntryDraft, original: Reversible, returned: bigint): null {
  if (original.type !== 'TopUp' && original.type !== 'PurchasePaid') return null;
  const source = original.type === 'TopUp' ? original.data.source : PURCHASES;
  for (const leg of original.facts.entry) {
    if (leg.account !== accounts.clearing(source)) continue;
    const loss = parseAmount(leg.amount, leg.unit) - returned;
    draft.moneyMove(accounts.clawbacks, leg.account, leg.unit, loss);
  }
  return null;
}

function giveBackAll(draft: EntryDraft, original: Reversible): null {
  giveBackQuotas(draft, original);
  giveBack(draft, original.data.moves, original.facts.paid);
  return null;
}

/** Of quotas whose window lasts. What has ended meanwhile is not revived, and the money behind it was earned. */
function giveBackQuotas(draft: EntryDraft, { data, facts }: Reversible): void {
  (data.quotas?.moves ?? []).forEach(({ quota: id, to, quantity }, index) => {
    const quota = draft.wallet.quotas.find((candidate) => candidate.id === id);
    if (to !== 'used' || quota === undefined) return;
    if (!isOpen(quota, draft.wallet.subscription, draft.now)) return;
    const paid = quota.currency === null ? 0n : parseAmount(facts.quotas?.paid[index] ?? '0', quota.currency);
    draft.moveQuota(id, 'used', 'free', BigInt(quantity), paid);
  });
}

/**
 * Credits that had gone out come back to where they were taken from, with the money behind them.
 * @param paid of each of `moves`
 */
export function giveBack(draft: EntryDraft, moves: readonly Move[], paid: readonly string[]): void {
  const gone = moves
    .map((move, index) => ({ move, paid: paid[index] ?? '0' }))
    .filter(({ move }) => move.to === 'spent' || move.to === 'adjusted');
  for (const { move } of gone) if (move.lot === undefined) endDebt(draft, move);
  for (const { move, paid } of gone) {
    if (move.lot === undefined) continue;
    const lot = draft.wallet.lots.find(({ id }) => id === move.lot);
    if (lot === undefined) throw new Error(`${move.lot} was not restored`);
    const money = lot.currency === null ? 0n : parseAmount(paid, lot.currency);
    const target =
      lot.expiresAt !== null && lot.expiresAt <= draft.now ? graceLot(draft, lot, move, paid) : lot.id;
    draft.place(move.to, target, parseCredits(move.credits), money);
  }
}

function endDebt(draft: EntryDraft, move: Move): void {
  const credits = parseCredits(move.credits);
  const debt = smaller(credits, draft.wallet.totals.debt);
  draft.move(move.to, 'overdraft', debt);
  const rest = credits - debt;
  if (rest === 0n) return;
  const lot = draft.nextLotId();
  draft.addLot(
    {
      lot,
      unit: CREDITS,
      quantity: formatCredits(rest),
      priority: DEFAULT_PRIORITY,
      expires_at: null,
      withdrawable: '0',
      origin: { kind: 'reversal', of: 'repaid_debt', ref: lot },
    },
    undefined,
  );
  draft.place(move.to, lot, rest, 0n);
}

/** A lot with the marks of one that has expired, and its money. */
function graceLot(draft: EntryDraft, lot: Lot, move: Move, paid: string): string {
  const id = draft.nextLotId();
  const money: Money | undefined =
    lot.currency === null ? undefined : { amount: paid, currency: lot.currency };
  const expires_at = new Date(draft.now + GRACE_MS).toISOString();
  draft.addLot(
    {
      lot: id,
      unit: lot.unit,
      quantity: move.credits,
      priority: lot.priority,
      expires_at,
      withdrawable: '0',
      origin: { kind: 'reversal', of: lot.origin.of, ref: lot.id },
    },
    money,
  );
  return id;
}

/** Lots that had left the wallet's state, with what was paid for them. */
export interface Restored {
  readonly lots: readonly NewLot[];
  readonly paid: { readonly [lot: string]: Money };
}

/** Lots that these moves burned and that have left the state since; they are named after the revision of their birth. */
function birthsNeeded(wallet: Wallet, moves: readonly Move[]): number[] {
  const missing = new Set<number>();
  for (const { lot, to } of moves) {
    if (lot === undefined || (to !== 'spent' && to !== 'adjusted')) continue;
    const birth = birthOf(lot);
    if (birth === undefined) throw new Error(`${lot} does not say where it was born`);
    if (!wallet.lots.some(({ id }) => id === lot)) missing.add(birth);
  }
  return [...missing];
}

/** Facts to ask for before the lots of these moves can take anything back. */
export function unknownBirths(wallet: Wallet, moves: readonly Move[], { facts }: WalletContext): string[] {
  return birthsNeeded(wallet, moves)
    .map((revision) => `#${revision}`)
    .filter((fact) => !facts.has(fact));
}

export function restoreLots(wallet: Wallet, moves: readonly Move[], context: WalletContext): Restored {
  const lots: NewLot[] = [];
  const paid: Record<string, Money> = {};
  for (const revision of birthsNeeded(wallet, moves)) {
    const birth = context.facts.get(`#${revision}`);
    if (birth == null || !('lots' in birth.data)) throw new Error(`no lot was born at ${revision}`);
    for (const lot of birth.data.lots ?? []) {
      if (!moves.some((move) => move.lot === lot.lot)) continue;
      // Of several lots of one birth some may still be here.
      if (wallet.lots.some(({ id }) => id === lot.lot)) continue;
      const money = 'lots' in birth.facts ? birth.facts.lots?.[lot.lot] : undefined;
      lots.push(lot);
      if (money !== undefined) paid[lot.lot] = money;
    }
  }
  return { lots, paid };
}
