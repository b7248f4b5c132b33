/**
 * What waits to be appended: groups are taken from its front. Appends of one stream follow each other, one in each
 * group: the function that judges a group looks at what is stored, not at other appends of the group.
 */
import type { Append, AppendResult } from './port.ts';

export interface Waiting {
  readonly append: Append;
  /** UTF-8 bytes of its events. */
  readonly bytes: number;
  readonly resolve: (result: AppendResult) => void;
  readonly reject: (error: Error) => void;
}

export const GROUP_APPENDS_MAX = 512;
export const GROUP_BYTES_MAX = 4 * 1024 * 1024;

export class AppendQueue {
  /** At most one for each stream, in the order of arrival. */
  #ready: Waiting[] = [];
  /** Streams that are ready or taken, each with those that wait behind. */
  readonly #lines = new Map<string, Waiting[]>();
  #events = 0;

  /** Events of all appends that were added and are not done. */
  get events(): number {
    return this.#events;
  }

  get isReady(): boolean {
    return this.#ready.length > 0;
  }

  add(waiting: Waiting): void {
    this.#events += waiting.append.events.length;
    const line = this.#lines.get(waiting.append.stream);
    if (line) {
      line.push(waiting);
    } else {
      this.#lines.set(waiting.append.stream, []);
      this.#ready.push(waiting);
    }
  }

  /** The next group: at least one append, further ones within the bounds. Each is `done` later. */
  take(): Waiting[] {
    let count = 0;
    let bytes = 0;
    for (const waiting of this.#ready) {
      bytes += waiting.bytes;
      if (count > 0 && (count === GROUP_APPENDS_MAX || bytes > GROUP_BYTES_MAX)) break;
      count++;
    }
    return this.#ready.splice(0, count);
  }

  /** The append was answered: the next one of its stream is ready. */
  done({ append }: Waiting): void {
    this.#events -= append.events.length;
    const line = this.#lines.get(append.stream);
    const next = line?.shift();
    if (next) this.#ready.push(next);
    else this.#lines.delete(append.stream);
  }

  /** Empties it, also of those that wait behind a taken one. What it answers is done; what was taken is not yet. */
  drain(): Waiting[] {
    const all = [...this.#ready, ...[...this.#lines.values()].flat()];
    for (const waiting of this.#ready) this.#lines.delete(waiting.append.stream);
    for (const line of this.#lines.values()) line.length = 0;
    this.#ready = [];
    for (const { append } of all) this.#events -= append.events.length;
    return all;
  }
}
