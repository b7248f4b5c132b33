/** Shapes of what the API says of webhooks. */
import { WEBHOOK_SCOPES } from '@tallystick/domain';
import { DELIVERY_STATUSES, OFFERED_TYPES } from '@tallystick/webhooks';
import { Type } from 'typebox';
import { orNull, Position } from './schemas.ts';

export const Url = Type.String({
  minLength: 1,
  maxLength: 2_000,
  description: 'https, to a public address.',
});
export const Events = Type.Array(Type.String({ maxLength: 64 }), {
  minItems: 1,
  maxItems: 100,
  description: `Types of events, or ["*"]: ${OFFERED_TYPES.join(', ')}.`,
});
export const Scope = Type.Enum([...WEBHOOK_SCOPES], {
  description: '`owner`: what the owner of an account may see; `finance`: costs and money as well.',
});

const text = orNull(Type.String());
const EndpointFields = {
  id: Type.String(),
  url: Type.String(),
  events: Type.Array(Type.String()),
  scope: Type.String(),
  account: orNull(Type.String({ description: 'Of which it is told; null: of all.' })),
  active: Type.Boolean({ description: 'False: nothing is queued, and what is queued waits.' }),
  paused: orNull(Type.String({ description: '`by_hand`, or `gone`: the receiver has answered 410.' })),
  created_at: Type.String(),
  failures: Type.Integer({ description: 'Attempts in a row that have failed.' }),
  resting_until: orNull(
    Type.String({ description: 'After ten failures in a row nothing is sent until then.' }),
  ),
};
export const Endpoint = Type.Object(EndpointFields);
const SECRET = Type.String({ description: '`whsec_…`. Shown this once.' });
export const CreatedEndpoint = Type.Object({ ...EndpointFields, secret: SECRET });
export const Rotated = Type.Object({
  secret: SECRET,
  previous_expires_at: Type.String({ description: 'Until then both sign.' }),
});
const AttemptFields = {
  at: Type.String(),
  status: orNull(Type.Integer({ description: 'Of HTTP; null: nothing came back.' })),
  fault: orNull(Type.String({ description: 'Why nothing came back.' })),
  response: orNull(Type.String({ description: 'How the answer begins.' })),
  took_ms: Type.Integer(),
};
export const Tried = Type.Object({ delivery: Type.String(), delivered: Type.Boolean(), ...AttemptFields });
const DeliveryFields = {
  id: Type.String(),
  endpoint: Type.String(),
  type: Type.String(),
  account: text,
  entry_id: text,
  position: orNull(Position),
  status: Type.Enum([...DELIVERY_STATUSES]),
  attempts: Type.Integer(),
  replays: Type.Integer({ description: 'How often somebody has asked for it again.' }),
  next_attempt_at: orNull(Type.String({ description: 'Null: there will be none.' })),
  created_at: Type.String(),
  finished_at: text,
  log: Type.Array(Type.Object(AttemptFields)),
};
export const Delivery = Type.Object(DeliveryFields);
const QUEUED = { description: 'Queued; the worker sends it.' };
export const Replay = Type.Object(
  { id: Type.String(), endpoint: Type.String(), from: Position, until: Position },
  QUEUED,
);

export const QueuedDelivery = Type.Object(DeliveryFields, QUEUED);
