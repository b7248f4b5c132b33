/**
 * What an event of each type must carry to be accounted for: the same promise as the domain's (`wallet/events.ts`), read
 * from the stored text. Members that only some events of a type have are optional here; others may be added.
 */
import type { AuditedEvent } from '../event.ts';

type Fits = (value: unknown) => boolean;
type Members = Readonly<Record<string, Fits>>;

const text: Fits = (value) => typeof value === 'string';
const whole: Fits = (value) => Number.isSafeInteger(value);
const quantity: Fits = (value) => typeof value === 'number' && Number.isFinite(value) && value >= 0;
const amount: Fits = (value) => typeof value === 'string' && /^-?\d+(\.\d{1,9})?$/.test(value);
const exact: Fits = (value) => typeof value === 'string' && /^\d+(\.\d+)?(\/0*[1-9]\d*)?$/.test(value);
const step: Fits = (value) => amount(value) && Number(value) > 0;
const time: Fits = (value) => typeof value === 'string' && !Number.isNaN(Date.parse(value));
const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const optional =
  (fits: Fits): Fits =>
  (value) =>
    value === undefined || fits(value);
const nullable =
  (fits: Fits): Fits =>
  (value) =>
    value === null || fits(value);
const listOf =
  (fits: Fits): Fits =>
  (value) =>
    Array.isArray(value) && value.every(fits);
const having = (members: Members): Fits => {
  const listed = Object.entries(members);
  return (value) => isRecord(value) && listed.every(([name, fits]) => fits(value[name]));
};
const quantities: Fits = (value) => isRecord(value) && Object.values(value).every(quantity);

const money = having({ amount, currency: text });
const postings = listOf(having({ account: text, unit: text, amount }));
const version = having({ name: text, version: whole });
const marks = { unit: text, quantity: amount, expires_at: nullable(time) };
const lots = listOf(having({ lot: text, ...marks }));
const published = having({
  credits: optional(amount),
  cost: optional(money),
  markup: optional(amount),
  demand_factor: optional(amount),
  per: optional(quantity),
  up_to: optional(quantity),
});
const line = having({ dimension: text, quantity, exact, price: published });
const price = having({ exact, round_to: step, lines: listOf(line) });

const ENVELOPE: Members = { v: whole, recorded_at: time };

/** Listed once: every event of the ledger is asked. */
interface Carried {
  readonly data: readonly (readonly [name: string, fits: Fits])[];
  readonly facts: readonly (readonly [name: string, fits: Fits])[];
}

const carrying = (data: Members, facts: Members): Carried => ({
  data: Object.entries({ ...ENVELOPE, ...data }),
  facts: Object.entries(facts),
});
const telling = (data: Members): Carried => carrying(data, {});
/** An event that may move value. */
const moving = (data: Members, facts: Members = {}): Carried =>
  carrying(
    {
      ...data,
      lots: optional(lots),
      moves: listOf(having({ lot: optional(text), from: text, to: text, credits: amount })),
      entry: postings,
      after: having({ available: amount, held: amount }),
    },
    {
      entry: postings,
      paid: listOf(amount),
      lots: optional((value) => isRecord(value) && Object.values(value).every(money)),
      ...facts,
    },
  );

const USAGE: Members = {
  usage_id: text,
  source: text,
  model: text,
  usage: quantities,
  hold: optional(text),
  occurred_at: time,
};
const HOLD: Members = {
  hold: text,
  model: text,
  estimate: quantities,
  credits: amount,
  expires_at: time,
  price_book: version,
};

const CARRIED: ReadonlyMap<string, Carried> = new Map([
  ['AccountOpened', telling({ account: text })],
  ['AccountFrozen', telling({ reason: text, reference: text })],
  ['AccountUnfrozen', telling({ reference: text })],
  ['HoldClosed', telling({ hold: text, by: text })],
  ['TopUp', moving({ lot: text, credits: amount, source: text, reference: text })],
  ['CreditsGranted', moving({ lot: text, credits: amount, kind: text, reference: text })],
  ['CreditsAdjusted', moving({ credits: amount, reason: text, reference: text })],
  [
    'UsageCharged',
    moving(
      { ...USAGE, credits: amount, price_book: version },
      { price, supplier: nullable(text), cost: nullable(money) },
    ),
  ],
  ['UsageUnpriced', moving({ ...USAGE, reason: text }, { cost: nullable(money) })],
  ['HoldPlaced', moving(HOLD, { price })],
  ['HoldExtended', moving(HOLD, { price: optional(price) })],
  ['HoldVoided', moving({ hold: text })],
  ['Expired', moving({ items: listOf(having({ kind: text, id: text })) })],
  ['EntryReversed', moving({ reverses: whole, reversed_type: text, credits: amount, reason: text })],
]);

/** Of events that carry postings though nothing here says so: what has been posted must be readable. */
const OTHER = carrying({ entry: optional(postings) }, { entry: optional(postings) });
const META: Carried['data'] = [['v', whole]];

/** Names of the members that are missing, or are not what they must be. */
export function lackingIn({ type, data, meta, facts }: AuditedEvent): readonly string[] {
  const carried = CARRIED.get(type) ?? OTHER;
  return [
    ...lacking(data, carried.data, ''),
    ...lacking(meta, META, 'meta.'),
    ...lacking(facts, carried.facts, 'facts.'),
  ];
}

const lacking = (
  value: Readonly<Record<string, unknown>>,
  members: Carried['data'],
  prefix: string,
): readonly string[] =>
  members.filter(([name, fits]) => !fits(value[name])).map(([name]) => `${prefix}${name}`);
