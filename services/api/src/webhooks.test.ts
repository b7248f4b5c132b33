import { answer, startReceiver } from '@tallystick/webhooks/testing';
import { Webhook } from 'standardwebhooks';
import t from 'tap';
import { startTestLedger } from './testing/ledger.ts';

const ledger = await startTestLedger();
t.teardown(() => ledger.stop());
const receiver = await startReceiver();
t.teardown(() => receiver.stop());
const { call, newKey, pool, webhooks } = ledger;
await call('POST', '/v1/accounts', { id: 'acme' });

const TERMS = { url: receiver.url, events: ['*'], scope: 'owner' };
const make = async (terms: object = {}) =>
  (await call('POST', '/v1/webhook-endpoints', { ...TERMS, ...terms })).body;

t.test('an endpoint is made with a secret, which is shown this once', async (t) => {
  const { status, body } = await call('POST', '/v1/webhook-endpoints', { ...TERMS, account: 'acme' });
  t.equal(status, 201);
  const { secret, ...shown } = body;
  t.match(secret, /^whsec_[A-Za-z0-9+/]{43}=$/);
  t.match(shown, {
    id: /^whe_[0-9a-f]{16}$/,
    url: receiver.url,
    events: ['*'],
    scope: 'owner',
    account: 'acme',
    active: true,
    paused: null,
    failures: 0,
    resting_until: null,
  });
  t.same((await call('GET', `/v1/webhook-endpoints/${body.id}`)).body, shown);
  const list = await call('GET', '/v1/webhook-endpoints');
  t.same(list.body.data[0], shown);
  t.notMatch(list.text, 'whsec_');
  const [event] = await ledger.store.readStream(`webhook-${body.id}`, { from: 0, limit: 10 });
  t.notMatch(JSON.stringify({ ...event, position: 0 }), secret.slice(6), 'nor does it stand in an event');
});

t.test('endpoints are listed the newest first, in pages', async (t) => {
  const made = [(await make()).id, (await make()).id, (await make()).id].reverse();
  const first = await call('GET', '/v1/webhook-endpoints?page_size=2');
  const next = await call('GET', `/v1/webhook-endpoints?page_size=2&cursor=${first.body.next_cursor}`);
  const ids = [...first.body.data, ...next.body.data].map(({ id }: { id: string }) => id);
  t.same(ids.slice(0, 3), made);
  t.equal((await call('GET', '/v1/webhook-endpoints?cursor=nonsense')).status, 400);
});

t.test('what an endpoint cannot be is said, field by field', async (t) => {
  const refused: readonly (readonly [terms: object, field: string, rule: RegExp])[] = [
    [{ url: 'ftp://example.com' }, 'url', /https/],
    [{ url: 'https://u:p@example.com' }, 'url', /password/],
    [{ url: 'http://169.254.169.254/' }, 'url', /private or reserved/],
    [{ events: ['TopUp', 'Nothing'] }, 'events', /name types out of TopUp/],
    [{ events: ['*', 'TopUp'] }, 'events', /must be \["\*"\]/],
    [{ events: ['TopUp', 'TopUp'] }, 'events', /twice/],
  ];
  const { id } = await make();
  for (const [terms, field, rule] of refused) {
    for (const answered of [
      await call('POST', '/v1/webhook-endpoints', { ...TERMS, ...terms }),
      await call('PATCH', `/v1/webhook-endpoints/${id}`, terms),
    ])
      t.match(answered, { status: 422, body: { code: 'invalid_value', errors: [{ field, rule }] } });
  }
  t.equal((await call('POST', '/v1/webhook-endpoints', { ...TERMS, scope: 'admin' })).status, 400);
  t.equal((await call('POST', '/v1/webhook-endpoints', { ...TERMS, events: [] })).status, 400);
  const nobody = await call('POST', '/v1/webhook-endpoints', { ...TERMS, account: 'nobody' });
  t.match(nobody, { status: 404, body: { code: 'account_not_found' } });
});

t.test('only admins may see or change endpoints and deliveries', async (t) => {
  const { id } = await make();
  const finance = await newKey(['finance']);
  const calls = [
    ['POST', '/v1/webhook-endpoints', TERMS],
    ['GET', '/v1/webhook-endpoints'],
    ['GET', `/v1/webhook-endpoints/${id}`],
    ['PATCH', `/v1/webhook-endpoints/${id}`, {}],
    ['DELETE', `/v1/webhook-endpoints/${id}`],
    ['POST', `/v1/webhook-endpoints/${id}/rotate-secret`],
    ['POST', `/v1/webhook-endpoints/${id}/test`],
    ['POST', `/v1/webhook-endpoints/${id}/replay`, { from: '0' }],
    ['GET', '/v1/webhook-deliveries'],
    ['GET', '/v1/webhook-deliveries/whd_1'],
    ['POST', '/v1/webhook-deliveries/whd_1/replay'],
  ] as const;
  for (const [method, url, body] of calls) {
    t.equal((await call(method, url, body, finance)).status, 403, `${method} ${url}`);
    t.equal((await call(method, url, body, null)).status, 401, `${method} ${url}`);
  }
});

