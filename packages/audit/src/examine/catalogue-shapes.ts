/** What events of catalogues and of the ledger's own streams must carry. */
import {
  type Carried,
  flag,
  having,
  listOf,
  nullable,
  oneOf,
  optional,
  telling,
  text,
  time,
  whole,
} from './fits.ts';

const terms = having({});
const USE = { account: text, purchase: text };

export const CATALOGUES: readonly (readonly [type: string, carried: Carried])[] = [
  ['PlanPublished', telling({ id: text, version: whole, effective_from: time, terms })],
  ['PackagePublished', telling({ id: text, version: whole, terms })],
  ['CouponPublished', telling({ code: text, version: whole, terms })],
  ['CouponUseReserved', telling({ ...USE, version: whole, expires_at: time })],
  ['CouponUseConfirmed', telling({ ...USE, over_limit: flag })],
  ['CouponUseReleased', telling({ ...USE, because: oneOf('canceled', 'timed_out'), effective_at: time })],
  ['CouponUseReturned', telling(USE)],
  ['TestClockAdvanceBegun', telling({ to: time })],
  ['TestClockMoved', telling({ to: time, offset_ms: whole })],
  ['TestClockAdvanceEnded', telling({ to: time })],
  [
    'WebhookEndpointCreated',
    telling({
      id: text,
      url: text,
      events: listOf(text),
      scope: oneOf('owner', 'finance'),
      account: nullable(text),
    }),
  ],
  [
    'WebhookEndpointChanged',
    telling({ url: optional(text), events: optional(listOf(text)), scope: optional(text) }),
  ],
  ['WebhookSecretRotated', telling({ previous_expires_at: time })],
  ['WebhookEndpointDeleted', telling({ id: text })],
];
