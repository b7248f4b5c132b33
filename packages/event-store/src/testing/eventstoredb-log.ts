/**
 * The log of the EventStoreDB stand-in and its judgement of appends, as recorded of a real server (EventStoreDB 23.10.8).
 * No IO, no messages. What differs from a real server: positions grow by similar, not the same, numbers of bytes;
 * `$maxCount` and `$maxAge` are ignored; the log lives in memory.
 */

export interface LoggedEvent {
  readonly stream: string;
  readonly revision: number;
  readonly id: string;
  readonly type: string;
  readonly contentType: string;
  readonly data: Uint8Array;
  readonly meta: Uint8Array;
  /** Commit and prepare position alike, as of all events that are no part of a transaction. */
  readonly position: bigint;
  readonly createdMs: number;
}

export type Proposed = Pick<LoggedEvent, 'id' | 'type' | 'contentType' | 'data' | 'meta'>;
export type Expected = number | 'no_stream' | 'any' | 'stream_exists';

export type Judgement =
  | { readonly status: 'success'; readonly revision: number; readonly position: bigint }
  | { readonly status: 'wrong_expected_version'; readonly actual: number | null }
  | { readonly status: 'stream_deleted' }
  | { readonly status: 'too_large' }
  | { readonly status: 'bad_request' };

interface Stream {
  readonly events: LoggedEvent[];
  /** Events below are deleted; Infinity after a soft delete, until the next append. */
  truncateBefore: number;
  tombstoned: boolean;
}

export const APPEND_BYTES_MAX = 1_048_576;
const FIRST_POSITION = 733n;
const RECORD_BYTES = 104;
const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;
const text = new TextEncoder();

/** Everything the stand-in stores; it outlives a stop and start of its server. */
export class Log {
  readonly events: LoggedEvent[] = [];
  readonly #streams = new Map<string, Stream>();
  readonly #listeners = new Set<() => void>();
  #next = 0n;

  constructor() {
    // A real log begins with the server's own events: a reader has to get past them.
    for (const type of ['$user-updated', '$UserCreated', '$stats']) {
      this.#write('$system', [{ id: '00000000-0000-4000-8000-000000000000', ...json(type, {}) }]);
    }
    this.#next = FIRST_POSITION;
  }

  /** Calls back after each append; returns how to stop. */
  onAppend(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  append(name: string, expected: Expected, proposed: readonly Proposed[]): Judgement {
    const malformed = proposed.some((event) => !UUID.test(event.id) || event.type === '');
    if (name === '' || malformed) return { status: 'bad_request' };
    const bytes = proposed.reduce((sum, event) => sum + event.data.length + event.meta.length, 0);
    if (bytes > APPEND_BYTES_MAX) return { status: 'too_large' };
    const judged = this.#judge(name, expected, proposed);
    if (judged !== null) return judged;
    const last = this.#write(name, proposed);
    for (const listener of this.#listeners) listener();
    return { status: 'success', revision: last.revision, position: last.position };
  }

  /** Null where the events are to be written. */
  #judge(name: string, expected: Expected, proposed: readonly Proposed[]): Judgement | null {
    const stream = this.#streams.get(name);
    if (stream?.tombstoned) return { status: 'stream_deleted' };
    const current = (stream?.events.length ?? 0) - 1;
    const softDeleted = stream?.truncateBefore === Number.POSITIVE_INFINITY;
    const wrong: Judgement = { status: 'wrong_expected_version', actual: current === -1 ? null : current };
    if (expected === 'any' || expected === 'stream_exists') {
      if (expected === 'stream_exists' && current === -1) return wrong;
      return proposed.length === 0 ? this.#nothingToDo(current) : this.#storedAnywhere(stream, proposed);
    }
    const at = expected === 'no_stream' ? -1 : expected;
    if (at === -1 && softDeleted) return null;
    if (proposed.length === 0) return at === current ? this.#nothingToDo(current) : wrong;
    if (at > current) return wrong;
    // At the head the ids are not looked at: the same ones are written again.
    return at === current ? null : (storedAt(stream, at + 1, proposed) ?? wrong);
  }

  /** With no exact revision a cache of recent ids decides; here it holds them all. */
  #storedAnywhere(stream: Stream | undefined, proposed: readonly Proposed[]): Judgement | null {
    const first = stream?.events.findIndex((event) => event.id === proposed[0]?.id.toLowerCase()) ?? -1;
    return first === -1 ? null : storedAt(stream, first, proposed);
  }

