/** Usage as it was recorded: in credits only for its owner, with cost and revenue for finance (P8). */
import {
  getUsage,
  getUsageFinance,
  listUnpriced,
  listUnpricedFinance,
  listUsage,
  listUsageFinance,
  listViolations,
  listViolationsFinance,
} from '@tallystick/projections';
import { Type } from 'typebox';
import { pageOfAccount } from '../account-page.ts';
import { QuotaParts, Violations } from '../answers.ts';
import type { Api, App } from '../api.ts';
import { seesMoney } from '../auth.ts';
import { Period, periodOf } from '../period.ts';
import { invalid, Refused, refuse } from '../problems.ts';
import { reading, withEpoch } from '../reads.ts';
import {
  AccountPath,
  Balance,
  BurnedLot,
  closed,
  Decimal,
  Id,
  MinPosition,
  orNull,
  PageQuery,
  Position,
  pageOf,
  shown,
} from '../schemas.ts';

const text = orNull(Type.String());
/** As the account's owner sees it. */
const OwnUsage = Type.Object({
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
  quota: QuotaParts,
  violations: Violations,
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
const Money = orNull(Type.Object({ amount: Decimal, currency: Type.String() }));
/** For finance: what the call cost us, and the revenue that the charge released. Margin is the difference. */
const FullUsage = Type.Object({ ...OwnUsage.properties, supplier: text, cost: Money, revenue: Money });
const OnlyViolations = Type.Optional(
  Type.Boolean({ description: 'Only what the plan would have refused, had the call not run.' }),
);
/** The fuller shape stands first: the serialiser takes the first that fits. */
const EitherUsage = Type.Union([FullUsage, OwnUsage]);

export function usageReadsRoutes(app: App, api: Api): void {
  const own = { access: { scopes: ['read'], ownAccount: 'path' } } as const;
  const { queries, index } = api.reads;
  const tags = ['reads'];

  app.get(
    '/v1/accounts/:id/usage',
    {
      config: own,
      schema: {
        tags,
        summary: 'List the usage of an account',
        params: AccountPath,
        querystring: closed({ ...Period.properties, violations: OnlyViolations }),
        response: shown(pageOf(EitherUsage)),
      },
    },
    async ({ principal, params: { id: account }, query }) => {
      const period = { ...periodOf(account, query), violations: query.violations };
      const { cursor, min_position: minPosition } = query;
      const page = await pageOfAccount(api, { account, cursor, minPosition }, () =>
        (seesMoney(principal) ? listUsageFinance : listUsage)(queries, period),
      );
      return { ...page, data: page.data.map((view) => withEpoch(api, view)) };
    },
  );

  app.get(
    '/v1/accounts/:id/usage/:usage_id',
    {
      config: own,
      schema: {
        tags,
        summary: 'Read one usage',
        params: closed({ id: Id, usage_id: Id }),
        querystring: closed({ ...MinPosition, source: Type.Optional(Id) }),
        response: shown(EitherUsage),
      },
    },
    async (request) => {
      const { id: account, usage_id: id } = request.params;
      const { source, min_position: minPosition } = request.query;
      const read = seesMoney(request.principal) ? getUsageFinance : getUsage;
      const view = await reading(api, { account, minPosition }, () =>
        read(queries, index, { account, id, source }),
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
        summary: 'List usage that somebody should look at, of all accounts',
        description: 'With `status=unpriced` what has no price yet; or with `violations=true`.',
        querystring: closed({
          ...PageQuery,
          ...MinPosition,
          status: Type.Optional(Type.Literal('unpriced')),
          violations: OnlyViolations,
        }),
        response: shown(pageOf(EitherUsage)),
      },
    },
    async ({ principal, query }) => {
      const { cursor, page_size: pageSize, min_position: minPosition, status, violations = false } = query;
      if ((status !== undefined) === violations)
        throw new Refused(
          invalid([{ field: 'status', rule: 'must be given, or violations=true, not both' }]),
        );
      const [own, finance] = violations
        ? [listViolations, listViolationsFinance]
        : [listUnpriced, listUnpricedFinance];
      const list = seesMoney(principal) ? finance : own;
      const page = await reading(api, { minPosition }, () => list(queries, { cursor, pageSize }));
      return { ...page, data: page.data.map((view) => withEpoch(api, view)) };
    },
  );
}
