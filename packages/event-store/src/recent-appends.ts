/**
 * The events that this process has just written, so that a projector or a worker in the same process need not read them
 * back: what is known is not asked for again. Positions have no gap in Postgres, so a run of them from a cursor on is exactly
 * what the table would answer; where another process wrote in between, the run ends and the table is asked.
 */
import { type Append, type RecordedEvent, splitStream } from './port.ts';

/** Enough for a few of the projector's batches; bounded, because nobody may be reading. */
const BYTES_MAX = 16 * 1024 * 1024;

/** A piece of the log: everything that was asked for up to a position. */
export interface Run {
  readonly events: readonly RecordedEvent[];
  readonly until: bigint;
}

export class RecentAppends {
  #events: RecordedEvent[] = [];
  #bytes: number[] = [];
  #total = 0;
  /** Index of the oldest one still kept; the arrays are cut only now and then. */
  #start = 0;
  #asked = false;

  /** Takes an append that was written with its last event at `position`. */
  add({ stream, expected, events }: Append, position: bigint): void {
    // Nobody reads here: a process that only serves the API keeps nothing.
    if (!this.#asked) return;
    let at = position - BigInt(events.length) + 1n;
    const next = this.#lastPosition() + 1n;
    if (this.#size() > 0 && at !== next) this.#clear();
    let revision = expected;
    for (const event of events) {
      revision += 1;
      this.#events.push({ ...event, stream, revision, position: at });
      const bytes = event.data.length + event.meta.length;
      this.#bytes.push(bytes);
      this.#total += bytes;
      at += 1n;
    }
    while (this.#total > BYTES_MAX) {
      this.#total -= this.#bytes[this.#start] ?? 0;
      this.#start += 1;
    }
    if (this.#start > 10_000) this.#cut();
  }

  /** What comes after a position, without a gap from there on; null where that is not known. */
  after(position: bigint, limit: number, categories?: readonly string[]): Run | null {
    this.#asked = true;
    const first = this.#events[this.#start]?.position;
    if (first === undefined || position + 1n < first) return null;
    const from = this.#start + Number(position + 1n - first);
    if (from >= this.#events.length) return null;
    const events =
      categories === undefined
        ? this.#events.slice(from, from + limit)
        : this.#matching(from, limit, categories);
    const last = events.length === limit ? events.at(-1)?.position : undefined;
    return { events, until: last ?? this.#lastPosition() };
  }

  #matching(from: number, limit: number, categories: readonly string[]): RecordedEvent[] {
    const matching: RecordedEvent[] = [];
    for (let index = from; index < this.#events.length && matching.length < limit; index += 1) {
      const event = this.#events[index];
      if (event !== undefined && categories.includes(splitStream(event.stream).category))
        matching.push(event);
    }
    return matching;
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
