/**
 * Answers to commands, each built from the event that the command made. A replay answers from the same stored event
 * by the same function, so it is the same to the byte. Nothing here may read `facts`: that is where currencies are (P8).
 */

import { formatPosition } from '@tallystick/connect';
import {
  type Covered,
  type CreditsAdjusted,
  type CreditsGranted,
  type EntryReversed,
  entryId,
  formatCredits,
  type Move,
  parseCredits,
  type TopUp,
  type UsageCharged,
  type WalletEvent,
  type WalletEventOf,
} from '@tallystick/domain';
import type { StoredEvent } from '@tallystick/event-store';
import { type Static, Type } from 'typebox';
import { Balance, BurnedLot, Decimal, Position } from './schemas.ts';

export const CreditsAnswer = Type.Object({
  entry_id: Type.String(),
  lot: Type.String(),
  position: Position,
  balance: Balance,
});
export const AdjustmentAnswer = Type.Object({
  entry_id: Type.String(),
  credits: Decimal,
  lot: Type.Optional(Type.String()),
  position: Position,
  balance: Balance,
});
export const ReversalAnswer = Type.Object({
  entry_id: Type.String(),
  reverses: Type.String(),
  credits: Decimal,
  position: Position,
  balance: Balance,
});
/** What came from a quota, or would. */
export const QuotaPart = Type.Object({
  unit: Type.String({ description: '`calls` or `tokens`.' }),
  model: Type.String({ description: 'Of the quota: a model, or `*`.' }),
  amount: Type.String({ description: 'A whole number as text.' }),
});
export const QuotaParts = Type.Optional(
  Type.Array(QuotaPart, { description: 'What quotas cover; left out where they cover nothing.' }),
);
export const Violations = Type.Optional(
  Type.Array(Type.String(), { description: 'What the plan would have refused, had the call not run.' }),
);
export const ChargedAnswer = Type.Object({
  id: Type.String(),
  entry_id: Type.String(),
  status: Type.Literal('charged'),
  credits: Decimal,
  balance: Balance,
  lots: Type.Array(BurnedLot, { description: 'What paid; nothing of what went into debt.' }),
  position: Position,
  quota: QuotaParts,
  violations: Violations,
  late: Type.Optional(Type.Literal(true, { description: 'Settled after its hold had expired.' })),
  repriced: Type.Optional(
    Type.String({ description: 'Was unpriced at first: by which price it was charged.' }),
  ),
  reversed: Type.Optional(Type.Literal(true, { description: 'Has been taken back since.' })),
});
export const UnpricedAnswer = Type.Object({
  id: Type.String(),
  status: Type.Literal('unpriced'),
  reason: Type.String({ description: 'What has no price.' }),
  position: Position,
});
export type ChargedAnswer = Static<typeof ChargedAnswer>;
export type UnpricedAnswer = Static<typeof UnpricedAnswer>;

type Of<T extends WalletEvent['type']> = StoredEvent<WalletEventOf<T>>;

const entryOf = (event: { readonly stream: string; readonly revision: number }): string =>
  entryId(event.stream, event.revision);

export function creditsAnswer(
  event: Of<'TopUp' | 'CreditsGranted'>,
  position: bigint,
  epoch: number,
): Static<typeof CreditsAnswer> {
  const { lot, after }: TopUp | CreditsGranted = event.data;
  return {
    entry_id: entryOf(event),
    lot,
    position: formatPosition(epoch, position),
    balance: balanceOf(after),
  };
}

export function adjustmentAnswer(
  event: Of<'CreditsAdjusted'>,
  position: bigint,
  epoch: number,
): Static<typeof AdjustmentAnswer> {
  const { credits, lot, after }: CreditsAdjusted = event.data;
  return {
    entry_id: entryOf(event),
    credits,
    ...(lot === undefined ? {} : { lot }),
    position: formatPosition(epoch, position),
    balance: balanceOf(after),
  };
}

export function reversalAnswer(
  event: Of<'EntryReversed'>,
  position: bigint,
  epoch: number,
): Static<typeof ReversalAnswer> {
  const { reverses, credits, after }: EntryReversed = event.data;
  return {
    entry_id: entryOf(event),
    reverses: entryId(event.stream, reverses),
    credits,
    position: formatPosition(epoch, position),
    balance: balanceOf(after),
  };
}

export function chargedAnswer(event: Of<'UsageCharged'>, position: bigint, epoch: number): ChargedAnswer {
  const { usage_id, credits, after, moves, covered, violations, late, repriced }: UsageCharged = event.data;
  return {
    id: usage_id,
    entry_id: entryOf(event),
    status: 'charged',
    credits,
    balance: balanceOf(after),
    lots: burnedLots(moves),
    position: formatPosition(epoch, position),
    ...(covered === undefined ? {} : { quota: quotaParts(covered) }),
    ...(violations === undefined ? {} : { violations: [...violations] }),
    ...(late === undefined ? {} : { late }),
    ...(repriced === undefined ? {} : { repriced }),
  };
}

export function unpricedAnswer(event: Of<'UsageUnpriced'>, position: bigint, epoch: number): UnpricedAnswer {
  const { usage_id, reason } = event.data;
  return { id: usage_id, status: 'unpriced', reason, position: formatPosition(epoch, position) };
}

/** Of a usage, whatever became of it. */
export function usageAnswer(
  event: Of<'UsageCharged' | 'UsageUnpriced'>,
  position: bigint,
  epoch: number,
): ChargedAnswer | UnpricedAnswer {
  return event.type === 'UsageCharged'
    ? chargedAnswer(event as Of<'UsageCharged'>, position, epoch)
    : unpricedAnswer(event as Of<'UsageUnpriced'>, position, epoch);
}

export function balanceOf({ available, held }: { available: string; held: string }): Static<typeof Balance> {
  return { available, held };
}

/** One line per kind of quota; what several of one kind cover is one sum. */
export function quotaParts(
  covered: readonly Pick<Covered, 'unit' | 'model' | 'quantity'>[],
): Static<typeof QuotaPart>[] {
  const parts: Static<typeof QuotaPart>[] = [];
  for (const { unit, model, quantity } of covered) {
    const before = parts.find((part) => part.unit === unit && part.model === model);
    if (before === undefined) parts.push({ unit, model, amount: quantity });
    else before.amount = (BigInt(before.amount) + BigInt(quantity)).toString();
  }
  return parts;
}

/** One line per lot; a lot that paid out of a hold and out of its free part pays in two moves. */
function burnedLots(moves: readonly Move[]): { lot: string; credits: string }[] {
  const lots: { lot: string; credits: string }[] = [];
  for (const { lot, to, credits } of moves) {
    if (lot === undefined || to !== 'spent') continue;
    const before = lots.find((burned) => burned.lot === lot);
    if (before === undefined) lots.push({ lot, credits });
    else before.credits = formatCredits(parseCredits(before.credits) + parseCredits(credits));
  }
  return lots;
}
