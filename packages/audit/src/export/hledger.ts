/**
 * hledger's journal. Accounts and commodities are declared before their first use, so `hledger check --strict` passes:
 * a misspelt account cannot slip in by hand later. The entry's id is the transaction's code.
 */
import type { Format } from './format.ts';
import { dateOf, type JournalEntry } from './journal-entry.ts';
import { hledgerAccount, hledgerCommodity } from './names.ts';

export function hledgerFormat(): Format {
  const declared = new Set<string>();
  const declare = (directive: string): string => {
    if (declared.has(directive)) return '';
    declared.add(directive);
    return `${directive}\n`;
  };
  return {
    head: '; The journal of the ledger. Dates are those of recording, in UTC; debit is positive.\n',
    hasBalances: true,
    entry({ id, position, recordedAt, type, description, postings }: JournalEntry): string {
      const directives = postings.map(
        ({ account, unit }) =>
          declare(`account ${hledgerAccount(account)}`) + declare(`commodity ${sampleOf(unit)}`),
      );
      const tags = [
        ...(position === null ? [] : [`position:${position}`]),
        `event:${type}`,
        `recorded_at:${recordedAt}`,
      ];
      const lines = postings.map(
        ({ account, unit, amount }) => `    ${hledgerAccount(account)}  ${amount} ${hledgerCommodity(unit)}`,
      );
      const code = position === null ? '' : `(${id}) `;
      const first = `${dateOf(recordedAt)} * ${code}${plain(description)}`;
      const declarations = directives.join('');
      return `\n${declarations === '' ? '' : `${declarations}\n`}${[first, `    ; ${tags.join(', ')}`, ...lines].join('\n')}\n`;
    },
  };
}

/** Every place that the unit can have, so that reports round nothing away. */
function sampleOf(unit: string): string {
  const places = unit === 'credits' ? 6 : /^[A-Z]{3}$/.test(unit) ? 9 : 0;
  return `1000.${'0'.repeat(places)} ${hledgerCommodity(unit)}`;
}

/** `;` would begin a comment and `|` part payee from note. */
const plain = (description: string): string => description.replaceAll(';', ',').replaceAll('|', '/');
