import { test } from 'tap';
import {
  webhookEndpointDecider as decider,
  type WebhookEndpointChange,
  type WebhookEndpointCommand,
  type WebhookEndpointEvent,
} from './webhook-endpoint.ts';

const NO_KEY = { key: null, fingerprint: null };
const TERMS = {
  id: 'e1',
  url: 'https://example.com/hook',
  events: ['TopUp'],
  scope: 'owner',
  account: null,
} as const;
const create: WebhookEndpointCommand = { type: 'CreateWebhookEndpoint', terms: TERMS, ...NO_KEY };
const change = (change: WebhookEndpointChange): WebhookEndpointCommand => ({
  type: 'ChangeWebhookEndpoint',
  change,
  ...NO_KEY,
});
const rotate: WebhookEndpointCommand = { type: 'RotateWebhookSecret', previousExpiresAt: 0, ...NO_KEY };
const remove: WebhookEndpointCommand = { type: 'DeleteWebhookEndpoint', ...NO_KEY };

/** What each command came to; the state goes through a snapshot before every one. */
function run(...commands: readonly WebhookEndpointCommand[]) {
  let state = decider.initial('e1');
  const events: WebhookEndpointEvent[] = [];
  const came = commands.map((command) => {
    state = decider.thaw('e1', decider.freeze(decider.fork(state)));
    const decision = decider.decide(state, command, {
      now: 0,
      catalogue: null,
      catalogueIsFresh: true,
      facts: new Map(),
    });
    if (decision.kind === 'accepted') {
      for (const event of decision.events) {
        decider.evolve(state, event, events.length);
        events.push(event);
      }
    }
    return decision.kind === 'refused' ? decision.refusal.code : decision.kind;
  });
  return { came, events, state };
}

test('an endpoint is made once, and what is not there cannot be changed', async (t) => {
  const { came, state } = run(change({ scope: 'finance' }), rotate, remove, create, create);
  const missing = 'webhook_endpoint_not_found';
  t.same(came, [missing, missing, missing, 'accepted', 'webhook_endpoint_exists']);
  t.match(state, { ...TERMS, status: 'open', paused: null });
});

test('a change says only what becomes different, and nothing where nothing does', async (t) => {
  const { came, events, state } = run(
    create,
    change({ url: TERMS.url, events: ['TopUp'], scope: 'finance' }),
    change({ scope: 'finance' }),
    change({ events: ['TopUp', 'Expired'] }),
    change({}),
  );
  t.same(came, ['accepted', 'accepted', 'unchanged', 'accepted', 'unchanged']);
  t.same(
    events.slice(1).map(({ data }) => data),
    [{ scope: 'finance' }, { events: ['TopUp', 'Expired'] }],
  );
  t.match(state, { scope: 'finance', events: ['TopUp', 'Expired'], url: TERMS.url });
});

test('the first reason for a pause stands until it is lifted', async (t) => {
  const { came, state } = run(
    create,
    change({ paused: 'gone' }),
    change({ paused: 'by_hand' }),
    change({ paused: null }),
    change({ paused: null }),
    change({ paused: 'by_hand' }),
  );
  t.same(came, ['accepted', 'accepted', 'unchanged', 'accepted', 'unchanged', 'accepted']);
  t.equal(state.paused, 'by_hand');
});

test('deleting is for good, and deleting again changes nothing', async (t) => {
  const { came, state } = run(create, remove, remove, change({ scope: 'finance' }), rotate, create);
  const missing = 'webhook_endpoint_not_found';
  t.same(came, ['accepted', 'accepted', 'unchanged', missing, missing, 'webhook_endpoint_exists']);
  t.equal(state.status, 'deleted');
});

test('a rotation is told without a secret', async (t) => {
  const { events } = run(create, rotate);
  t.same(events[1], {
    type: 'WebhookSecretRotated',
    key: null,
    data: { previous_expires_at: '1970-01-01T00:00:00.000Z' },
    facts: {},
  });
});

test('an event of a type that is not known stops the stream', async (t) => {
  const unknown = { type: 'WebhookEndpointPolished', key: null, data: {}, facts: {} };
  t.throws(() => decider.evolve(decider.initial('e1'), unknown as never, 0), /WebhookEndpointPolished/);
});
