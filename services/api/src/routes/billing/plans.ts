/**
 * `GET /v1/billing/plans`: what can be subscribed to, as a page of prices shows it. A plan's full terms are at
 * `GET /v1/plans`. One document has one size of number for all plans, so
 * - quota and price are those of a month: 12 months, 52 weeks or 365 days make a year; tokens are rounded down
 * - prices are in the plan's own unit: its currency, or credits. A further token has its price in credits; what those are
 *   in the currency, the rate says at which free amounts of it are sold. No rate, no number: there is no other exchange
 * - both are sales prices, which the plan has published: no cost (P8)
 */
import {
  ANY_MODEL,
  compiledTerms,
  divide,
  multiply,
  type PlanTerms,
  type PlanVersion,
  type Rational,
  readRational,
  TOKEN_DIMENSIONS,
  type Window,
} from '@tallystick/domain';
import { Type } from 'typebox';
import type { Api, App } from '../../api.ts';
import { pageOfCatalogue } from '../../catalogue-page.ts';
import { closed, found, orNull } from '../../schemas.ts';
import { AccountQuery, accountOf } from './account.ts';
import { asNumber, fractionAsNumber } from './as-number.ts';

const Plan = Type.Object({
  id: Type.String(),
  name: Type.String(),
  monthly_quota: orNull(Type.Number({ description: 'Tokens; 0 without any, null without limit.' })),
  monthly_price: Type.Number({ description: "In the plan's currency, or in credits." }),
  extra_token_price: orNull(
    Type.Number({
      description:
        'As `monthly_price`; the dearest kind of token. Null where the plan itself does not say it.',
    }),
  ),
  features: Type.Array(Type.String()),
});

/** The document knows of no pages. */
const PLANS_MAX = 500;

export function plansRoute(app: App, api: Api): void {
  app.get(
    '/v1/billing/plans',
    {
      // Prices are no account's own: whoever has a key may read them.
      config: { access: { scopes: ['usage', 'read', 'finance'], ownAccount: 'checked' } },
      schema: {
        tags: ['billing'],
        summary: `List the plans that can be subscribed to, at most ${PLANS_MAX}, in the order of their display`,
        querystring: closed(AccountQuery),
        response: found(Type.Object({ plans: Type.Array(Plan) })),
      },
    },
    async ({ principal, query: { account } }) => {
      // It changes nothing: the neighbours take it, so it may be sent here too, but never another's.
      if (account !== undefined) accountOf(principal, account);
      const { plans, packages } = await api.catalogue.fresh();
      const now = api.now();
      const offered = plans
        .ids()
        .flatMap((id) => plans.inForce(id, now) ?? [])
        .filter(({ terms }) => terms.active !== false)
        .map((plan) => ({ id: plan.id, display_order: plan.terms.display_order, plan }));
      const { data } = pageOfCatalogue('plans', offered, { pageSize: PLANS_MAX }, ({ plan }) =>
        viewOf(plan, (currency) => packages.freeAmount(currency)?.terms.rate.credits ?? null),
      );
      return { plans: [...data] };
    },
  );
}

/** Credits for one unit of a currency; null where free amounts are not sold for it. */
type RateOf = (currency: string) => string | null;

function viewOf({ id, terms }: PlanVersion, rateOf: RateOf) {
  const { price, interval, name, features = [] } = terms;
  const amount = exact('credits' in price ? price.credits : price.amount);
  const extra = extraToken(terms);
  const rate = 'credits' in price ? '1' : rateOf(price.currency);
  return {
    id,
    name,
    monthly_quota: monthlyTokens(terms),
    monthly_price: fractionAsNumber(multiply(amount, { n: A_YEAR[interval], d: A_YEAR.month })),
    extra_token_price: extra === null || rate === null ? null : fractionAsNumber(divide(extra, exact(rate))),
    features: [...features],
  };
}

const A_YEAR = { day: 365n, week: 52n, month: 12n, year: 1n } as const;

/** Null where one of its lines in tokens is without limit. */
function monthlyTokens(terms: PlanTerms): number | null {
  let aYear = 0n;
  for (const { unit, amount, per } of compiledTerms(terms).included) {
    if (unit !== 'tokens') continue;
    if (amount === null) return null;
    aYear += amount * A_YEAR[spanOf(per, terms)];
  }
  return asNumber(aYear / A_YEAR.month);
}

const spanOf = (per: Window, { interval }: PlanTerms) => (per === 'period' ? interval : per);

/** Credits of a token beyond what is included, of any model: the dearest kind. Null where price books say it, or none is sold. */
function extraToken(terms: PlanTerms): Rational | null {
  if (terms.overage === 'refuse') return null;
  let dearest: Rational | null = null;
  for (const dimension of TOKEN_DIMENSIONS) {
    const price = terms.overage_prices?.[ANY_MODEL]?.[dimension];
    if (price === undefined) continue;
    const each = divide(exact(price.credits), { n: BigInt(price.per), d: 1n });
    if (dearest === null || each.n * dearest.d > dearest.n * each.d) dearest = each;
  }
  return dearest === null ? null : multiply(dearest, compiledTerms(terms).overageMultiplier);
}

function exact(decimal: string): Rational {
  const value = readRational(decimal);
  if (value === undefined) throw new Error(`${decimal} was published as a price`);
  return value;
}