  /** An append of no events succeeds "at" revision 0 of a stream that it does not create. */
  #nothingToDo(current: number): Judgement {
    return { status: 'success', revision: Math.max(current, 0), position: this.#next };
  }

  #write(name: string, proposed: readonly Proposed[]): LoggedEvent {
    const stream: Stream = this.#streams.get(name) ?? { events: [], truncateBefore: 0, tombstoned: false };
    this.#streams.set(name, stream);
    if (stream.truncateBefore === Number.POSITIVE_INFINITY) stream.truncateBefore = stream.events.length;
    let last: LoggedEvent | undefined;
    for (const event of proposed) {
      const revision = stream.events.length;
      last = {
        ...event,
        id: event.id.toLowerCase(),
        stream: name,
        revision,
        position: this.#next,
        createdMs: Date.now(),
      };
      stream.events.push(last);
      this.events.push(last);
      this.#next += BigInt(RECORD_BYTES + event.type.length + event.data.length + event.meta.length);
    }
    if (last === undefined) throw new RangeError('nothing to write');
    return last;
  }

  /** The readable events of a stream. */
  read(
    name: string,
  ):
    | { status: 'found'; events: readonly LoggedEvent[]; first: number }
    | { status: 'not_found' }
    | { status: 'deleted' } {
    const stream = this.#streams.get(name);
    if (stream?.tombstoned) return { status: 'deleted' };
    if (stream === undefined || stream.truncateBefore === Number.POSITIVE_INFINITY)
      return { status: 'not_found' };
    return { status: 'found', events: stream.events, first: stream.truncateBefore };
  }

  /** Soft (the stream may be begun again) or for ever. */
  delete(name: string, expected: Expected, forEver: boolean): Judgement {
    const stream = this.#streams.get(name);
    if (stream?.tombstoned) return { status: 'stream_deleted' };
    const current = (stream?.events.length ?? 0) - 1;
    const met = typeof expected === 'number' ? expected === current : expected === 'any' || current === -1;
    if (stream === undefined || !met) return { status: 'wrong_expected_version', actual: current };
    const deleted = this.#write(`$$${name}`, [
      {
        id: crypto.randomUUID(),
        ...json(forEver ? '$streamDeleted' : '$metadata', { $tb: 9223372036854775807n.toString() }),
      },
    ]);
    stream.truncateBefore = Number.POSITIVE_INFINITY;
    stream.tombstoned = forEver;
    for (const listener of this.#listeners) listener();
    return { status: 'success', revision: deleted.revision, position: deleted.position };
  }

  /** Index of the first event after this position in `events`. */
  indexAfter(position: bigint): number {
    let low = 0;
    let high = this.events.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.events[middle]?.position ?? 0n) <= position) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

/** The ids stand at these revisions: the append had been written before, whatever its payload says now. */
function storedAt(stream: Stream | undefined, from: number, proposed: readonly Proposed[]): Judgement | null {
  if (stream === undefined) return null;
  const stored = stream.events.slice(from, from + proposed.length);
  const last = stored.at(-1);
  const same =
    stored.length === proposed.length &&
    stored.every((event, i) => event.id === proposed[i]?.id.toLowerCase());
  return same && last !== undefined
    ? { status: 'success', revision: last.revision, position: last.position }
    : null;
}

const json = (type: string, data: unknown): Omit<Proposed, 'id'> => ({
  type,
  contentType: 'application/json',
  data: text.encode(JSON.stringify(data)),
  meta: new Uint8Array(),
});