t.test('a change is seen at once; pausing and going on too', async (t) => {
  const { id } = await make();
  const patch = async (change: object) => (await call('PATCH', `/v1/webhook-endpoints/${id}`, change)).body;
  t.match(await patch({ events: ['TopUp'], scope: 'finance' }), { events: ['TopUp'], scope: 'finance' });
  t.match(await patch({ active: false }), { active: false, paused: 'by_hand', scope: 'finance' });
  t.match(await patch({}), { active: false });
  t.match(await patch({ active: true, url: 'https://example.com/' }), {
    active: true,
    paused: null,
    url: 'https://example.com/',
  });
  t.match((await call('GET', `/v1/webhook-endpoints/${id}`)).body, { active: true, events: ['TopUp'] });
});

t.test('an endpoint that is deleted is there no more, and deleting it again changes nothing', async (t) => {
  const { id } = await make();
  t.equal((await call('DELETE', `/v1/webhook-endpoints/${id}`)).status, 204);
  t.equal((await call('DELETE', `/v1/webhook-endpoints/${id}`)).status, 204);
  const missing = { status: 404, body: { code: 'webhook_endpoint_not_found' } };
  t.match(await call('GET', `/v1/webhook-endpoints/${id}`), missing);
  t.match(await call('PATCH', `/v1/webhook-endpoints/${id}`, { scope: 'owner' }), missing);
  t.match(await call('POST', `/v1/webhook-endpoints/${id}/rotate-secret`), missing);
  t.match(await call('POST', `/v1/webhook-endpoints/${id}/test`), missing);
  t.match(await call('POST', `/v1/webhook-endpoints/${id}/replay`, { from: '0' }), missing);
  t.match(await call('DELETE', '/v1/webhook-endpoints/never'), missing);
  const { body } = await call('GET', '/v1/webhook-endpoints?page_size=500');
  t.notOk(body.data.some((endpoint: { id: string }) => endpoint.id === id));
});

t.test('a test is sent now, signed, logged, and what came back is told', async (t) => {
  const { id, secret } = await make();
  receiver.behave = answer(418, 'teapot');
  const { status, body } = await call('POST', `/v1/webhook-endpoints/${id}/test`);
  t.equal(status, 200);
  t.match(body, { delivered: false, status: 418, fault: null, response: 'teapot', delivery: /^whd_/ });
  const [one] = receiver.received.splice(0);
  const said = new Webhook(secret).verify(one?.body ?? '', one?.headers as Record<string, string>);
  t.match(said, { type: 'test', data: { endpoint: id, delivery: body.delivery } });
  receiver.behave = answer(204);
  t.match((await call('POST', `/v1/webhook-endpoints/${id}/test`)).body, { delivered: true, status: 204 });
  const { body: log } = await call('GET', `/v1/webhook-deliveries?endpoint=${id}`);
  t.match(log.data, [
    { type: 'test', status: 'delivered', attempts: 1, log: [{ status: 204 }] },
    { type: 'test', status: 'failed', entry_id: null, position: null, log: [{ response: 'teapot' }] },
  ]);
  const gone = await make({ url: 'http://127.0.0.1:1/' });
  const untold = await call('POST', `/v1/webhook-endpoints/${gone.id}/test`);
  t.match(untold.body, { delivered: false, status: null, fault: 'no_connection', response: null });
});

t.test('the next secret is shown once, and for a day both sign', async (t) => {
  const { id, secret } = await make();
  const { body, text } = await call('POST', `/v1/webhook-endpoints/${id}/rotate-secret`);
  t.notMatch(text, secret);
  const left = Date.parse(body.previous_expires_at) - Date.now();
  t.ok(left > 23 * 3_600_000 && left <= 24 * 3_600_000);
  receiver.received.length = 0;
  await call('POST', `/v1/webhook-endpoints/${id}/test`);
  const [one] = receiver.received.splice(0);
  for (const either of [secret, body.secret])
    t.ok(new Webhook(either).verify(one?.body ?? '', one?.headers as Record<string, string>));
});

t.test('two rotations at once leave one secret in force', async (t) => {
  const { id } = await make();
  const both = await Promise.all([1, 2].map(() => call('POST', `/v1/webhook-endpoints/${id}/rotate-secret`)));
  t.same(
    both.map(({ status }) => status),
    [200, 200],
  );
  const { rows } = await pool.query(
    `select expires_at is null as in_force from ${webhooks.schema}.secrets where endpoint = $1`,
    [id],
  );
  t.equal(rows.filter(({ in_force }) => in_force).length, 1);
  t.equal(rows.length, 3);
});

/** As the outbox writes one. */
async function queued(endpoint: string, type = 'TopUp', status = 'pending'): Promise<string> {
  const isPending = status === 'pending';
  const { rows } = await pool.query(
    `insert into ${webhooks.schema}.deliveries
       (endpoint, type, account, stream, revision, position, status, attempts, next_attempt_at, created_at, finished_at)
     values ($1, $2, 'acme', 'wallet-acme', (select count(*) from ${webhooks.schema}.deliveries), 5, $3, 3, $4, now(), $5)
     returning id`,
    [endpoint, type, status, isPending ? new Date() : null, isPending ? null : new Date()],
  );
  return `whd_${rows[0]?.id}`;
}

