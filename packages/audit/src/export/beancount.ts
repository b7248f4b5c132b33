/** beancount's ledger. Every account is opened on the day of its first entry, under its mapped name, with the ledger's beside it. */
import type { Format } from './format.ts';
import { dateOf, type JournalEntry } from './journal-entry.ts';
import { beancountAccount, beancountCommodity } from './names.ts';

export function beancountFormat(): Format {
  const opened = new Map<string, string>();
  const open = (account: string, date: string): string => {
    if (opened.has(account)) return '';
    const name = beancountAccount(account);
    opened.set(account, name);
    return `\n${date} open ${name}\n  ledger_account: ${quoted(account)}\n`;
  };
  return {
    head: '; The journal of the ledger. Dates are those of recording, in UTC; debit is positive.\n',
    hasBalances: true,
    entry({ id, position, recordedAt, type, description, postings }: JournalEntry): string {
      const date = dateOf(recordedAt);
      const directives = postings.map(({ account }) => open(account, date));
      const metadata = [
        ...(position === null ? [] : [`  entry: ${quoted(id)}`, `  position: ${quoted(position)}`]),
        `  event: ${quoted(type)}`,
        `  recorded_at: ${quoted(recordedAt)}`,
      ];
      const lines = postings.map(
        ({ account, unit, amount }) => `  ${opened.get(account)}  ${amount} ${beancountCommodity(unit)}`,
      );
      const first = `${date} * ${quoted(description)}`;
      return `${directives.join('')}\n${[first, ...metadata, ...lines].join('\n')}\n`;
    },
  };
}

const quoted = (text: string): string => `"${text.replaceAll('\\', '\\\\').replaceAll('"', '\\"')}"`;
