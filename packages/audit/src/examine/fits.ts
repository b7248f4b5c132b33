/** What a member of a stored event may be, member by member: shapes to be put together. */
export type Fits = (value: unknown) => boolean;
export type Members = Readonly<Record<string, Fits>>;

export const text: Fits = (value) => typeof value === 'string';
export const whole: Fits = (value) => Number.isSafeInteger(value);
export const quantity: Fits = (value) => typeof value === 'number' && Number.isFinite(value) && value >= 0;
export const amount: Fits = (value) => typeof value === 'string' && /^-?\d+(\.\d{1,9})?$/.test(value);
export const exact: Fits = (value) => typeof value === 'string' && /^\d+(\.\d+)?(\/0*[1-9]\d*)?$/.test(value);
export const step: Fits = (value) => amount(value) && Number(value) > 0;
export const time: Fits = (value) => typeof value === 'string' && !Number.isNaN(Date.parse(value));
export const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

export const optional =
  (fits: Fits): Fits =>
  (value) =>
    value === undefined || fits(value);
export const nullable =
  (fits: Fits): Fits =>
  (value) =>
    value === null || fits(value);
export const listOf =
  (fits: Fits): Fits =>
  (value) =>
    Array.isArray(value) && value.every(fits);
export const having = (members: Members): Fits => {
  const listed = Object.entries(members);
  return (value) => isRecord(value) && listed.every(([name, fits]) => fits(value[name]));
};
export const quantities: Fits = (value) => isRecord(value) && Object.values(value).every(quantity);

export const money = having({ amount, currency: text });
export const postings = listOf(having({ account: text, unit: text, amount }));
export const version = having({ name: text, version: whole });
const marks = { unit: text, quantity: amount, expires_at: nullable(time) };
export const lots = listOf(having({ lot: text, ...marks }));
const published = having({
  credits: optional(amount),
  cost: optional(money),
  markup: optional(amount),
  demand_factor: optional(amount),
  per: optional(quantity),
  up_to: optional(quantity),
});
const line = having({ dimension: text, quantity, exact, price: published });
export const price = having({ exact, round_to: step, lines: listOf(line) });

/** A whole number of calls or tokens, as text. */
export const count: Fits = (value) => typeof value === 'string' && /^(0|[1-9]\d*)$/.test(value);
export const flag: Fits = (value) => typeof value === 'boolean';
export const oneOf =
  (...words: readonly string[]): Fits =>
  (value) =>
    typeof value === 'string' && words.includes(value);
export const recordOf =
  (fits: Fits): Fits =>
  (value) =>
    isRecord(value) && Object.values(value).every(fits);

/** Listed once: every event of the ledger is asked. */
export interface Carried {
  readonly data: readonly (readonly [name: string, fits: Fits])[];
  readonly facts: readonly (readonly [name: string, fits: Fits])[];
}

const ENVELOPE: Members = { v: whole, recorded_at: time };

export const carrying = (data: Members, facts: Members): Carried => ({
  data: Object.entries({ ...ENVELOPE, ...data }),
  facts: Object.entries(facts),
});
export const telling = (data: Members): Carried => carrying(data, {});

const quotas = having({
  granted: optional(
    listOf(
      having({
        ...{ quota: text, unit: text, model: text, quantity: count, starts_at: time, expires_at: time },
        counted_dimensions: optional(listOf(text)),
        origin: having({ kind: oneOf('plan', 'expansion') }),
      }),
    ),
  ),
  moves: listOf(having({ quota: text, from: text, to: text, quantity: count })),
});

/** An event that may move value. */
export const moving = (data: Members, facts: Members = {}): Carried =>
  carrying(
    {
      ...data,
      lots: optional(lots),
      moves: listOf(having({ lot: optional(text), from: text, to: text, credits: amount })),
      quotas: optional(quotas),
      entry: postings,
      after: having({ available: amount, held: amount }),
    },
    {
      entry: postings,
      paid: listOf(amount),
      lots: optional(recordOf(money)),
      quotas: optional(having({ paid: listOf(amount), granted: optional(recordOf(money)) })),
      ...facts,
    },
  );

/** Of a usage or a hold: what quotas cover of it, and by whose terms. */
export const COVERED: Members = {
  covered: optional(
    listOf(having({ unit: text, quantity: count, model: text, quota: optional(text), usage: quantities })),
  ),
  plan: optional(having({ id: text, version: whole, open: optional(flag) })),
  caps: optional(listOf(having({ cap: whole, quantity: count, start: optional(time), end: optional(time) }))),
};
