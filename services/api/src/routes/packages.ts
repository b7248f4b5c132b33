/** What can be bought: packages of credits, and free amounts at a rate. Everybody with a key may read what is offered. */
import {
  canonicalDecimal,
  canonicalMoney,
  checkPackage,
  type PackageTerms,
  type PackageVersion,
  packageDecider,
} from '@tallystick/domain';
import { type Static, Type } from 'typebox';
import type { Api, App } from '../api.ts';
import { isAdmin } from '../auth.ts';
import { pageOfCatalogue } from '../catalogue-page.ts';
import { firstOrAgain, order } from '../orders.ts';
import { type Faults, metadataOf, settle } from '../parse.ts';
import { refuse } from '../problems.ts';
import { Amount, Currency, closed, Id, MoneyBody, PageQuery, pageOf, recorded, shown } from '../schemas.ts';

const Terms = {
  name: Type.Optional(Type.String({ minLength: 1, maxLength: 200, description: 'For customers.' })),
  description: Type.Optional(Type.String({ maxLength: 1_000, description: 'For customers.' })),
  display_order: Type.Optional(
    Type.Integer({ description: 'Lists are in this order, then in that of ids.' }),
  ),
  active: Type.Optional(Type.Boolean({ description: 'False: it is no longer sold. Left out: true.' })),
  credits: Type.Optional({ ...Amount, description: 'What is bought, in credits. Not with `rate`.' }),
  bonus: Type.Optional({ ...Amount, description: 'Credits on top, in the same lot. With `credits` only.' }),
  prices: Type.Optional(Type.Array(MoneyBody, { maxItems: 50, description: 'One per currency.' })),
  rate: Type.Optional(
    closed(
      { credits: Amount, currency: Currency },
      { description: 'Of a free amount: credits for one unit of the currency.' },
    ),
  ),
  volume_bonus: Type.Optional(
    Type.Array(closed({ from: Amount, percent: Amount }), {
      maxItems: 20,
      description: 'From an amount in the currency of `rate` on, so many percent more on all that is paid.',
    }),
  ),
};
const PutBody = closed(
  {
    ...Terms,
    price: Type.Optional({
      ...MoneyBody,
      description: 'Of a package that is sold in one currency: for `prices`.',
    }),
  },
  {
    description:
      'Either `credits` with `prices` (or one `price`), or `rate`: so many credits for whatever amount is paid.',
  },
);
const Published = { id: Type.String(), version: Type.Integer() };
const Package = Type.Object({ ...Published, ...Terms });
const PackagePath = closed({ id: Id });
const everybody = { access: { scopes: ['usage', 'read', 'finance'], ownAccount: 'checked' } } as const;
const tags = ['packages'];

export function packagesRoutes(app: App, api: Api): void {
  app.put(
    '/v1/packages/:id',
    {
      config: { access: { scopes: ['admin'] } },
      schema: {
        tags,
        summary: 'Publish a version of a package, or of the rate of free amounts',
        params: PackagePath,
        body: PutBody,
        response: recorded(Type.Object(Published)),
      },
    },
    async (request, reply) => {
      const { id } = request.params;
      const terms = readPackage(request.body);
      const command = { type: 'PublishPackage', key: null, fingerprint: null, terms } as const;
      const done = await order(api, request, packageDecider, id, command);
      firstOrAgain(reply, { replayed: done.status === 'unchanged' });
      if (done.status === 'unchanged') return { id, version: done.state.version };
      await api.catalogue.fresh().catch(() => undefined);
      return { id, version: done.event.data.version };
    },
  );

  app.get(
    '/v1/packages',
    {
      config: everybody,
      schema: {
        tags,
        summary: 'List what can be bought',
        querystring: closed({
          ...PageQuery,
          all: Type.Optional(Type.Boolean({ description: 'Inactive ones too: for admins.' })),
        }),
        response: shown(pageOf(Package)),
      },
    },
    async ({ query: { cursor, page_size: pageSize, all = false }, principal }) => {
      if (all && !isAdmin(principal)) refuse('forbidden', { required_scopes: ['admin'] });
      const { packages } = api.catalogue.current();
      const offered = packages
        .ids()
        .flatMap((id) => packages.latest(id) ?? [])
        .filter(({ terms }) => all || terms.active !== false)
        .map((version) => ({ id: version.id, display_order: version.terms.display_order, version }));
      return pageOfCatalogue('packages', offered, { cursor, pageSize }, ({ version }) => viewOf(version));
    },
  );

  app.get(
    '/v1/packages/:id',
    {
      config: everybody,
      schema: {
        tags,
        summary: 'Read a package as it is, or a version of it',
        params: PackagePath,
        querystring: closed({ version: Type.Optional(Type.Integer({ minimum: 1 })) }),
        response: shown(Package),
      },
    },
    async ({ params: { id }, query: { version } }) => {
      const { packages } = await api.catalogue.fresh();
      const found = version === undefined ? packages.latest(id) : packages.version(id, version);
      return found === undefined ? refuse('package_not_found', { package: id }) : viewOf(found);
    },
  );
}

const BODY_BYTES_MAX = 60_000;

function readPackage(body: Static<typeof PutBody>): PackageTerms {
  const faults: Faults = [];
  metadataOf(body, 'body', BODY_BYTES_MAX, faults);
  if ((body.credits === undefined) === (body.rate === undefined))
    faults.push({ field: 'body', rule: 'must have either credits or a rate' });
  const { price, credits, bonus, prices, rate, volume_bonus, ...shared } = body;
  const stray = (names: Record<string, unknown>, rule: string): void => {
    for (const [field, value] of Object.entries(names)) if (value !== undefined) faults.push({ field, rule });
  };
  if (rate !== undefined) stray({ bonus, price, prices }, 'is of packages with credits only');
  else stray({ volume_bonus }, 'is of free amounts with a rate only');
  if (rate === undefined && (price === undefined) === (prices === undefined))
    faults.push({ field: 'prices', rule: 'must be given, or one price' });
  settle(faults);
  const terms: PackageTerms =
    rate === undefined
      ? {
          ...shared,
          credits: canonicalDecimal(credits ?? ''),
          ...(bonus === undefined ? {} : { bonus: canonicalDecimal(bonus) }),
          prices: (prices ?? [price].filter((one) => one !== undefined)).map(canonicalMoney),
        }
      : {
          ...shared,
          rate: { credits: canonicalDecimal(rate.credits), currency: rate.currency },
          ...(volume_bonus === undefined ? {} : { volume_bonus: volume_bonus.map(canonicalStep) }),
        };
  const fault = checkPackage(terms);
  if (fault !== null) settle([fault]);
  return terms;
}

function canonicalStep({ from, percent }: { readonly from: string; readonly percent: string }) {
  return { from: canonicalDecimal(from), percent: canonicalDecimal(percent) };
}

function viewOf({ id, version, terms }: PackageVersion): object {
  return { id, version, ...terms };
}
