/**
 * A part of the audit: it accounts for the streams that it is given, each from its first event to its last. Streams do
 * not touch one another, so parts work side by side, in threads of their own where that pays; sums over all streams
 * (platform totals) are added up at the end.
 */
import type { RecordedEvent } from '@tallystick/event-store';
import type { Cell } from './cells.ts';
import type { Digests } from './digest.ts';
import type { Finding } from './finding.ts';
import type { PlatformSum } from './platform.ts';
import type { Checkpoint, StoredSnapshot } from './reads.ts';

export interface PartSettings {
  /** Positions that the read models have come to, by partition; empty where there are none. */
  readonly checkpoints: readonly bigint[];
  readonly storeId: string | null;
  /** Of the part's own streams, as are the snapshots. */
  readonly lasts: readonly LastEvent[];
  readonly snapshots: readonly StoredSnapshot[];
  /** Findings beyond are counted only. */
  readonly shownMax: number;
}

/** What a checkpoint says of the last event behind it. */
export type LastEvent = Pick<Checkpoint, 'partition'> & NonNullable<Checkpoint['last']>;

/** Rows that a part lists one by one; of the larger tables it gives digests. */
export type Listed =
  | 'balances'
  | 'lots'
  | 'holds'
  | 'pins'
  | 'quota_pins'
  | 'subscriptions'
  | 'quotas'
  | 'purchases'
  | 'account_coupons'
  | 'referral_accruals'
  | 'marks'
  | 'accounts'
  | 'freezes'
  | 'profiles'
  | 'api_keys'
  | 'seals'
  | 'coverage';

/** All but the rows, once the last event has been seen. */
export interface PartSummary {
  readonly count: number;
  readonly findings: readonly Finding[];
  /** Business keys that seem to come again, and where. */
  readonly repeated: readonly Repeated[];
  /** Events that the read models have not come to. */
  readonly behind: number;
  /** What the first event of the store says; null where it is another part's. */
  readonly epoch: number | null;
  /** Last revision of each stream that the read models should have seen; -1 for none. */
  readonly covered: ReadonlyMap<string, number>;
  readonly entries: Digests;
  readonly keys: Digests;
  readonly sealedRanges: Digests;
  readonly platform: PlatformSum;
}

export interface Repeated {
  readonly stream: string;
  readonly key: string;
  readonly revision: number;
}

export interface Part {
  /**
   * Events of its streams, each with the partition of the read models that its stream is in. Resolves when more may
   * come; rejects where the part cannot go on.
   */
  add(events: readonly RecordedEvent[], partitions: readonly number[]): Promise<void>;
  /** After the last event. */
  summary(): Promise<PartSummary>;
  rows(table: Listed): Promise<readonly (readonly Cell[])[]>;
  stop(): Promise<void>;
}
