/**
 * Why a balance is what it is: every event of an account, with the formula of its price and the lots it touched. Read
 * straight from the event store, so it is never behind. An owner sees prices in credits only, whatever they were published
 * as; finance sees the published price, cost, and postings (P8).
 */
import {
  type AuditedEvent,
  type Explanation,
  explain,
  explainToFinance,
  readEventsPage,
} from '@tallystick/audit';
import { walletStream } from '@tallystick/domain';
import { decodeNumber, encodeCursor, PAGE_SIZE_DEFAULT } from '@tallystick/projections';
import { Type } from 'typebox';
import type { Api, App } from '../api.ts';
import { seesMoney } from '../auth.ts';
import { Period, periodOf } from '../period.ts';
import { refuse } from '../problems.ts';
import { reading, withEpoch } from '../reads.ts';
import { AccountPath, Balance, Decimal, orNull, Position, PriceFormula, pageOf, shown } from '../schemas.ts';

const PriceInCredits = Type.Object({
  ...PriceFormula,
  price_book: orNull(Type.Object({ name: Type.String(), version: Type.Integer() })),
  factors: Type.Optional(
    Type.Array(Type.Object({ kind: Type.String(), value: Type.String() }), {
      description: "The plan's, on the sum of the lines.",
    }),
  ),
});
/** As the account's owner sees it. */
const OwnExplanation = Type.Object({
  entry_id: Type.String(),
  type: Type.String(),
  recorded_at: Type.String(),
  what: Type.String({ description: 'In words.' }),
  price: orNull(PriceInCredits),
  moves: Type.Array(
    Type.Object({
      lot: orNull(Type.String({ description: 'Null: beyond all lots.' })),
      from: Type.String(),
      to: Type.String(),
      credits: Decimal,
    }),
    { description: 'Which lots it touched: from where to where their credits went.' },
  ),
  quotas: Type.Array(
    Type.Object({
      quota: Type.String(),
      unit: orNull(Type.String()),
      from: Type.String(),
      to: Type.String(),
      quantity: Type.String(),
    }),
    { description: 'Calls or tokens of which quota went from where to where.' },
  ),
  bill: Type.Array(Type.Object({ description: Type.String(), credits: Decimal }), {
    description: 'What was charged for a subscription, or given back.',
  }),
  after: orNull(Balance),
  position: Position,
});
/** For finance. */
const FullExplanation = Type.Object({
  ...OwnExplanation.properties,
  formula: Type.Array(Type.String(), {
    description: 'The price as published, with its numbers, line by line.',
  }),
  published: Type.Array(Type.Object({ dimension: Type.String() }, { additionalProperties: true })),
  factors: Type.Array(Type.Object({ kind: Type.String(), value: Type.String(), version: Type.String() })),
  supplier: orNull(Type.String()),
  cost: orNull(Type.Object({ amount: Decimal, currency: Type.String() })),
  paid: Type.Array(Decimal, {
    description:
      "What was paid for the credits of each of `moves`, in the lot's currency, in the same order.",
  }),
  quota_paid: Type.Array(Decimal, { description: 'The same of each of `quotas`.' }),
  postings: Type.Array(Type.Object({ account: Type.String(), unit: Type.String(), amount: Decimal })),
});
/** The fuller shape stands first: the serialiser takes the first that fits. */
const EitherExplanation = Type.Union([FullExplanation, OwnExplanation]);

export function explainRoutes(app: App, api: Api): void {
  app.get(
    '/v1/accounts/:id/explain',
    {
      config: { access: { scopes: ['read'], ownAccount: 'path' } },
      schema: {
        tags: ['books'],
        summary: 'Explain the balance of an account by its events',
        description:
          'Every event: what it did, how it was priced, which lots it touched, the balance after it.',
        params: AccountPath,
        querystring: Period,
        response: shown(pageOf(EitherExplanation)),
      },
    },
    async ({ principal, params: { id: account }, query }) => {
      const { from, to, order, pageSize = PAGE_SIZE_DEFAULT } = periodOf(account, query);
      const after = decodeNumber(LIST, query);
      const asked = {
        stream: walletStream(account),
        from,
        to,
        order,
        size: pageSize,
        after: after === null ? null : Number(after),
      };
      const { min_position: minPosition } = query;
      const page = await reading(api, { minPosition }, () => readEventsPage(api.store, asked));
      if (page === null) return refuse('account_not_found', { account });
      const view: (event: AuditedEvent) => Explanation = seesMoney(principal) ? explainToFinance : explain;
      return {
        data: page.events.map((event) => withEpoch(api, view(event))),
        next_cursor: page.next === null ? null : encodeCursor(LIST, String(page.next)),
      };
    },
  );
}

const LIST = 'explain';
