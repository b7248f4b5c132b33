/** What a format is: it turns entries into text one after the other and remembers only what it has declared. */
import type { JournalEntry } from './journal-entry.ts';

export interface Format {
  /** Before the first entry. */
  readonly head: string;
  /** Balances are the sums of what is in the file, so a part of the journal begins with those that it finds. */
  readonly hasBalances: boolean;
  entry(entry: JournalEntry): string;
}
