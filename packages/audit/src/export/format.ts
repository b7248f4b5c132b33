/** The formats of an export. Each turns entries into text one after the other and remembers only what it has declared. */
import { beancountFormat } from './beancount.ts';
import { csvFormat } from './csv.ts';
import { hledgerFormat } from './hledger.ts';
import type { JournalEntry } from './journal-entry.ts';
import { jsonLinesFormat } from './json-lines.ts';

export interface Format {
  /** Before the first entry. */
  readonly head: string;
  /** Balances are the sums of what is in the file, so a part of the journal begins with those that it finds. */
  readonly hasBalances: boolean;
  entry(entry: JournalEntry): string;
}

export const FORMATS = ['hledger', 'beancount', 'csv', 'jsonl'] as const;
export type FormatName = (typeof FORMATS)[number];

export function openFormat(name: FormatName): Format {
  switch (name) {
    case 'hledger':
      return hledgerFormat();
    case 'beancount':
      return beancountFormat();
    case 'csv':
      return csvFormat;
    case 'jsonl':
      return jsonLinesFormat;
  }
}
