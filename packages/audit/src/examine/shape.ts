/**
 * What an event of each type must carry to be accounted for: the same promise as the domain's (`wallet/events.ts`), read
 * from the stored text. Members that only some events of a type have are optional here; others may be added.
 */
import type { AuditedEvent } from '../event.ts';
import { BOUGHT } from './bought-shapes.ts';
import { CATALOGUES } from './catalogue-shapes.ts';
import {
  amount,
  type Carried,
  COVERED,
  carrying,
  having,
  listOf,
  type Members,
  money,
  moving,
  nullable,
  optional,
  postings,
  price,
  quantities,
  telling,
  text,
  time,
  version,
  whole,
} from './fits.ts';

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
  ...COVERED,
};

const CARRIED: ReadonlyMap<string, Carried> = new Map([
  ...BOUGHT,
  ...CATALOGUES,
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
      { ...USAGE, ...COVERED, credits: amount, price_book: version, violations: optional(listOf(text)) },
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
