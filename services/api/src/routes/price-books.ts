/** Price books: published whole, versioned, never changed. For finance: they tell what suppliers cost. */
import {
  compileBook,
  DIMENSIONS,
  type PriceBookContent,
  type PriceBookVersion,
  priceBookDecider,
} from '@tallystick/domain';
import { type Static, Type } from 'typebox';
import type { Api, App } from '../api.ts';
import { firstOrAgain, order } from '../orders.ts';
import { type Faults, instantOf, isStorable, settle } from '../parse.ts';
import { refuse } from '../problems.ts';
import { Amount, closed, found, Id, Instant, MODEL_PATTERN, MoneyBody, recorded, Text } from '../schemas.ts';

const Cost = { cost: MoneyBody, markup: Amount, demand_factor: Type.Optional(Amount) };
const Price = Type.Union([
  closed({ credits: Amount, per: Type.Number() }),
  closed({ ...Cost, per: Type.Number() }),
  closed({
    steps: Type.Array(
      Type.Union([
        closed({ credits: Amount, up_to: Type.Number() }),
        closed({ ...Cost, up_to: Type.Number() }),
      ]),
      { maxItems: 100 },
    ),
  }),
]);
const dimensions = Object.keys(DIMENSIONS) as (keyof typeof DIMENSIONS)[];
const Prices = closed(
  Object.fromEntries(dimensions.map((name) => [name, Type.Optional(Price)])) as Record<
    (typeof dimensions)[number],
    ReturnType<typeof optionalPrice>
  >,
);
function optionalPrice() {
  return Type.Optional(Price);
}
const Content = {
  credit_value: Type.Optional(MoneyBody),
  models: Type.Record(
    Type.String(),
    closed({ supplier: Type.Optional(Text), round_to: Type.Optional(Amount), prices: Prices }),
  ),
};
const PutBody = closed({ effective_from: Type.Optional(Instant), ...Content });
const PutAnswer = Type.Object({
  name: Type.String(),
  version: Type.Integer(),
  effective_from: Type.String(),
});
const GetAnswer = Type.Object({
  ...PutAnswer.properties,
  credit_value: Type.Optional(MoneyBody),
  models: Type.Record(Type.String(), Type.Unknown()),
});
const BookPath = closed({ name: Id });

export function priceBooksRoutes(app: App, api: Api): void {
  const finance = { access: { scopes: ['finance'] } } as const;
  const tags = ['prices'];

  app.put(
    '/v1/price-books/:name',
    {
      config: finance,
      schema: {
        tags,
        summary: 'Publish a version of a price book',
        params: BookPath,
        body: PutBody,
        response: recorded(PutAnswer),
      },
    },
    async (request, reply) => {
      const { name } = request.params;
      const { content, effectiveFrom } = readBook(request.body);
      const command = {
        type: 'PublishPriceBook',
        key: null,
        fingerprint: null,
        content,
        effectiveFrom,
      } as const;
      const done = await order(api, request, priceBookDecider, name, command);
      firstOrAgain(reply, { replayed: done.status === 'unchanged' });
      if (done.status === 'unchanged') {
        const { version, effectiveFrom: since } = done.state;
        return { name, version, effective_from: since ?? '' };
      }
      // In force here at once; in other processes within the second.
      await api.catalogue.fresh().catch(() => undefined);
      const { version, effective_from } = done.event.data;
      return { name, version, effective_from };
    },
  );

  app.get(
    '/v1/price-books/:name',
    {
      config: finance,
      schema: {
        tags,
        summary: 'Read a version of a price book',
        params: BookPath,
        querystring: closed({ version: Type.Optional(Type.Integer({ minimum: 1 })) }),
        response: found(GetAnswer),
      },
    },
    async ({ params: { name }, query: { version } }) => {
      // To the head: it may have been published by another process a moment ago.
      const { books } = await api.catalogue.fresh();
      const book = version === undefined ? books.latest(name) : books.version(name, version);
      return book === undefined ? refuse('price_book_not_found') : viewOf(book);
    },
  );
}

const MODEL = new RegExp(MODEL_PATTERN);
/** It is a part of an index: with a model and the rest of a row it must stay within what Postgres indexes. */
const SUPPLIER_MAX = 128;

function readBook(body: Static<typeof PutBody>): { content: PriceBookContent; effectiveFrom: number | null } {
  const faults: Faults = [];
  const effectiveFrom = instantOf(body.effective_from, 'effective_from', faults);
  if (Object.keys(body.models).length === 0) {
    faults.push({ field: 'models', rule: 'must name at least one model' });
  }
  for (const [model, { supplier, prices }] of Object.entries(body.models)) {
    if (Object.keys(prices).length === 0) {
      faults.push({ field: `models.${model}.prices`, rule: 'must have at least one price' });
    }
    if (!MODEL.test(model) || !isStorable(model)) {
      faults.push({ field: 'models', rule: 'must be named by 1 to 256 printable characters' });
    }
    if (supplier !== undefined && (supplier.length > SUPPLIER_MAX || !isStorable(supplier))) {
      faults.push({
        field: `models.${model}.supplier`,
        rule: `must have at most ${SUPPLIER_MAX} characters, no NUL and no half of a surrogate pair`,
      });
    }
  }
  const { effective_from: _, ...rest } = body;
  const content = rest as PriceBookContent;
  const compiled = compileBook(content);
  if (!compiled.ok) faults.push(compiled.fault);
  settle(faults);
  return { content, effectiveFrom };
}

function viewOf({ name, version, effectiveFrom, content }: PriceBookVersion): Static<typeof GetAnswer> {
  return {
    name,
    version,
    effective_from: new Date(effectiveFrom).toISOString(),
    ...(content.credit_value === undefined ? {} : { credit_value: content.credit_value }),
    models: content.models,
  };
}
