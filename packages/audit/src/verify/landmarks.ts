/** What the read models remember of single events: where their checkpoints stand, snapshots of streams, whose they are. */
import type { AuditedEvent } from '../event.ts';
import { differences, type Json } from './differences.ts';
import type { Finding } from './finding.ts';
import type { PartSettings } from './part.ts';
import type { StoredSnapshot } from './reads.ts';
import { snapshotStateOf } from './snapshot-state.ts';
import type { StreamAudit } from './stream.ts';
import type { WalletBook } from './wallet.ts';

interface Landmark {
  readonly what: string;
  readonly hash: string;
  /** Null where it is no snapshot. Forgotten once it was compared. */
  readonly snapshot: StoredSnapshot | null;
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
    { stream, revision, hash }: Pick<StoredSnapshot, 'stream' | 'revision' | 'hash'>,
    what: string,
    snapshot: StoredSnapshot | null,
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
      // One of another event is left aside by whoever loads the wallet, whatever it says.
      else if (snapshot !== null && wallet !== null) this.#compareState(snapshot, wallet);
    }
  }

  #compareStore({ stream, revision, data }: AuditedEvent): void {
    const expected = String(data.store_id);
    if (this.#storeId === null || this.#storeId === expected) return;
    const what = 'the read models are those of another store';
    this.#report({ what, stream, revision, expected, found: this.#storeId });
  }

  #compareState({ stream, revision, state }: StoredSnapshot, wallet: WalletBook): void {
    const place = { stream, revision, table: 'snapshots' };
    const found = stateIn(state);
    if (found === undefined) {
      const what = 'a snapshot cannot be read';
      this.#report({ what, ...place, column: 'state', expected: 'JSON', found: state.slice(0, 100) });
      return;
    }
    for (const { path, ...values } of differences(snapshotStateOf(wallet), found))
      this.#report({ what: 'a snapshot differs', ...place, column: path || 'state', ...values });
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

function stateIn(text: string): Json | undefined {
  try {
    return JSON.parse(text) as Json;
  } catch {
    return undefined;
  }
}
