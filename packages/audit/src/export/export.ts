/**
 * The journal as text, straight from the event store, page by page: memory does not grow with the ledger, but for the
 * names of accounts that have been declared, and what is known of each stream so far.
 *
 * A part of the journal is what was recorded in a time, or what touches chosen accounts, or both. In formats that carry
 * balances a part that begins later opens with one transaction that sums up what was left out before it, so that
 * balances agree with the ledger's at every date of it. That transaction balances by itself: it is a sum of entries.
 */
import type { EventStore } from '@tallystick/event-store';
import { type AccountChoice, isChosen } from '../account-name.ts';
import { Books } from '../books.ts';
import { textOf } from '../decimal.ts';
import type { AuditedEvent } from '../event.ts';
import { Examiner, type Found } from '../examine/examiner.ts';
import { scan } from '../scan.ts';
import type { ScanProgress } from '../trial-balance.ts';
import { DateOrder } from './date-order.ts';
import { type FormatName, openFormat } from './formats.ts';
import { type JournalEntry, journalEntryOf } from './journal-entry.ts';

export interface ExportOptions {
  readonly format: FormatName;
  /** By the time of recording, milliseconds since 1970; `from` inclusive, `to` exclusive. */
  readonly from?: number;
  readonly to?: number;
  /** Only entries that touch one of these accounts; they are exported whole. */
  readonly account?: AccountChoice;
  /** As the API shows positions; the store's own digits where left out. */
  readonly showPosition?: (position: bigint) => string;
  readonly onProgress?: (progress: ScanProgress) => void;
  /** Once at the end: what was found wrong in all that was recorded before `to`. */
  readonly onEnd?: (found: Found) => void;
}

interface Dated {
  readonly at: number;
  readonly entry: JournalEntry;
}

export async function* exportJournal(
  store: EventStore,
  options: ExportOptions,
): AsyncGenerator<string, void> {
  const writer = new JournalWriter(options);
  const examiner = new Examiner(options.to === undefined ? null : { at: options.to - 1 });
  let events = 0;
  yield writer.head;
  for await (const page of scan(store)) {
    const text = page
      .map((recorded) => {
        const event = examiner.examine(recorded);
        return event === null ? '' : writer.add(event);
      })
      .join('');
    if (text !== '') yield text;
    events += page.length;
    options.onProgress?.({ events, position: page.at(-1)?.position ?? 0n });
  }
  yield writer.end();
  options.onEnd?.(examiner.end());
}

class JournalWriter {
  readonly #options: ExportOptions;
  readonly #format;
  readonly #order: DateOrder<Dated>;
  /** What was recorded before `from`, until it has been written; null where nothing is summed up. */
  #opening: Books | null;

  constructor(options: ExportOptions) {
    this.#options = options;
    this.#format = openFormat(options.format);
    this.#order = new DateOrder<Dated>(options.from ?? null);
    this.#opening = options.from !== undefined && this.#format.hasBalances ? new Books() : null;
  }

  get head(): string {
    return this.#format.head;
  }

  add(event: AuditedEvent): string {
    const { account, from, to, showPosition = String } = this.#options;
    if (event.entry.length === 0) return '';
    if (account !== undefined && !event.entry.some((posting) => isChosen(account, posting.account)))
      return '';
    const at = Date.parse(event.recordedAt);
    if (to !== undefined && at >= to) return '';
    if (from !== undefined && at < from && !this.#format.hasBalances) return '';
    const entry = journalEntryOf(event, showPosition(event.position));
    return this.#order
      .add({ at, entry })
      .map((dated) => this.#write(dated))
      .join('');
  }

  end(): string {
    const rest = this.#order.end().map((dated) => this.#write(dated));
    return `${rest.join('')}${this.#open()}`;
  }

  #write({ at, entry }: Dated): string {
    // One that comes after the opening was written is not in it, so it is written as it is, at its own date.
    if (this.#opening !== null && at < (this.#options.from ?? 0)) {
      this.#opening.post(entry.postings);
      return '';
    }
    return this.#open() + this.#format.entry(entry);
  }

  #open(): string {
    const opening = this.#opening;
    const { from } = this.#options;
    this.#opening = null;
    if (opening === null || from === undefined) return '';
    const postings = [...opening.units].flatMap(([unit, accounts]) =>
      [...accounts]
        .filter(([, steps]) => steps !== 0n)
        .map(([account, steps]) => ({ account, unit, amount: textOf(steps) })),
    );
    if (postings.length === 0) return '';
    return this.#format.entry({
      id: 'opening',
      position: null,
      recordedAt: new Date(from).toISOString(),
      type: 'OpeningBalances',
      description: 'Opening balances',
      postings,
    });
  }
}
