/** The two marks that later events set on an entry: taken back by a reversal, and charged after it had been parked. */
import type { AuditedEvent } from '../event.ts';
import type { Cell } from './cells.ts';

interface Mark {
  reversedBy: Cell;
  resolvedBy: Cell;
}

export class Marks {
  readonly #stream: string;
  readonly #marks = new Map<number, Mark>();
  /** Revisions of usage without a price, by usage and source. */
  readonly #parked = new Map<string, number[]>();

  constructor(stream: string) {
    this.#stream = stream;
  }

  add({ type, data, revision }: AuditedEvent): void {
    const { reverses, repriced, usage_id, source } = data as {
      reverses?: number;
      repriced?: string;
      usage_id?: string;
      source?: string;
    };
    const usage = `${usage_id} ${source}`;
    if (type === 'UsageUnpriced') this.#parked.set(usage, [...(this.#parked.get(usage) ?? []), revision]);
    if (type === 'EntryReversed' && reverses !== undefined) this.#of(reverses).reversedBy = String(revision);
    if (repriced === undefined) return;
    for (const parked of this.#parked.get(usage) ?? []) this.#of(parked).resolvedBy = String(revision);
    this.#parked.delete(usage);
  }

  #of(revision: number): Mark {
    let mark = this.#marks.get(revision);
    if (mark === undefined) {
      mark = { reversedBy: null, resolvedBy: null };
      this.#marks.set(revision, mark);
    }
    return mark;
  }

  *rows(): Iterable<Cell[]> {
    for (const [revision, { reversedBy, resolvedBy }] of this.#marks)
      yield [this.#stream, String(revision), reversedBy, resolvedBy];
  }
}
