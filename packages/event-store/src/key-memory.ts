/**
 * The business keys of a stream's latest events, so that a repeat of something recent costs no look-up, and so that a
 * look-up in an index that lags is complete (rule 3): together they must cover the stream without a hole.
 *
 * Trimmed by swapping two maps: deleting the oldest entries one by one costs more than it frees.
 */
export class KeyMemory {
  readonly #limit: number;
  #young = new Map<string, number>();
  #old = new Map<string, number>();
  #youngStartsAt: number;
  #startsAt: number;

  /** @param startsAt first revision that will be remembered */
  constructor(startsAt: number, limit: number) {
    this.#startsAt = startsAt;
    this.#youngStartsAt = startsAt;
    this.#limit = limit;
  }

  /** Every key of an event at or above this revision is here. */
  get startsAt(): number {
    return this.#startsAt;
  }

  get size(): number {
    return this.#young.size + this.#old.size;
  }

  find(key: string): number | undefined {
    return this.#young.get(key) ?? this.#old.get(key);
  }

  /** Events come in the order of their revisions, the ones without a key too. */
  add(key: string | null, revision: number): void {
    if (key === null) return;
    if (this.#young.size >= this.#limit) {
      this.#old = this.#young;
      this.#startsAt = this.#youngStartsAt;
      this.#young = new Map();
      this.#youngStartsAt = revision;
    }
    this.#young.set(key, revision);
  }

  /** Takes in older events, from `startsAt` down to `from`; the memory is trimmed again as it grows. */
  extendBack(from: number, events: readonly { key: string | null; revision: number }[]): void {
    for (const { key, revision } of events) if (key !== null) this.#old.set(key, revision);
    this.#startsAt = from;
  }
}