t.test('the log is searched by endpoint, status, type and account, in pages', async (t) => {
  const { id } = await make();
  const [a, b, c] = [
    await queued(id),
    await queued(id, 'Expired', 'failed'),
    await queued(id, 'TopUp', 'failed'),
  ];
  const ids = async (query: string) =>
    (await call('GET', `/v1/webhook-deliveries?endpoint=${id}&${query}`)).body.data.map(
      ({ id }: { id: string }) => id,
    );
  t.same(await ids(''), [c, b, a]);
  t.same(await ids('status=failed'), [c, b]);
  t.same(await ids('type=TopUp'), [c, a]);
  t.same(await ids('account=acme'), [c, b, a]);
  t.same(await ids('account=other'), []);
  const first = await call('GET', `/v1/webhook-deliveries?endpoint=${id}&page_size=2`);
  t.same(await ids(`page_size=2&cursor=${first.body.next_cursor}`), [a]);
  t.equal((await call('GET', '/v1/webhook-deliveries?status=lost')).status, 400);
  t.match(await call('GET', `/v1/webhook-deliveries/${a}`), {
    status: 200,
    body: { id: a, entry_id: /^wallet-acme:/, position: '5', status: 'pending' },
  });
});

t.test('a delivery is sent again, whatever became of it', async (t) => {
  const { id } = await make();
  for (const status of ['failed', 'delivered', 'canceled', 'pending']) {
    const delivery = await queued(id, 'TopUp', status);
    const { status: answered, body } = await call('POST', `/v1/webhook-deliveries/${delivery}/replay`);
    t.equal(answered, 202);
    t.match(body, { id: delivery, status: 'pending', attempts: 0, replays: 1, finished_at: null });
  }
  const missing = { status: 404, body: { code: 'webhook_delivery_not_found' } };
  for (const unknown of ['whd_999999', 'whd_0', 'nonsense']) {
    t.match(await call('POST', `/v1/webhook-deliveries/${unknown}/replay`), missing);
    t.match(await call('GET', `/v1/webhook-deliveries/${unknown}`), missing);
  }
  const late = await queued(id, 'TopUp', 'failed');
  await call('DELETE', `/v1/webhook-endpoints/${id}`);
  t.match(
    await call('POST', `/v1/webhook-deliveries/${late}/replay`),
    missing,
    'nobody is there to send it to',
  );
});

t.test('a replay from a position is asked for, and says how far it goes', async (t) => {
  const { id } = await make();
  await pool.query(`update ${webhooks.schema}.checkpoint set position = 77`);
  const { status, body } = await call('POST', `/v1/webhook-endpoints/${id}/replay`, { from: '12' });
  t.equal(status, 202);
  t.match(body, { id: /^whr_/, endpoint: id, from: '12', until: '77' });
  const far = await call('POST', `/v1/webhook-endpoints/${id}/replay`, { from: '9'.repeat(25) });
  t.match(far, { status: 422, body: { errors: [{ field: 'from' }] } });
  t.equal((await call('POST', `/v1/webhook-endpoints/${id}/replay`, { from: '-1' })).status, 400);
});

t.test('positions have the epoch of the store', async (t) => {
  const moved = await startTestLedger({ epoch: 2 });
  t.teardown(() => moved.stop());
  const { id } = (await moved.call('POST', '/v1/webhook-endpoints', TERMS)).body;
  const { body } = await moved.call('POST', `/v1/webhook-endpoints/${id}/replay`, {
    from: `2${'0'.repeat(17)}5`,
  });
  t.match(body, { from: '2000000000000000005', until: '2000000000000000000' });
  const earlier = await moved.call('POST', `/v1/webhook-endpoints/${id}/replay`, { from: '5' });
  t.match(
    earlier.body,
    { from: '2000000000000000000' },
    'a position of an earlier epoch is before all of this one',
  );
});

t.test('where private addresses are not allowed an endpoint is https, and public', async (t) => {
  const strict = await startTestLedger({ webhooks: { allowPrivate: false } });
  t.teardown(() => strict.stop());
  const tried = (url: string) => strict.call('POST', '/v1/webhook-endpoints', { ...TERMS, url });
  for (const url of ['http://example.com/', 'https://127.0.0.1/', 'https://[::1]/', 'https://10.0.0.1/'])
    t.match(await tried(url), { status: 422, body: { errors: [{ field: 'url' }] } }, url);
  // A name is judged when it is resolved
  const { body } = await tried('https://localhost/');
  const test = await strict.call('POST', `/v1/webhook-endpoints/${body.id}/test`);
  t.match(test.body, { delivered: false, status: null, fault: 'forbidden_address' });
});

t.test('the read models pass by the events of endpoints', async (t) => {
  await make();
  await ledger.projector.caughtUp();
  t.equal(ledger.projector.state.status, 'running');
});
