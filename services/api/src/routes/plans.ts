/** Plans: published whole, versioned, never changed. Everybody with a key may read what is offered. */
import {
  ANCHORS,
  canonicalDecimal,
  canonicalMoney,
  compilePlan,
  DIMENSIONS,
  GRACE_QUOTAS,
  INTERVALS,
  type PlanTerms,
  type PlanVersion,
  planDecider,
  QUOTA_UNITS,
  TOKEN_DIMENSIONS,
  WINDOWS,
} from '@tallystick/domain';
import { type Static, Type } from 'typebox';
import type { Api, App } from '../api.ts';
import { isAdmin } from '../auth.ts';
import { pageOfCatalogue } from '../catalogue-page.ts';
import { firstOrAgain, order } from '../orders.ts';
import { type Faults, instantOf, metadataOf, settle } from '../parse.ts';
import { refuse } from '../problems.ts';
import {
  Amount,
  closed,
  Id,
  Instant,
  Model,
  MoneyBody,
  PageQuery,
  pageOf,
  recorded,
  shown,
} from '../schemas.ts';

const Name = Type.String({ minLength: 1, maxLength: 200 });
const Description = Type.String({ maxLength: 1_000 });
const Order = Type.Integer({ description: 'Lists are in this order, then in that of ids.' });
const Quantity = Type.String({
  minLength: 1,
  maxLength: 20,
  description: 'A whole number, or `unlimited` where something is included.',
});
const Window = {
  unit: Type.Enum([...QUOTA_UNITS]),
  model: Model,
  amount: Quantity,
  per: Type.Enum([...WINDOWS]),
};
const Included = closed({
  ...Window,
  counted_dimensions: Type.Optional(Type.Array(Type.Enum([...TOKEN_DIMENSIONS]), { maxItems: 5 })),
});
const dimensions = Object.keys(DIMENSIONS) as (keyof typeof DIMENSIONS)[];
const Overage = closed(
  Object.fromEntries(dimensions.map((name) => [name, optionalPrice()])) as Record<
    (typeof dimensions)[number],
    ReturnType<typeof optionalPrice>
  >,
);
function optionalPrice() {
  return Type.Optional(closed({ credits: Amount, per: Type.Number() }));
}
const Terms = {
  name: Name,
  description: Type.Optional(Description),
  features: Type.Optional(Type.Array(Name, { maxItems: 100 })),
  price: Type.Union([closed({ credits: Amount }), MoneyBody]),
  interval: Type.Enum([...INTERVALS]),
  trial_days: Type.Optional(Type.Integer()),
  grace: Type.Optional(closed({ days: Type.Integer(), quota: Type.Enum([...GRACE_QUOTAS]) })),
  included: Type.Array(Included, { maxItems: 100 }),
  caps: Type.Optional(Type.Array(closed(Window), { maxItems: 100 })),
  overage: Type.Enum(['credits', 'refuse']),
  overage_multiplier: Type.Optional(Amount),
  overage_prices: Type.Optional(Type.Record(Type.String(), Overage)),
  price_book: Type.Optional(Id),
  allowed_models: Type.Optional(Type.Array(Model, { maxItems: 500 })),
  rate_limit_per_minute: Type.Optional(Type.Integer()),
  max_concurrent_requests: Type.Optional(Type.Integer()),
  priority: Type.Optional(Name),
  support_level: Type.Optional(Name),
  display_order: Type.Optional(Order),
  refund_on_cancel: Type.Optional(Type.Boolean()),
  default_plan: Type.Optional(Type.Boolean()),
  active: Type.Optional(Type.Boolean()),
};
const PutBody = closed({
  ...Terms,
  anchor: Type.Optional(Type.Enum([...ANCHORS], { description: 'Left out: `subscription`.' })),
  effective_from: Type.Optional(Instant),
});
const Published = { id: Type.String(), version: Type.Integer(), effective_from: Type.String() };
const Plan = Type.Object({ ...Published, ...Terms, anchor: Type.Enum([...ANCHORS]) });
const PlanPath = closed({ id: Id });
/** What an account's own key may read as well. */
const everybody = { access: { scopes: ['usage', 'read', 'finance'], ownAccount: 'checked' } } as const;
const tags = ['plans'];

