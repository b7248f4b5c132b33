/**
 * What an account's owner may read: balance, lots, statement. In credits only; finance sees as well what was paid for a
 * lot (P8).
 */
import { includes, readEvent } from '@tallystick/audit';
import { walletStream } from '@tallystick/domain';
import { listLots, listLotsFinance, readBalanceAt, readStatement, type Until } from '@tallystick/projections';
import { Type } from 'typebox';
import { pageOfAccount } from '../account-page.ts';
import type { Api, App } from '../api.ts';
import { AsOf, assertReached, momentOf } from '../as-of.ts';
import { seesMoney } from '../auth.ts';
import { Period, periodOf } from '../period.ts';
import { refuse } from '../problems.ts';
import { type ReadOf, reading, withEpoch } from '../reads.ts';
import {
  AccountPath,
  closed,
  Decimal,
  EntryLine,
  MinPosition,
  orNull,
  PageQuery,
  Position,
  pageOf,
  shown,
} from '../schemas.ts';

const Totals = ['available', 'held', 'granted', 'adjusted', 'consumed', 'expired', 'withdrawn'] as const;
const BalanceAnswer = Type.Object({
  account: Type.String(),
  ...(Object.fromEntries(Totals.map((name) => [name, Decimal])) as Record<
    (typeof Totals)[number],
    typeof Decimal
  >),
  expiring: Type.Array(Type.Object({ lot: Type.String(), credits: Decimal, expires_at: Type.String() })),
  position: Position,
});
/** What was recorded by then, no more: a lot that was due counts until its expiry was an event. */
const BalanceAtAnswer = Type.Object({
  account: Type.String(),
  available: Decimal,
  held: Decimal,
  entry_id: orNull(Type.String({ description: 'The last entry that is in it; null: there was none yet.' })),
  recorded_at: orNull(Type.String()),
  position: Type.String({ description: 'How far could be looked.' }),
  as_of: Type.String(),
});
/** Both are built field by field, and held against this by tests: choosing among schemas would cost more than writing. */
const EitherBalance = Type.Union([BalanceAnswer, BalanceAtAnswer], {
  description: 'As of now; or, with `as_of`, as it was then.',
});

/** As the account's owner sees it. */
const OwnLot = Type.Object({
  lot: Type.String(),
  unit: Type.String(),
  quantity: Decimal,
  available: Decimal,
  held: Decimal,
  priority: Type.Integer(),
  expires_at: orNull(Type.String()),
  expired: Type.Boolean(),
  origin: Type.Object({ kind: Type.String(), of: Type.String(), ref: Type.String() }),
  created_at: Type.String(),
});
/** For finance. */
const FullLot = Type.Object({
  ...OwnLot.properties,
  withdrawable: Decimal,
  paid: orNull(
    Type.Object(
      { amount: Decimal, remaining: Decimal, currency: Type.String() },
      { description: 'What was paid for it, and what of that stands behind its available credits.' },
    ),
  ),
});
/** The fuller shape stands first: the serialiser takes the first that fits. */
const EitherLot = Type.Union([FullLot, OwnLot]);
const StatementLine = Type.Object({ entry_id: Type.String(), ...EntryLine });

export function balancesRoutes(app: App, api: Api): void {
  const read = { access: { scopes: ['read'], ownAccount: 'path' } } as const;
  const { queries, balances } = api.reads;
  const tags = ['reads'];

  app.get(
    '/v1/accounts/:id/balance',
    {
      config: read,
      schema: {
        tags,
        summary: 'Read the balance of an account, as it is or as it was',
        params: AccountPath,
        querystring: closed({ ...MinPosition, as_of: Type.Optional(AsOf) }),
        response: shown(EitherBalance),
      },
      serializerCompiler: () => (answer) => JSON.stringify(answer),
    },
    async ({ params: { id: account }, query: { min_position: minPosition, as_of: asOf } }) => {
      if (asOf !== undefined) return balanceAt(api, { account, minPosition }, asOf);
      const balance = await reading(api, { account, minPosition }, () => balances.read(account, api.now()));
      return balance === null ? refuse('account_not_found', { account }) : withEpoch(api, balance.view);
    },
  );

  app.get(
    '/v1/accounts/:id/lots',
    {
      config: read,
      schema: {
        tags,
        summary: 'List the lots of an account',
        params: AccountPath,
        querystring: closed({ ...PageQuery, ...MinPosition, open: Type.Optional(Type.Boolean()) }),
        response: shown(pageOf(EitherLot)),
      },
    },
    async ({ principal, params: { id: account }, query: asked }) => {
      const { cursor, min_position: minPosition } = asked;
      const query = {
        account,
        now: api.now(),
        cursor,
        pageSize: asked.page_size,
        open: asked.open ?? false,
      };
      const list = seesMoney(principal) ? listLotsFinance : listLots;
      return await pageOfAccount(api, { account, cursor, minPosition }, () => list(queries, query));
    },
  );

  app.get(
    '/v1/accounts/:id/statement',
    {
      config: read,
      schema: {
        tags,
        summary: 'Read the statement of an account',
        params: AccountPath,
        querystring: Period,
        response: shown(pageOf(StatementLine)),
      },
    },
    async ({ params: { id: account }, query }) => {
      const period = periodOf(account, query);
      const { cursor, min_position: minPosition } = query;
      return await pageOfAccount(api, { account, cursor, minPosition }, () => readStatement(queries, period));
    },
  );
}

async function balanceAt(
  api: Api,
  { account, minPosition }: ReadOf & { readonly account: string },
  asOf: string,
) {
  const moment = await momentOf(api, asOf);
  const view = await reading(api, { account, minPosition }, () =>
    readBalanceAt(api.reads.queries, account, moment),
  );
  assertReached(api, moment, view.position);
  if (view.entry_id === null && !(await wasOpen(api, account, moment)))
    return refuse('account_not_found', { account });
  return { ...withEpoch(api, view), as_of: asOf };
}

/** An account without an entry is not in the entries: its first event says when it was opened. */
async function wasOpen({ store }: Api, account: string, moment: Until): Promise<boolean> {
  const [opened] = await store.readStream(walletStream(account), { from: 0, limit: 1 });
  return opened !== undefined && includes(moment, readEvent(opened));
}
