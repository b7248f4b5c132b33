import { chainStart, type RecordedEvent } from '@tallystick/event-store';
import { Webhook } from 'standardwebhooks';
import { test } from 'tap';
import { letterOf, messageOf, testMessage } from './message.ts';

const NOW = Date.now();
const [OLD, NEW] = ['c2VjcmV0IG9uZQ==', 'c2VjcmV0IHR3bw=='].map((text) => `whsec_${text}`) as [
  string,
  string,
];

const recorded: RecordedEvent = {
  id: '00000000-0000-4000-8000-000000000000',
  stream: 'wallet-acme.eu',
  revision: 17,
  position: 4711n,
  type: 'UsageCharged',
  key: 'usage::u1',
  data: JSON.stringify({
    v: 1,
    recorded_at: '2026-03-01T12:00:00.000Z',
    usage_id: 'u1',
    credits: '12.5',
    position: 'a name of its own',
    after: { available: '1', held: '0' },
  }),
  meta: `{"v":1,"key":"usage::u1","fp":"x","actor":"k","request":"r","left":0,"salt":"s","facts":{"cost":{"amount":"0.1","currency":"USD"}},"hash":"${chainStart('x')}"}`,
};
const position = (store: bigint): string => `p${store}`;
const seenBy = (scope: 'owner' | 'finance') => messageOf(recorded, { id: 'whe_1', scope }, position);

test('an event is told with its place, and nothing it says of itself passes for that', async (t) => {
  t.same(JSON.parse(seenBy('owner').body), {
    type: 'UsageCharged',
    timestamp: '2026-03-01T12:00:00.000Z',
    data: {
      account: 'acme.eu',
      entry_id: 'wallet-acme.eu:17',
      revision: 17,
      position: 'p4711',
      usage_id: 'u1',
      credits: '12.5',
      after: { available: '1', held: '0' },
    },
  });
});

test('an owner is told nothing in a currency; finance is (P8)', async (t) => {
  t.notMatch(seenBy('owner').body, /facts|cost|USD|salt/);
  t.same(JSON.parse(seenBy('finance').body).data.facts, { cost: { amount: '0.1', currency: 'USD' } });
  t.notMatch(seenBy('finance').body, /salt|"actor"|"fp"/);
});

test('a message is the same to the byte each time it is made, and its id has no full stop', async (t) => {
  t.same(seenBy('owner'), seenBy('owner'));
  t.equal(seenBy('owner').id, 'whe_1:wallet-acme%2Eeu:17');
  t.not(seenBy('owner').id, messageOf(recorded, { id: 'whe_2', scope: 'owner' }, position).id);
});

test('while one secret follows on another, whoever has either verifies', async (t) => {
  const { body, headers } = letterOf('https://example.com/', seenBy('owner'), [NEW, OLD], NOW);
  t.equal(headers['webhook-signature']?.split(' ').length, 2);
  for (const secret of [NEW, OLD])
    t.match(new Webhook(secret).verify(body, headers), { type: 'UsageCharged' });
  t.throws(() => new Webhook('whsec_b3RoZXI=').verify(body, headers), /No matching signature/);
});

test('what was changed on the way, or is old, does not verify', async (t) => {
  const { body, headers } = letterOf('https://example.com/', seenBy('owner'), [NEW], NOW);
  const verify = (text: string, more: object) => () => new Webhook(NEW).verify(text, { ...headers, ...more });
  t.throws(verify(body.replace('12.5', '99.5'), {}), /No matching signature/);
  t.throws(verify(body, { 'webhook-id': 'whe_1:wallet-acme:18' }), /No matching signature/);
  t.throws(verify(body, { 'webhook-timestamp': String(Math.floor(NOW / 1_000) + 1) }), /No matching/);
  const old = letterOf('https://example.com/', seenBy('owner'), [NEW], NOW - 10 * 60_000);
  t.throws(() => new Webhook(NEW).verify(old.body, old.headers), /too old/);
});

test('a test is no event, and the same each time it is sent', async (t) => {
  const message = testMessage('whe_1', 'whd_5', 0);
  t.same(message, testMessage('whe_1', 'whd_5', 0));
  t.same(JSON.parse(message.body), {
    type: 'test',
    timestamp: '1970-01-01T00:00:00.000Z',
    data: { endpoint: 'whe_1', delivery: 'whd_5' },
  });
});