export function plansRoutes(app: App, api: Api): void {
  app.put(
    '/v1/plans/:id',
    {
      config: { access: { scopes: ['admin'] } },
      schema: {
        tags,
        summary: 'Publish a version of a plan',
        params: PlanPath,
        body: PutBody,
        response: recorded(Type.Object(Published)),
      },
    },
    async (request, reply) => {
      const { id } = request.params;
      const command = {
        type: 'PublishPlan',
        key: null,
        fingerprint: null,
        ...readPlan(request.body),
      } as const;
      const done = await order(api, request, planDecider, id, command);
      firstOrAgain(reply, { replayed: done.status === 'unchanged' });
      if (done.status === 'unchanged') {
        const { version, effectiveFrom: since } = done.state;
        return { id, version, effective_from: since ?? '' };
      }
      // In force here at once; in other processes within the second.
      await api.catalogue.fresh().catch(() => undefined);
      const { version, effective_from } = done.event.data;
      return { id, version, effective_from };
    },
  );

  app.get(
    '/v1/plans',
    {
      config: everybody,
      schema: {
        tags,
        summary: 'List the plans that can be subscribed to, each as it is in force',
        querystring: closed({
          ...PageQuery,
          all: Type.Optional(Type.Boolean({ description: 'Inactive ones too: for admins.' })),
        }),
        response: shown(pageOf(Plan)),
      },
    },
    async ({ query: { cursor, page_size: pageSize, all = false }, principal }) => {
      if (all && !isAdmin(principal)) refuse('forbidden', { required_scopes: ['admin'] });
      const { plans } = api.catalogue.current();
      const now = api.now();
      const offered = plans
        .ids()
        .flatMap((id) => plans.inForce(id, now) ?? [])
        .filter(({ terms }) => all || terms.active !== false)
        .map((plan) => ({ id: plan.id, display_order: plan.terms.display_order, plan }));
      return pageOfCatalogue('plans', offered, { cursor, pageSize }, ({ plan }) => viewOf(plan));
    },
  );

  app.get(
    '/v1/plans/:id',
    {
      config: everybody,
      schema: {
        tags,
        summary: 'Read a plan as it is in force, or a version of it',
        params: PlanPath,
        querystring: closed({ version: Type.Optional(Type.Integer({ minimum: 1 })) }),
        response: shown(Plan),
      },
    },
    async ({ params: { id }, query: { version }, principal }) => {
      // To the head: it may have been published by another process a moment ago.
      const { plans } = await api.catalogue.fresh();
      const now = api.now();
      const plan = version === undefined ? plans.inForce(id, now) : plans.version(id, version);
      // What is yet to come is nobody else's business.
      const isSecret = plan !== undefined && plan.effectiveFrom > now && !isAdmin(principal);
      return plan === undefined || isSecret ? refuse('plan_not_found', { plan: id }) : viewOf(plan);
    },
  );
}

const BODY_BYTES_MAX = 60_000;

function readPlan(body: Static<typeof PutBody>): { terms: PlanTerms; effectiveFrom: number | null } {
  const faults: Faults = [];
  metadataOf(body, 'body', BODY_BYTES_MAX, faults);
  const effectiveFrom = instantOf(body.effective_from, 'effective_from', faults);
  settle(faults);
  const { effective_from: _, anchor = 'subscription', price, ...rest } = body;
  const terms: PlanTerms = {
    ...rest,
    anchor,
    price: 'credits' in price ? { credits: canonicalDecimal(price.credits) } : canonicalMoney(price),
    ...(rest.overage_multiplier === undefined
      ? {}
      : { overage_multiplier: canonicalDecimal(rest.overage_multiplier) }),
    ...(rest.overage_prices === undefined ? {} : { overage_prices: canonicalPrices(rest.overage_prices) }),
  };
  const compiled = compilePlan(terms);
  if (!compiled.ok) settle([compiled.fault]);
  return { terms, effectiveFrom };
}

function canonicalPrices(
  prices: NonNullable<PlanTerms['overage_prices']>,
): NonNullable<PlanTerms['overage_prices']> {
  return Object.fromEntries(
    Object.entries(prices).map(([model, byDimension]) => [
      model,
      Object.fromEntries(
        Object.entries(byDimension).map(([name, { credits, per }]) => [
          name,
          { credits: canonicalDecimal(credits), per },
        ]),
      ),
    ]),
  );
}

function viewOf({ id, version, effectiveFrom, terms }: PlanVersion): object {
  return { id, version, effective_from: new Date(effectiveFrom).toISOString(), ...terms };
}
