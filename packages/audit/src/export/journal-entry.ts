/** An entry as all formats write it: one per event that carries postings. */
import type { AuditedEvent, PostingText } from '../event.ts';
import { wordsOf } from '../explain-words.ts';

export interface JournalEntry {
  /** `wallet-acme:17`. */
  readonly id: string;
  /** As the API shows it; null for what no event says (opening balances). */
  readonly position: string | null;
  readonly recordedAt: string;
  readonly type: string;
  /** One line. */
  readonly description: string;
  readonly postings: readonly PostingText[];
}

export function journalEntryOf(event: AuditedEvent, position: string): JournalEntry {
  return {
    id: `${event.stream}:${event.revision}`,
    position,
    recordedAt: event.recordedAt,
    type: event.type,
    description: oneLine(wordsOf(event)),
    postings: event.entry,
  };
}

/** The accounting date (rule 36), in UTC. */
export const dateOf = (recordedAt: string): string => recordedAt.slice(0, 10);

/** Reasons and models hold any characters: whatever could end a line becomes a space. */
export function oneLine(text: string): string {
  return text.replaceAll(/[\s\p{Cc}\p{Zl}\p{Zp}]+/gu, ' ').trim();
}
