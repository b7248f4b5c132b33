/** JSON lines, one entry per line, with the names of the API. */
import type { Format } from './format.ts';

export const jsonLinesFormat: Format = {
  head: '',
  hasBalances: false,
  entry: ({ id, position, recordedAt, type, description, postings }) =>
    `${JSON.stringify({
      entry_id: id,
      position,
      recorded_at: recordedAt,
      type,
      description,
      postings: postings.map(({ account, unit, amount }) => ({ account, unit, amount })),
    })}\n`,
};
