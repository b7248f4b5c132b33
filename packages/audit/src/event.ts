/** An event as the audit reads it: straight from the stored texts, without the domain's or the projections' code. */
import type { RecordedEvent } from '@tallystick/event-store';

export interface PostingText {
  readonly account: string;
  readonly unit: string;
  /** Decimal; debit positive. */
  readonly amount: string;
}

/** Of a wallet's event: credits of a lot, or of none, from one place to another. */
export interface MoveText {
  readonly lot?: string;
  readonly from: string;
  readonly to: string;
  readonly credits: string;
}

/** Calls or tokens of a quota, from one place to another; what moves in quotas stands beside what moves in credits. */
export interface QuotaMoveText {
  readonly quota: string;
  readonly from: string;
  readonly to: string;
  /** A whole number. */
  readonly quantity: string;
}

export interface AuditedEvent {
  readonly recorded: RecordedEvent;
  readonly stream: string;
  readonly revision: number;
  readonly position: bigint;
  readonly type: string;
  /** RFC 3339. */
  readonly recordedAt: string;
  /** What the account's owner may see. */
  readonly data: Readonly<Record<string, unknown>>;
  /** The envelope: version, key, actor, hash. */
  readonly meta: Readonly<Record<string, unknown>>;
  /** Everything in a currency, and what reveals it. */
  readonly facts: Readonly<Record<string, unknown>>;
  /** The whole entry in all units; empty where the event moves nothing. */
  readonly entry: readonly PostingText[];
}

/** Throws where a text is not what this ledger writes. */
export const readEvent = (recorded: RecordedEvent): AuditedEvent => readWith(recorded, recorded.meta);

/** @param metaText in place of the stored one: without what the caller does not look at */
export function readWith(recorded: RecordedEvent, metaText: string): AuditedEvent {
  const data = JSON.parse(recorded.data) as Record<string, unknown>;
  const meta = JSON.parse(metaText) as { facts: Record<string, unknown> };
  const { facts } = meta;
  const { stream, revision, position, type } = recorded;
  return {
    recorded,
    stream,
    revision,
    position,
    type,
    recordedAt: data.recorded_at as string,
    data,
    meta,
    facts,
    entry: wholeEntry(data.entry, facts.entry),
  };
}

const NO_POSTINGS: readonly PostingText[] = [];

/** Credits, then currencies. */
function wholeEntry(entry: unknown, money: unknown): readonly PostingText[] {
  const credits = Array.isArray(entry) ? (entry as PostingText[]) : NO_POSTINGS;
  return Array.isArray(money) && money.length > 0 ? [...credits, ...(money as PostingText[])] : credits;
}
