/** The books, for finance: single entries with their postings, and the trial balance. */
import { parseEntryId } from '@tallystick/domain';
import { getEntry, readTrialBalance, readTrialBalanceAt } from '@tallystick/projections';
import { Type } from 'typebox';
import type { Api, App } from '../api.ts';
import { AsOf, assertReached, momentOf } from '../as-of.ts';
import { refuse } from '../problems.ts';
import { reading, withEpoch } from '../reads.ts';
import { closed, Decimal, EntryLine, MinPosition, Position, shown } from '../schemas.ts';

const EntryAnswer = Type.Object({
  entry_id: Type.String(),
  account: Type.String(),
  ...EntryLine,
  postings: Type.Array(Type.Object({ account: Type.String(), unit: Type.String(), amount: Decimal })),
  position: Position,
});
const TrialBalanceAnswer = Type.Object({
  units: Type.Array(
    Type.Object({
      unit: Type.String(),
      total: Decimal,
      accounts: Type.Array(Type.Object({ account: Type.String(), balance: Decimal })),
    }),
  ),
  position: Position,
  as_of: Type.Optional(Type.String({ description: 'The moment that was asked for.' })),
});

export function entriesRoutes(app: App, api: Api): void {
  const finance = { access: { scopes: ['finance'] } } as const;
  const tags = ['books'];

  app.get(
    '/v1/entries/:entry_id',
    {
      config: finance,
      schema: {
        tags,
        summary: 'Read an entry with its postings',
        params: closed({ entry_id: Type.String({ maxLength: 200 }) }),
        querystring: closed(MinPosition),
        response: shown(EntryAnswer),
      },
    },
    async ({ params, query: { min_position: minPosition } }) => {
      const entry = parseEntryId(params.entry_id);
      if (entry === undefined) return refuse('entry_not_found');
      const account = entry.stream.slice(entry.stream.indexOf('-') + 1);
      const view = await reading(api, { account, minPosition }, () => getEntry(api.reads.queries, entry));
      return view === null ? refuse('entry_not_found') : withEpoch(api, view);
    },
  );

  app.get(
    '/v1/trial-balance',
    {
      config: finance,
      schema: {
        tags,
        summary: 'Read the trial balance, as it is or as it was',
        description:
          'All wallets together as `*`. With `as_of` every entry until then is added up: a second or so for a million.',
        querystring: closed({ ...MinPosition, as_of: Type.Optional(AsOf) }),
        response: shown(TrialBalanceAnswer),
      },
    },
    async ({ query: { min_position: minPosition, as_of: asOf } }) => {
      const { queries } = api.reads;
      if (asOf === undefined)
        return withEpoch(api, await reading(api, { minPosition }, () => readTrialBalance(queries)));
      const moment = await momentOf(api, asOf);
      const books = await reading(api, { minPosition }, () => readTrialBalanceAt(queries, moment));
      assertReached(api, moment, books.position);
      return { ...withEpoch(api, books), as_of: asOf };
    },
  );
}
