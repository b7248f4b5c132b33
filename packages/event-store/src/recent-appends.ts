/**
 * The events that this process has just written, so that a projector or a worker in the same process need not read them
 * back: what is known is not asked for again. Positions have no gap in Postgres, so a run of them from a cursor on is
 * exactly what the table would answer; where another process wrote in between, the run ends and the table is asked.
 *
 * Kept no longer than its readers need: what lives for seconds in a busy process costs the garbage collector more than
 * reading it saves. A reader is known by its cursor, which is where its last page ended.
 */
import { type Append, type RecordedEvent, splitStream } from './port.ts';

/** Of memory, for some 20,000 charges: seconds at full load. Bounded, because a reader may fall behind. */
const BYTES_MAX = 128 * 1024 * 1024;
/** Times its texts: what they say is there as objects too. */
const WEIGHT = 4;
/** Longer than any pause between two pages of a reader. */
const FORGET_MS = 5_000;
const READERS_MAX = 32;
/** Of the arrays, before they are made anew without what was dropped. */
const CUT_AT = 256;

/** A piece of the log: everything that was asked for up to a position. */
export interface Run {
  readonly events: readonly RecordedEvent[];
  readonly until: bigint;
}

interface Reader {
  readonly position: bigint;
  readonly askedAt: number;
}

export class RecentAppends {
  readonly #now: () => number;
  readonly #readers: Reader[] = [];
  /** What has been dropped is undefined. */
  #events: (RecordedEvent | undefined)[] = [];
  #bytes: number[] = [];
  #total = 0;
  /** Index of the oldest one still kept; the arrays are cut only now and then. */
  #start = 0;

  /** @param now milliseconds that only grow */
  constructor(now: () => number = () => performance.now()) {
    this.#now = now;
  }

  /** Takes an append that was written with its last event at `position`. */
  add({ stream, expected, events }: Append, position: bigint): void {
    // Nobody reads here, or no more: a process that only serves the API keeps nothing.
    const askedAt = this.#readers.at(-1)?.askedAt;
    if (askedAt === undefined) return;
    if (askedAt < this.#now() - FORGET_MS) {
      this.#readers.length = 0;
      this.#clear();
      return;
    }
    let at = position - BigInt(events.length) + 1n;
    const next = this.#lastPosition() + 1n;
    if (this.#size() > 0 && at !== next) this.#clear();
    let revision = expected;
    for (const event of events) {
      revision += 1;
      this.#events.push({ ...event, stream, revision, position: at });
      const bytes = WEIGHT * (event.data.length + event.meta.length);
      this.#bytes.push(bytes);
      this.#total += bytes;
      at += 1n;
    }
    while (this.#total > BYTES_MAX) this.#drop();
  }

  /** What comes after a position, without a gap from there on; null where that is not known. */
  after(position: bigint, limit: number, categories?: readonly string[]): Run | null {
    const run = this.#run(position, limit, categories);
    // Who reads far behind reads the table, and nothing is kept for them.
    if (run !== null || this.#size() === 0 || position >= this.#lastPosition())
      this.#note(position, run?.until ?? position);
    return run;
  }

  #run(position: bigint, limit: number, categories?: readonly string[]): Run | null {
    const first = this.#events[this.#start]?.position;
    if (first === undefined || position + 1n < first) return null;
    const from = this.#start + Number(position + 1n - first);
    if (from >= this.#events.length) return null;
    const events = this.#matching(from, limit, categories);
    const last = events.length === limit ? events.at(-1)?.position : undefined;
    return { events, until: last ?? this.#lastPosition() };
  }

  #matching(from: number, limit: number, categories?: readonly string[]): RecordedEvent[] {
    const matching: RecordedEvent[] = [];
    for (let index = from; index < this.#events.length && matching.length < limit; index += 1) {
      const event = this.#events[index];
      if (event === undefined) continue;
      if (categories === undefined || categories.includes(splitStream(event.stream).category))
        matching.push(event);
    }
    return matching;
  }

  /** The reader who came from here goes there. What all have passed is dropped. */
  #note(from: bigint, to: bigint): void {
    const askedAt = this.#now();
    // In the order of asking. Of two who stand at one place it does not matter which is which.
    const found = this.#readers.findIndex(({ position }) => position === from);
    if (found >= 0) this.#readers.splice(found, 1);
    this.#readers.push({ position: to, askedAt });
    while (this.#readers.length > READERS_MAX || (this.#readers[0]?.askedAt ?? askedAt) < askedAt - FORGET_MS)
      this.#readers.shift();
    let least = to;
    for (const { position } of this.#readers) if (position < least) least = position;
    for (;;) {
      const first = this.#events[this.#start];
      if (first === undefined || first.position > least) break;
      this.#drop();
    }
  }

  #drop(): void {
    this.#total -= this.#bytes[this.#start] ?? 0;
    this.#events[this.#start] = undefined;
    this.#start += 1;
    if (this.#start >= CUT_AT && this.#start >= this.#size()) this.#cut();
  }

  #size(): number {
    return this.#events.length - this.#start;
  }

  #lastPosition(): bigint {
    return this.#events.at(-1)?.position ?? 0n;
  }

  #clear(): void {
    this.#events = [];
    this.#bytes = [];
    this.#total = 0;
    this.#start = 0;
  }

  #cut(): void {
    this.#events = this.#events.slice(this.#start);
    this.#bytes = this.#bytes.slice(this.#start);
    this.#start = 0;
  }
}
