/** What the read models remember of single events: where their checkpoints stand, snapshots of streams, whose they are. */
import type { AuditedEvent } from '../event.ts';
import { creditCell } from './cells.ts';
import type { Finding } from './finding.ts';
import type { PartSettings } from './part.ts';
import type { SnapshotHead } from './reads.ts';
import type { StreamAudit } from './stream.ts';
import type { WalletSums } from './wallet.ts';

interface Landmark {
  readonly what: string;
  readonly hash: string;
  /** Of a snapshot: the totals in its state. */
  readonly snapshot: SnapshotHead | null;
}

export class Landmarks {
  readonly #byPlace = new Map<string, Landmark[]>();
  readonly #storeId: string | null;
  readonly #report: (finding: Finding) => void;

  constructor(
    { storeId, lasts, snapshots }: Pick<PartSettings, 'storeId' | 'lasts' | 'snapshots'>,
    report: (finding: Finding) => void,
  ) {
    this.#storeId = storeId;
    this.#report = report;
    for (const last of lasts) this.#add(last, `the checkpoint of partition ${last.partition}`, null);
    for (const snapshot of snapshots) this.#add(snapshot, 'a snapshot', snapshot);
  }

  #add(
    { stream, revision, hash }: Pick<SnapshotHead, 'stream' | 'revision' | 'hash'>,
    what: string,
    snapshot: SnapshotHead | null,
  ): void {
    const place = `${stream}:${revision}`;
    const others = this.#byPlace.get(place) ?? [];
    this.#byPlace.set(place, [...others, { what, hash, snapshot }]);
  }

  pass(event: AuditedEvent, { chain, wallet }: StreamAudit): void {
    const { stream, revision } = event;
    if (event.type === 'LedgerOpened') this.#compareStore(event);
    if (this.#byPlace.size === 0) return;
    const place = `${stream}:${revision}`;
    const marks = this.#byPlace.get(place);
    if (marks === undefined) return;
    this.#byPlace.delete(place);
    for (const { what, hash, snapshot } of marks) {
      if (hash !== chain.hash)
        this.#report({
          what: `${what} is of another event`,
          stream,
          revision,
          expected: chain.hash,
          found: hash,
        });
      if (snapshot !== null && wallet !== null) this.#compareTotals(snapshot, wallet.sums());
    }
  }

  #compareStore({ stream, revision, data }: AuditedEvent): void {
    const expected = String(data.store_id);
    if (this.#storeId === null || this.#storeId === expected) return;
    const what = 'the read models are those of another store';
    this.#report({ what, stream, revision, expected, found: this.#storeId });
  }

  #compareTotals({ stream, revision, totals }: SnapshotHead, sums: WalletSums): void {
    for (const [name, steps] of Object.entries(sums) as [string, bigint][]) {
      const expected = `${creditCell(steps)}n`;
      const found = totals === null ? null : String(totals[name]);
      if (found !== expected)
        this.#report({
          what: 'a snapshot differs',
          stream,
          revision,
          table: 'snapshots',
          column: name,
          expected,
          found,
        });
    }
  }

  /** What was never passed is not in the store: events are missing at the end of the stream. */
  end(): void {
    for (const [place, marks] of this.#byPlace) {
      const colon = place.lastIndexOf(':');
      const stream = place.slice(0, colon);
      const revision = Number(place.slice(colon + 1));
      for (const { what, hash } of marks)
        this.#report({
          what: `${what} is of an event that is missing`,
          stream,
          revision,
          expected: hash,
          found: null,
        });
    }
  }
}
