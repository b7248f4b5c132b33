/** The formats of an export, by name. */
import { beancountFormat } from './beancount.ts';
import { csvFormat } from './csv.ts';
import type { Format } from './format.ts';
import { hledgerFormat } from './hledger.ts';
import { jsonLinesFormat } from './json-lines.ts';

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
