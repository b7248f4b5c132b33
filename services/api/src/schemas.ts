/**
 * Shapes of requests and answers. They drive validation, serialisation and the OpenAPI document, so the three cannot
 * disagree. Answers hold only what their schema names: that is how nothing in a currency gets out to an owner (P8).
 */

import { POSITION_PATTERN } from '@tallystick/connect';
import { DIMENSIONS, ID_PATTERN } from '@tallystick/domain';
import { type TObject, type TProperties, type TSchema, Type } from 'typebox';

export const Id = Type.String({
  pattern: ID_PATTERN,
  description: 'Letters, digits and `._@+-`, up to 128; case-sensitive.',
});
/** Models may hold any printable characters (rule 18). */
export const MODEL_PATTERN = '^[^\\u0000-\\u001f\\u007f]{1,256}$';
export const Model = Type.String({
  pattern: MODEL_PATTERN,
  description: '1 to 256 printable characters, as the caller writes them.',
});
export const Amount = Type.String({
  minLength: 1,
  maxLength: 64,
  description: 'A decimal string without exponent.',
});
export const CURRENCY_PATTERN = '^[A-Z]{3}$';
export const Currency = Type.String({
  pattern: CURRENCY_PATTERN,
  description: 'Three capital letters, as `USD`.',
});
export const MoneyBody = closed({ amount: Amount, currency: Currency });
export const Instant = Type.String({ maxLength: 40, description: 'RFC 3339 with its zone.' });
export const Text = Type.String({ minLength: 1, maxLength: 1_000, description: 'In your words.' });
export const Metadata = Type.Object(
  {},
  { additionalProperties: true, description: 'Yours; the ledger does not read it.' },
);
export const Priority = Type.Integer({
  minimum: 0,
  maximum: 1_000_000,
  description: 'Lots of a lower number burn first. Left out: 100.',
});

/** An object that refuses members it does not know: a misspelt field must not be ignored where money is meant. */
export function closed<P extends TProperties>(properties: P, options: object = {}): TObject<P> {
  return Type.Object(properties, { ...options, additionalProperties: false });
}

const dimensions = Object.fromEntries(
  Object.entries(DIMENSIONS).map(([name, kind]) => [
    name,
    Type.Optional(
      Type.Number(kind === 'whole' ? { description: 'Whole.' } : { description: 'Up to 3 decimals.' }),
    ),
  ]),
) as { [D in keyof typeof DIMENSIONS]: ReturnType<typeof optionalNumber> };

function optionalNumber() {
  return Type.Optional(Type.Number());
}

export const UsageBody = closed(dimensions, {
  minProperties: 1,
  description: 'Disjoint counts by dimension.',
});

// Requests: parts of paths and queries.
export const AccountPath = closed({ id: Id });
export const PageQuery = {
  cursor: Type.Optional(
    Type.String({
      maxLength: 1_000,
      description: '`next_cursor` of the page before; with the same filters.',
    }),
  ),
  page_size: Type.Optional(Type.Integer({ minimum: 1, maximum: 500, description: 'Left out: 50.' })),
};
export const MinPosition = {
  min_position: Type.Optional(
    Type.String({
      pattern: POSITION_PATTERN,
      description:
        '`position` of an earlier answer: waits up to 250 ms for it, else 503 `projection_behind`.',
    }),
  ),
};

// Answers.
export const Decimal = Type.String({ description: 'A decimal string without exponent or trailing zeros.' });
export const Position = Type.String({ description: 'Digits; grows.' });
export const orNull = <T extends TSchema>(schema: T) => Type.Union([schema, Type.Null()]);
export const Balance = Type.Object({ available: Decimal, held: Decimal });
export const BurnedLot = Type.Object({ lot: Type.String(), credits: Decimal });

export const ProblemBody = Type.Object(
  {
    type: Type.String(),
    title: Type.String(),
    status: Type.Integer(),
    code: Type.String({ description: 'Stable; what to tell problems apart by.' }),
    errors: Type.Optional(Type.Array(Type.Object({ field: Type.String(), rule: Type.String() }))),
    request_id: Type.Optional(Type.String()),
  },
  { additionalProperties: true, description: 'RFC 9457' },
);

const PROBLEM_ANSWER = {
  description: 'A problem; `code` says which.',
  content: { 'application/problem+json': { schema: ProblemBody } },
};
export const problems = { '4xx': PROBLEM_ANSWER, '5xx': PROBLEM_ANSWER } as const;

export const pageOf = <T extends TSchema>(item: T) =>
  Type.Object({ data: Type.Array(item), next_cursor: orNull(Type.String()) });

/** Answer schemas of a command: first time, and again. */
export const recorded = <T extends TSchema>(schema: T) =>
  ({ 201: schema, 200: schema, ...problems }) as const;
export const found = <T extends TSchema>(schema: T) => ({ 200: schema, ...problems }) as const;
/** As `found`, for views that come from queries: held against the schema by the serialiser and by tests, not by types. */
export const shown = (schema: TSchema): Readonly<Record<string, unknown>> => found(schema);

const text = orNull(Type.String());
/** What a statement's line and an entry say alike. */
export const EntryLine = {
  type: Type.String(),
  recorded_at: Type.String(),
  credits: orNull(Decimal),
  change: Balance,
  after: Balance,
  usage_id: text,
  model: text,
  hold: text,
  source: text,
  reference: text,
  reason: text,
  reversed_by: text,
  reverses: text,
};

const Exact = Type.String({
  description: 'A decimal, or a fraction `22/3` where the decimal would not end.',
});
/** How a price comes about, in credits only: lines, and the one rounding of their sum. */
export const PriceFormula = {
  lines: Type.Array(
    Type.Object({
      dimension: Type.String(),
      quantity: Type.Number(),
      price: Type.Object({
        credits: Exact,
        per: Type.Optional(Type.Number()),
        up_to: Type.Optional(Type.Number({ description: 'The step of lengths that applies.' })),
      }),
      credits_exact: Exact,
    }),
  ),
  rounding: Type.Object({ exact: Exact, round_to: Decimal, rule: Type.Literal('up') }),
};
