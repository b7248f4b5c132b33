/** All parts of one audit: deals the streams out, and puts together what the parts have found. */
import { availableParallelism } from 'node:os';
import { type RecordedEvent, splitStream } from '@tallystick/event-store';
import { partitionOf } from '@tallystick/projections';
import { Audit } from './audit.ts';
import type { Cell } from './cells.ts';
import type { Listed, Part, PartSettings, PartSummary } from './part.ts';
import { ThreadedPart } from './threaded-part.ts';

/** One thread reads for all of them; it can feed so many. */
const THREADS_MAX = 4;

/**
 * One core is for the thread that reads, and for the database. On two cores a second thread was measured not to be
 * faster, only larger; on a single one none is worth its cost.
 */
export const threadsForThisMachine = (): number => Math.min(availableParallelism() - 1, THREADS_MAX);

/** Of one stream: the part that accounts for it, and the partition of the read models that it is in. */
interface Place {
  readonly part: number;
  readonly partition: number;
}

export class Crew {
  readonly #parts: readonly Part[];
  readonly #partitions: number;
  readonly #places = new Map<string, Place>();

  /** @param threads 0: all in this one */
  constructor(settings: PartSettings, threads: number) {
    const { lasts, snapshots } = settings;
    this.#partitions = settings.checkpoints.length;
    const count = Math.max(1, threads);
    this.#parts = Array.from({ length: count }, (_, part) => {
      const isOwn = ({ stream }: { readonly stream: string }): boolean => partOf(stream, count) === part;
      const own = { ...settings, lasts: lasts.filter(isOwn), snapshots: snapshots.filter(isOwn) };
      return threads === 0 ? new Audit(own) : new ThreadedPart(own);
    });
  }

  async add(events: readonly RecordedEvent[]): Promise<void> {
    const dealt = this.#parts.map(() => ({ events: [] as RecordedEvent[], partitions: [] as number[] }));
    for (const event of events) {
      const { part, partition } = this.#placeOf(event.stream);
      dealt[part]?.events.push(event);
      dealt[part]?.partitions.push(partition);
    }
    await Promise.all(
      this.#parts.map((part, at) => part.add(dealt[at]?.events ?? [], dealt[at]?.partitions ?? [])),
    );
  }

  #placeOf(stream: string): Place {
    let place = this.#places.get(stream);
    if (place === undefined) {
      const partition = partitionOf(splitStream(stream).id, this.#partitions);
      place = { part: partOf(stream, this.#parts.length), partition };
      this.#places.set(stream, place);
    }
    return place;
  }

  /** After the last event: what each part has come to, and how to have the rows that they list. */
  async end(): Promise<{
    readonly summaries: readonly PartSummary[];
    readonly rows: (table: Listed) => AsyncIterable<readonly Cell[]>;
  }> {
    const parts = this.#parts;
    const summaries = await Promise.all(parts.map((part) => part.summary()));
    // One part after the other: the rows of all of them at once may be many.
    async function* rows(table: Listed): AsyncGenerator<readonly Cell[], void> {
      for (const part of parts) yield* await part.rows(table);
    }
    return { summaries, rows };
  }

  async stop(): Promise<void> {
    await Promise.all(this.#parts.map((part) => part.stop()));
  }
}

/** By the stream's name alone: whoever knows it knows the part. */
function partOf(stream: string, parts: number): number {
  let mixed = 0;
  for (let at = 0; at < stream.length; at++) mixed = (Math.imul(mixed, 31) + stream.charCodeAt(at)) | 0;
  return Math.abs(mixed ^ (mixed >>> 15)) % parts;
}
