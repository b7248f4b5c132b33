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

const named = (description: string) => Type.String({ minLength: 1, maxLength: 200, description });
const Description = Type.String({ maxLength: 1_000, description: 'For customers; nothing depends on it.' });
const Order = Type.Integer({ description: 'Lists are in this order, then in that of ids.' });
const Quantity = Type.String({
  minLength: 1,
  maxLength: 20,
  description: 'A whole number, or `unlimited` where something is included.',
});
const WholeNumber = Type.String({ minLength: 1, maxLength: 20, description: 'A whole number as text.' });
const Window = {
  unit: Type.Enum([...QUOTA_UNITS], { description: '`calls` counts usages, `tokens` their tokens.' }),
  model: { ...Model, description: 'A model, or `*`: all of them together.' },
  amount: Quantity,
  per: Type.Enum([...WINDOWS], { description: '`period`: that of the subscription.' }),
};
const Included = closed({
  ...Window,
  counted_dimensions: Type.Optional(
    Type.Array(Type.Enum([...TOKEN_DIMENSIONS]), {
      maxItems: 5,
      description: 'Of a line in tokens: what counts. Left out: all five kinds.',
    }),
  ),
});
const dimensions = Object.keys(DIMENSIONS) as (keyof typeof DIMENSIONS)[];
const Overage = closed(
  Object.fromEntries(dimensions.map((name) => [name, optionalPrice()])) as Record<
    (typeof dimensions)[number],
    ReturnType<typeof optionalPrice>
  >,
);
function optionalPrice() {
  return Type.Optional(
    closed(
      {
        credits: { ...Amount, description: 'Of `per` units, in credits; may be finer than a credit.' },
        per: Type.Number({ description: 'How many units `credits` is the price of.' }),
      },
      { description: 'Left out: no price for this dimension.' },
    ),
  );
}
const Terms = {
  name: named('For customers.'),
  description: Type.Optional(Description),
  features: Type.Optional(
    Type.Array(named('One line.'), { maxItems: 100, description: 'For customers; nothing depends on them.' }),
  ),
  price: Type.Union([closed({ credits: Amount }), MoneyBody], {
    description: 'Of one period: either `credits`, or `amount` and `currency`.',
  }),
  interval: Type.Enum([...INTERVALS], { description: 'How long a period is.' }),
  trial_days: Type.Optional(
    Type.Integer({
      description: 'How long who asks for it (`trial: true`) has the plan for nothing. Left out: not at all.',
    }),
  ),
  grace: Type.Optional(
    closed(
      {
        days: Type.Integer({
          description: 'How long a period may stay unpaid; then the subscription lapses.',
        }),
        quota: Type.Enum([...GRACE_QUOTAS], {
          description:
            'What there is of the quota meanwhile: nothing, the share of the days of grace, or all of it. ' +
            'A first period has none until it is paid.',
        }),
      },
      {
        description:
          'Left out: a renewal that is not paid lapses at once; a first period that is paid outside has a day.',
      },
    ),
  ),
  included: Type.Array(Included, {
    maxItems: 100,
    description: 'Quotas: they pay for usage before credits do. No two of the same unit, model and `per`.',
  }),
  caps: Type.Optional(
    Type.Array(closed({ ...Window, amount: WholeNumber }), {
      maxItems: 100,
      description: 'Limits that every call must pass, whoever pays (402 `cap_reached`).',
    }),
  ),
  overage: Type.Enum(['credits', 'refuse'], {
    description: 'What becomes of usage beyond `included`: paid by credits, or 402 `quota_exhausted`.',
  }),
  overage_multiplier: Type.Optional({
    ...Amount,
    description: 'Factor on the price of usage beyond `included`. Left out: 1.',
  }),
  overage_prices: Type.Optional(
    Type.Record(Type.String(), Overage, {
      description: 'By model (or `*`) and dimension, in place of the price book. Left out: the price book.',
    }),
  ),
  price_book: Type.Optional({ ...Id, description: 'For accounts that name none of their own.' }),
  allowed_models: Type.Optional(
    Type.Array(Model, { maxItems: 500, description: 'Others are 403 `model_not_allowed`. Left out: all.' }),
  ),
  rate_limit_per_minute: Type.Optional(
    Type.Integer({ description: 'Authorizations in a minute that say yes. Left out: no limit.' }),
  ),
  max_concurrent_requests: Type.Optional(
    Type.Integer({ description: 'Holds that may be open at once. Left out: no limit.' }),
  ),
  priority: Type.Optional(
    named('Class of service, told with every authorization; the ledger does not read it.'),
  ),
  support_level: Type.Optional(named('For customers; nothing depends on it.')),
  display_order: Type.Optional(Order),
  refund_on_cancel: Type.Optional(
    Type.Boolean({
      description:
        'Canceled now, what was paid in credits for time and quota that nobody has used goes back. Left out: false.',
    }),
  ),
  default_plan: Type.Optional(
    Type.Boolean({
      description: 'Every new account starts with it; the price must be 0 credits. Left out: false.',
    }),
  ),
  active: Type.Optional(
    Type.Boolean({
      description: 'False: nobody can subscribe any more; who has it keeps it. Left out: true.',
    }),
  ),
};
const PutBody = closed({
  ...Terms,
  anchor: Type.Optional(
    Type.Enum([...ANCHORS], {
      description:
        'From when periods count: the instant of subscribing, or midnight, Monday, the first. Left out: `subscription`.',
    }),
  ),
  effective_from: Type.Optional({
    ...Instant,
    description: 'RFC 3339 with its zone; never in the past. Left out: at once.',
  }),
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
