/** The hashes of a stream's events that no seal covers yet, while the seals are checked. */
import { hashOf, type RecordedEvent } from '@tallystick/event-store';
import type { Digest } from './merkle.ts';
import { eventLeaf } from './seal.ts';

/** A revision further ahead than this is damage that says nothing of how many are missing. */
const HOLE_MAX = 100_000;

/** 32 bytes each. */
export class Waiting {
  from: number;
  /** A seal could not be read that may have covered some of these. */
  uncertain = false;
  #count = 0;
  #bytes = Buffer.allocUnsafe(32 * 4);

  constructor(from: number) {
    this.from = from;
  }

  /** The revision that comes next. */
  get end(): number {
    return this.from + this.#count;
  }

  get isEmpty(): boolean {
    return this.#count === 0;
  }

  /**
   * Returns how many wait more by it. An event that is missing, or whose hash cannot be read, stands as zeros: what
   * follows keeps its place, and no root will fit. A revision that comes again is its chain's affair.
   */
  push(revision: number, recorded: RecordedEvent): number {
    if (revision < this.end) return 0;
    const before = this.#count;
    if (revision - this.end > HOLE_MAX) {
      this.from = revision;
      this.#count = 0;
    }
    const at = (revision - this.from) * 32;
    if (at + 32 > this.#bytes.length) {
      const wider = Buffer.alloc(Math.max(at + 32, this.#bytes.length * 2));
      this.#bytes.copy(wider);
      this.#bytes = wider;
    }
    this.#bytes.fill(0, this.#count * 32, at + 32);
    this.#bytes.write(readableHash(recorded), at, 'hex');
    this.#count = revision + 1 - this.from;
    return this.#count - before;
  }

  leavesTo(to: number): Digest[] {
    const leaves: Digest[] = [];
    for (let at = 0; at <= (to - this.from) * 32; at += 32)
      leaves.push(eventLeaf(this.#bytes.toString('hex', at, at + 32)));
    return leaves;
  }

  /** Returns how many went. */
  dropTo(to: number): number {
    const dropped = Math.min(this.#count, Math.max(0, to + 1 - this.from));
    this.#bytes.copyWithin(0, dropped * 32, this.#count * 32);
    this.#count -= dropped;
    this.from += dropped;
    this.uncertain = false;
    return dropped;
  }
}

/** Empty where the event carries none. */
export function readableHash(recorded: RecordedEvent): string {
  try {
    return hashOf(recorded);
  } catch {
    return '';
  }
}
