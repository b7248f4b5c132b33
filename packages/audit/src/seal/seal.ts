/**
 * What a seal is made of (rule 15). Two trees: one over the events of each range of a stream, in the order of their
 * revisions, and one over the ranges. So a receipt needs the events of one range of its own stream, and of the others
 * only digests. Ranges are by stream and revision, never by position: positions are the store's own.
 */
import type { SealContent, SealedRange } from '@tallystick/domain';
import { hashOf, type RecordedEvent, splitStream } from '@tallystick/event-store';
import { type Digest, leafHash, rootOf, toHex } from './merkle.ts';

/** A seal's event stays well below what an append may hold, and a receipt's tree is quickly made. */
export const EVENTS_MAX = 10_000;
export const RANGES_MAX = 1_000;
export const RANGE_EVENTS_MAX = 1_000;

/** The stream of the seals. */
export const SEALS = 'seal-ledger';

/** Seals have their own chain. Profiles may be deleted (rule 17): what is sealed can never go again. */
const UNSEALED = new Set(['seal', 'profile']);

export function isSealable(stream: string): boolean {
  return !UNSEALED.has(splitStream(stream).category);
}

/** Of an event, by its hash in its stream's chain. */
export const eventLeaf = (hash: string): Digest => leafHash(`event\n${hash}`);

export const rangeLeaf = ([stream, from, to, root]: SealedRange): Digest =>
  leafHash(`range\n${stream}\n${from}\n${to}\n${root}`);

export const rootOfRanges = (ranges: readonly SealedRange[]): string => toHex(rootOf(ranges.map(rangeLeaf)));

type Sealable = Pick<RecordedEvent, 'stream' | 'revision' | 'meta'>;

interface OpenRange {
  readonly from: number;
  readonly leaves: Digest[];
}

/** Gathers the events of one seal, in store order. It keeps their digests and nothing else of them. */
export class SealDraft {
  readonly #open = new Map<string, OpenRange>();
  readonly #closed: SealedRange[] = [];
  #events = 0;

  get isEmpty(): boolean {
    return this.#events === 0;
  }

  /** False: the seal is full, and the event is not in it. */
  add(event: Sealable): boolean {
    const { stream, revision } = event;
    if (!isSealable(stream)) return true;
    if (this.#events === EVENTS_MAX) return false;
    let range = this.#open.get(stream);
    if (range === undefined || range.leaves.length === RANGE_EVENTS_MAX) {
      if (this.#open.size + this.#closed.length === RANGES_MAX) return false;
      if (range !== undefined) this.#closed.push(closed(stream, range));
      range = { from: revision, leaves: [] };
      this.#open.set(stream, range);
    }
    range.leaves.push(eventLeaf(hashOf(event)));
    this.#events += 1;
    return true;
  }

  /** Not of an empty one. */
  finish(cursor: string): SealContent {
    const ranges = [...this.#closed, ...[...this.#open].map(([stream, range]) => closed(stream, range))];
    ranges.sort(byPlace);
    return { root: rootOfRanges(ranges), events: this.#events, ranges, cursor };
  }
}

function closed(stream: string, { from, leaves }: OpenRange): SealedRange {
  return [stream, from, from + leaves.length - 1, toHex(rootOf(leaves))];
}

/** Streams by their bytes: they are plain ASCII (rule 18). */
function byPlace([a, fromA]: SealedRange, [b, fromB]: SealedRange): number {
  return a < b ? -1 : a > b ? 1 : fromA - fromB;
}
