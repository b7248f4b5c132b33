/**
 * Each event of a wallet, explained: what it did, the formula of its price with its numbers, the lots it touched, and the
 * balance after it. Two shapes: `explain` is made from what the wallet's owner may see, `explainToFinance` adds what is
 * in a currency and what reveals it (P8).
 */

import type { AuditedEvent, MoveText, PostingText } from './event.ts';
import {
  factoringOf,
  formulaOf,
  type LineInCredits,
  lineInCredits,
  type PriceFacts,
  type PublishedPrice,
  roundingOf,
} from './explain-price.ts';
import { type BillLine, billOf, prorationOf, type QuotaMove, quotaMovesOf } from './explain-quotas.ts';
import { fundingOf, wordsOf } from './explain-words.ts';

export interface Explanation {
  readonly entry_id: string;
  readonly type: string;
  readonly recorded_at: string;
  /** In words. */
  readonly what: string;
  /** Null where nothing was priced: what quotas cover whole is told in `what`. */
  readonly price: PriceExplained | null;
  /** Credits of which lot went from where to where; no lot where they are beyond all lots. */
  readonly moves: readonly LotMove[];
  /** Calls or tokens of which quota went from where to where. */
  readonly quotas: readonly QuotaMove[];
  /** What was charged for a subscription, or given back. */
  readonly bill: readonly BillLine[];
  /** Null where the event says nothing of it. */
  readonly after: { readonly available: string; readonly held: string } | null;
  /** The store's own. */
  readonly position: string;
}

export interface PriceExplained {
  readonly lines: readonly LineInCredits[];
  readonly rounding: { readonly exact: string; readonly round_to: string; readonly rule: 'up' };
  readonly price_book: { readonly name: string; readonly version: number } | null;
  /** Of the plan, on the sum of the lines; left out where there are none. */
  readonly factors?: readonly { readonly kind: string; readonly value: string }[];
}

export interface LotMove {
  readonly lot: string | null;
  readonly from: string;
  readonly to: string;
  readonly credits: string;
}

export interface MoneyText {
  readonly amount: string;
  readonly currency: string;
}

export interface FinanceExplanation extends Explanation {
  /** The price as it was published, line by line, and the sum: in words and numbers. */
  readonly formula: readonly string[];
  /** The same lines as data. */
  readonly published: readonly (PublishedPrice & { readonly dimension: string })[];
  readonly factors: readonly { readonly kind: string; readonly value: string; readonly version: string }[];
  readonly supplier: string | null;
  readonly cost: MoneyText | null;
  /** What was paid for the credits of each of `moves`, in the lot's currency, in the same order. */
  readonly paid: readonly string[];
  /** The money behind each of `quotas`, in the quota's currency, in the same order. */
  readonly quota_paid: readonly string[];
  readonly postings: readonly PostingText[];
}

interface Data {
  readonly moves?: readonly MoveText[];
  readonly after?: Explanation['after'];
  readonly price_book?: PriceExplained['price_book'];
}

interface Facts {
  readonly price?: PriceFacts;
  readonly supplier?: string | null;
  readonly cost?: MoneyText | null;
  readonly paid?: readonly string[];
  readonly quotas?: { readonly paid: readonly string[] };
}

export function explain(event: AuditedEvent): Explanation {
  const { stream, revision, type, recordedAt, position } = event;
  const { moves = [], after = null, price_book = null } = event.data as Data;
  const { price } = event.facts as Facts;
  return {
    entry_id: `${stream}:${revision}`,
    type,
    recorded_at: recordedAt,
    what: wordsOf(event),
    price: price === undefined || isUnasked(price, event) ? null : priceExplained(price, price_book),
    moves: moves.map(({ lot = null, from, to, credits }) => ({ lot, from, to, credits })),
    quotas: quotaMovesOf(event),
    bill: billOf(event),
    after,
    position: position.toString(),
  };
}

/** Quotas cover the whole of it, or the plan's hard stop is in the way of a price: there is no line to round. */
function isUnasked({ lines }: PriceFacts, { data }: AuditedEvent): boolean {
  return lines.length === 0 && fundingOf(data).length > 0;
}

function formulaOfAll(event: AuditedEvent, price: PriceFacts | undefined): readonly string[] {
  if (price === undefined) return prorationOf(event);
  if (isUnasked(price, event)) return fundingOf(event.data);
  return [...price.lines.map(formulaOf), ...factoringOf(price), roundingOf(price)];
}

function priceExplained(
  { lines, exact, round_to, factors = [] }: PriceFacts,
  price_book: PriceExplained['price_book'],
): PriceExplained {
  const shown = factors.map(({ kind, value }) => ({ kind, value }));
  const rounding = { exact, round_to, rule: 'up' } as const;
  return {
    lines: lines.map(lineInCredits),
    rounding,
    price_book,
    ...(shown.length === 0 ? {} : { factors: shown }),
  };
}

export function explainToFinance(event: AuditedEvent): FinanceExplanation {
  const { price, supplier = null, cost = null, paid = [], quotas } = event.facts as Facts;
  return {
    ...explain(event),
    formula: formulaOfAll(event, price),
    published: (price?.lines ?? []).map(({ dimension, price: published }) => ({ dimension, ...published })),
    factors: price?.factors ?? [],
    supplier,
    cost,
    paid,
    quota_paid: quotas?.paid ?? [],
    postings: event.entry,
  };
}
