/** What an account's owner may read: balance, lots, statement, usage. In credits only (P8). */
import { getUsage, listLots, listUnpriced, listUsage, readStatement } from '@tallystick/projections';
import { type Static, Type } from 'typebox';
import { pageOfAccount } from '../account-page.ts';
import type { Api, App } from '../api.ts';
import { type Faults, instantOf, settle } from '../parse.ts';
import { refuse } from '../problems.ts';
import { reading, withEpoch } from '../reads.ts';
import {
  AccountPath,
  Balance,
  BurnedLot,
  closed,
  Decimal,
  EntryLine,
  Id,
  Instant,
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
const LotAnswer = Type.Object({
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
const text = orNull(Type.String());
const StatementLine = Type.Object({ entry_id: Type.String(), ...EntryLine });
const UsageAnswer = Type.Object({
  id: Type.String(),
  entry_id: Type.String(),
  account: Type.String(),
  source: Type.String(),
  status: Type.Union([Type.Literal('charged'), Type.Literal('unpriced')]),
  model: Type.String(),
  usage: Type.Record(Type.String(), Type.Number()),
  mode: Type.String(),
  hold: text,
  credits: orNull(Decimal),
  lots: Type.Array(BurnedLot),
  price_book: orNull(Type.Object({ name: Type.String(), version: Type.Integer() })),
  balance: Balance,
  occurred_at: Type.String(),
  recorded_at: Type.String(),
  late: Type.Boolean(),
  repriced: text,
  reversed: Type.Boolean(),
  reason: text,
  position: Position,
});

const Listing = closed({ ...PageQuery, ...MinPosition });
const Period = closed({
  ...PageQuery,
  ...MinPosition,
  from: Type.Optional(Instant),
  to: Type.Optional(Instant),
  order: Type.Optional(Type.Union([Type.Literal('newest'), Type.Literal('oldest')])),
});

export function balancesRoutes(app: App, api: Api): void {
  const read = { access: { scopes: ['read'], ownAccount: 'path' } } as const;
  const { queries, balances, index } = api.reads;
  const tags = ['reads'];

  app.get(
    '/v1/accounts/:id/balance',
    {
      config: read,
      schema: {
        tags,
        summary: 'Read the balance of an account',
        params: AccountPath,
        querystring: closed(MinPosition),
        response: shown(BalanceAnswer),
      },
    },
    async ({ params: { id: account }, query: { min_position: minPosition } }) => {
      const balance = await reading(api, { account, minPosition }, () => balances.read(account, api.now()));
      return balance === null ? refuse('account_not_found') : withEpoch(api, balance.view);
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
        querystring: closed({ ...Listing.properties, open: Type.Optional(Type.Boolean()) }),
        response: shown(pageOf(LotAnswer)),
      },
    },
    async ({
      params: { id: account },
      query: { min_position: minPosition, cursor, page_size: pageSize, open },
    }) => {
      const query = { account, now: api.now(), cursor, pageSize, open: open ?? false };
      return await pageOfAccount(api, { account, cursor, minPosition }, () => listLots(queries, query));
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

  app.get(
    '/v1/accounts/:id/usage',
    {
      config: read,
      schema: {
        tags,
        summary: 'List the usage of an account',
        params: AccountPath,
        querystring: Period,
        response: shown(pageOf(UsageAnswer)),
      },
    },
    async ({ params: { id: account }, query }) => {
      const period = periodOf(account, query);
      const { cursor, min_position: minPosition } = query;
      const page = await pageOfAccount(api, { account, cursor, minPosition }, () =>
        listUsage(queries, period),
      );
      return { ...page, data: page.data.map((view) => withEpoch(api, view)) };
    },
  );

  app.get(
    '/v1/accounts/:id/usage/:usage_id',
    {
      config: read,
      schema: {
        tags,
        summary: 'Read one usage',
        params: closed({ id: Id, usage_id: Id }),
        querystring: closed({ ...MinPosition, source: Type.Optional(Id) }),
        response: shown(UsageAnswer),
      },
    },
    async ({ params: { id: account, usage_id: id }, query: { source, min_position: minPosition } }) => {
      const view = await reading(api, { account, minPosition }, () =>
        getUsage(queries, index, { account, id, source }),
      );
      return view === null ? refuse('usage_not_found') : withEpoch(api, view);
    },
  );

  app.get(
    '/v1/usage',
    {
      config: { access: { scopes: ['read'] } },
      schema: {
        tags,
        summary: 'List usage that has no price yet, of all accounts',
        querystring: closed({ ...Listing.properties, status: Type.Literal('unpriced') }),
        response: shown(pageOf(UsageAnswer)),
      },
    },
    async ({ query: { cursor, page_size: pageSize, min_position: minPosition } }) => {
      const page = await reading(api, { minPosition }, () => listUnpriced(queries, { cursor, pageSize }));
      return { ...page, data: page.data.map((view) => withEpoch(api, view)) };
    },
  );
}

function periodOf(account: string, query: Static<typeof Period>) {
  const faults: Faults = [];
  const from = instantOf(query.from, 'from', faults) ?? undefined;
  const to = instantOf(query.to, 'to', faults) ?? undefined;
  settle(faults);
  return {
    account,
    from,
    to,
    cursor: query.cursor,
    pageSize: query.page_size,
    order: query.order ?? 'newest',
  } as const;
}
