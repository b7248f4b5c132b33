/**
 * CSV, one row per posting (RFC 4180, but with `\n`). No field of text can begin with `=`, `+`, `-` or `@`, which a
 * spreadsheet would take for a formula: ids begin with a letter or a digit, accounts with their root, descriptions with
 * a word of ours. Amounts begin with `-`, and are numbers.
 */
import { stringify } from 'csv-stringify/sync';
import type { Format } from './format.ts';

const COLUMNS = [
  'entry_id',
  'position',
  'recorded_at',
  'type',
  'description',
  'account',
  'unit',
  'amount',
] as const;

export const csvFormat: Format = {
  head: stringify([COLUMNS]),
  hasBalances: false,
  entry: ({ id, position, recordedAt, type, description, postings }) =>
    stringify(
      postings.map(({ account, unit, amount }) => [
        id,
        position,
        recordedAt,
        type,
        description,
        account,
        unit,
        amount,
      ]),
    ),
};
