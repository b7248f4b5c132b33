/**
 * Shapes that several routes share, named as on the wire. Amounts are decimal strings ("6.5"), quantities numbers, times
 * RFC 3339, positions digits that grow. `document.test.ts` holds all shapes of this package against the API's own document.
 */

/** Disjoint counts by dimension, at least one. Seconds have up to 3 decimals, all others are whole. */
export interface Usage {
  readonly input_tokens?: number;
  readonly cached_input_tokens?: number;
  readonly cache_write_tokens?: number;
  readonly output_tokens?: number;
  readonly reasoning_tokens?: number;
  readonly images?: number;
  readonly audio_seconds?: number;
  readonly video_seconds?: number;
  readonly characters?: number;
  readonly calls?: number;
}

export interface Money {
  readonly amount: string;
  readonly currency: string;
}

export interface Balance {
  readonly available: string;
  readonly held: string;
}

export interface BurnedLot {
  readonly lot: string;
  readonly credits: string;
}

/** What quotas cover of a call: of those for this model, or for all (`*`). `amount` is a whole number. */
export interface QuotaPart {
  readonly unit: string;
  readonly model: string;
  readonly amount: string;
}

export interface PriceBookVersion {
  readonly name: string;
  readonly version: number;
}

export interface Metadata {
  readonly [name: string]: unknown;
}

/** RFC 9457. Tell problems apart by `code`; members beside the standard ones are facts (`available`, `required`). */
export interface Problem {
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly code: string;
  readonly errors?: readonly Fault[];
  readonly request_id?: string;
  readonly [fact: string]: unknown;
}

export interface Fault {
  readonly field: string;
  readonly rule: string;
}

export interface Page<T> {
  readonly data: readonly T[];
  /** Null on the last page. */
  readonly next_cursor: string | null;
}

/** Wait until the read models hold this position, for a moment; then 503, which is sent again. */
export interface Reading {
  readonly min_position?: string;
}

export interface Paging extends Reading {
  readonly cursor?: string;
  /** 50 unless given, 500 at most. */
  readonly page_size?: number;
}

export interface Period extends Paging {
  readonly from?: string;
  readonly to?: string;
  readonly order?: 'newest' | 'oldest';
}

/** As it was then: an instant, RFC 3339 with its zone, or a position. Left out: as it is now. */
export interface AsOf {
  readonly as_of?: string;
}

/** The parts of a request that name an account. */
export interface OfAccount {
  readonly id: string;
}

/** What a route takes and gives: `undefined` where it takes nothing. Answers by their status. */
export interface Route {
  readonly path: object | undefined;
  readonly query: object | undefined;
  readonly body: object | undefined;
  readonly answers: object;
}
