import {
  closeTest,
  createSecretBox,
  deliveryId,
  getDelivery,
  getEndpoint,
  openTest,
  replayDelivery,
  rotateSecret,
  Unresolved,
} from '@tallystick/webhooks';
import { answer, type Received, startReceiver } from '@tallystick/webhooks/testing';
import { Webhook } from 'standardwebhooks';
import t, { type Test } from 'tap';
import { tidy, writeOutcome } from './outcome.ts';
import { FAILURES_MAX, RETRY_AFTER_MS } from './schedule.ts';
import { sendDue, startSender } from './sender.ts';
import { breakingPool, startTold } from './testing/told.ts';

const told = await startTold();
t.teardown(() => told.stop());
const { webhooks, parts, pool, now } = told;
const MINUTE = 60_000;
const DAY = 24 * 60 * MINUTE;

/** A receiver with an endpoint of its own, for an account of its own; nobody else's messages go there. */
let receivers = 0;
async function receiving(t: Test, scope: 'owner' | 'finance' = 'owner') {
  const receiver = await startReceiver();
  const account = `acme${++receivers}`;
  const { id, secret } = await told.endpoint({ url: receiver.url, account, scope });
  t.teardown(async () => {
    await receiver.stop();
    // What is left of one test is not due in the next.
    await pool.query(`delete from ${webhooks.schema}.deliveries where endpoint = $1`, [id]);
  });
  return {
    receiver,
    account,
    id,
    secret,
    async happen(times = 1) {
      for (let n = 0; n < times; n++) await told.happen(account);
      await told.outbox();
    },
    deliveries: () => told.deliveries(id),
  };
}

function verified(secret: string, { body, headers }: Received): Record<string, unknown> {
  // The library holds the time against the real clock; this ledger's is moved.
  const real = Date.now;
  Date.now = now;
  try {
    return new Webhook(secret).verify(body, headers as Record<string, string>) as Record<string, unknown>;
  } finally {
    Date.now = real;
  }
}

t.test('a message is signed, arrives once, and is logged', async (t) => {
  const { receiver, account, id, secret, happen, deliveries } = await receiving(t);
  receiver.behave = answer(200, 'thanks');
  await happen();
  t.equal(await sendDue(parts), 1);
  t.equal(await sendDue(parts), 0);
  t.equal(receiver.received.length, 1);
  const [one] = receiver.received;
  t.match(verified(secret, one as Received), {
    type: 'TopUp',
    data: { account, entry_id: `wallet-${account}:0` },
  });
  t.match(one?.headers, { 'webhook-id': `${id}:wallet-${account}:0`, 'content-type': 'application/json' });
  t.match(await deliveries(), [
    {
      status: 'delivered',
      attempts: 1,
      next_attempt_at: null,
      finished_at: /^2026-03-01T12:00:0/,
      log: [{ at: new Date(now()).toISOString(), status: 200, fault: null, response: 'thanks' }],
    },
  ]);
});

t.test('an endpoint of scope owner is told no currency, one of finance is (P8)', async (t) => {
  const owner = await receiving(t);
  const finance = await receiving(t, 'finance');
  const facts = { cost: { amount: '0.1', currency: 'USD' } };
  for (const { account } of [owner, finance])
    await told.happen(account, 'UsageCharged', { credits: '1' }, facts);
  await told.outbox();
  await sendDue(parts);
  t.notMatch(owner.receiver.received[0]?.body, /USD|facts/);
  t.same(JSON.parse(finance.receiver.received[0]?.body ?? '').data.facts, facts);
});

t.test(
  'what fails is tried again on schedule, the same to the byte, and has failed after ten times',
  async (t) => {
    const { receiver, id, secret, happen, deliveries } = await receiving(t);
    receiver.behave = answer(500, 'no');
    await happen();
    const waits: number[] = [];
    for (;;) {
      await sendDue(parts);
      // A rest of the endpoint is another matter; here only the schedule of one message is looked at.
      await pool.query(`update ${webhooks.schema}.endpoints set open_until = null where id = $1`, [id]);
      const [delivery] = await deliveries();
      if (delivery?.next_attempt_at == null) break;
      const wait = Date.parse(delivery.next_attempt_at) - now();
      waits.push(wait);
      told.advance(wait - 100);
      t.equal(await sendDue(parts), 0, 'not a moment earlier');
      told.advance(100);
    }
    t.equal(waits.length, RETRY_AFTER_MS.length);
    waits.forEach((wait, index) => {
      const late = wait - (RETRY_AFTER_MS[index] ?? 0);
      t.ok(late >= 0 && late < 2_000, `${wait} ms after attempt ${index + 1}`);
    });
    t.equal(receiver.received.length, 10);
    t.equal(new Set(receiver.received.map(({ headers }) => headers['webhook-id'])).size, 1);
    t.equal(new Set(receiver.received.map(({ body }) => body)).size, 1);
    t.equal(new Set(receiver.received.map(({ headers }) => headers['webhook-timestamp'])).size, 10);
    t.ok(verified(secret, receiver.received[9] as Received), 'signed anew each time');
    t.match(await deliveries(), [{ status: 'failed', attempts: 10, finished_at: String }]);
    t.equal((await deliveries())[0]?.log.length, 10);
  },
);

t.test('every answer but 2xx is a failure, a redirect too', async (t) => {
  const { receiver, id, happen, deliveries } = await receiving(t);
  for (const status of [302, 400, 404, 500]) {
    receiver.behave = answer(status, '', { location: receiver.url });
    await happen();
    await sendDue(parts);
    t.match((await deliveries()).at(-1), { status: 'pending', attempts: 1, log: [{ status }] });
  }
  t.equal(receiver.received.length, 4);
  t.equal((await getEndpoint(webhooks, id))?.failures, 4);
});

t.test('410 pauses the endpoint; when it goes on, so does what waited', async (t) => {
  const { receiver, id, happen, deliveries } = await receiving(t);
  receiver.behave = answer(410);
  await happen();
  await sendDue(parts);
  t.match(await getEndpoint(webhooks, id), { active: false, paused: 'gone' });
  t.match(await deliveries(), [{ status: 'failed', attempts: 1 }]);
  await happen(2);
  t.equal((await deliveries()).length, 1, 'it is told of nothing more');
  receiver.behave = answer(204);
  await told.change(id, { paused: null });
  await happen();
  await sendDue(parts);
  t.match((await deliveries()).at(-1), { status: 'delivered' });
  t.match(await getEndpoint(webhooks, id), { active: true, paused: null, failures: 0 });
});

t.test('what waits for an endpoint that is paused is not sent before it goes on', async (t) => {
  const { receiver, id, happen } = await receiving(t);
  await happen();
  await told.change(id, { paused: 'by_hand' });
  await told.outbox();
  t.equal(await sendDue(parts), 0);
  await told.change(id, { paused: null });
  await told.outbox();
  t.equal(await sendDue(parts), 1);
  t.equal(receiver.received.length, 1);
});

t.test('after ten failures in a row an endpoint rests, and one message finds out how it is', async (t) => {
  const { receiver, id, happen, deliveries } = await receiving(t);
  receiver.behave = answer(503);
  await happen(10);
  await sendDue(parts);
  const rest = async () => Date.parse((await getEndpoint(webhooks, id))?.resting_until ?? '') - now();
  t.ok((await rest()) >= MINUTE, 'it rests');
  t.equal(receiver.received.length, 10);
  // It is told of things as ever, but nothing is sent, for as long as it rests.
  await happen(5);
  told.advance(30_000);
  t.equal(await sendDue(parts), 0);
  // Then one message is, by one sender, and when that fails the rest is longer.
  told.advance((await rest()) + 1);
  const counts = await Promise.all([sendDue(parts), sendDue(parts), sendDue(parts)]);
  t.same(counts.toSorted(), [0, 0, 1]);
  t.equal(receiver.received.length, 11);
  t.ok((await rest()) >= 2 * MINUTE);
  // When one arrives all go on.
  receiver.behave = answer(204);
  told.advance((await rest()) + 1);
  t.equal(await sendDue(parts), 1);
  t.match(await getEndpoint(webhooks, id), { failures: 0, resting_until: null });
  told.advance(10 * MINUTE);
  await sendDue(parts);
  t.same([...new Set((await deliveries()).map(({ status }) => status))], ['delivered']);
});

t.test(
  'however many were under way when it began to fail, an endpoint rests for a minute at first',
  async (t) => {
    const { receiver, id, happen } = await receiving(t);
    // Given 25 messages under way at once, and a receiver that is away for a moment
    receiver.behave = answer(503);
    await happen(25);
    await sendDue(parts);
    t.equal(receiver.received.length, 25);
    const rest = async () => Date.parse((await getEndpoint(webhooks, id))?.resting_until ?? '') - now();
    const first = await rest();
    t.ok(first >= MINUTE && first < MINUTE + 5_000, `it rests for ${first} ms`);
    t.match(await getEndpoint(webhooks, id), { failures: FAILURES_MAX });
    // When it is back a minute later, so is the endpoint
    receiver.behave = answer(204);
    told.advance(first + 1);
    t.equal(await sendDue(parts), 1);
    t.match(await getEndpoint(webhooks, id), { failures: 0, resting_until: null });
  },
);

t.test('a late failure of what was under way makes no rest longer', async (t) => {
  const { receiver, id, happen } = await receiving(t);
  receiver.behave = answer(503);
  await happen(10);
  await sendDue(parts);
  const [late] = await pool
    .query(
      `update ${webhooks.schema}.deliveries set lease = gen_random_uuid() where endpoint = $1
       returning id, lease, endpoint, attempts`,
      [id],
    )
    .then(({ rows }) => rows);
  const before = await getEndpoint(webhooks, id);
  const sent = { kind: 'unanswered', fault: 'timeout', tookMs: 5 } as const;
  await writeOutcome(webhooks, { ...late, probe: false }, sent, now() + 20_000, 0);
  t.same(await getEndpoint(webhooks, id), before);
});

t.test('a name that no name server answers for is no failure of the receiver', async (t) => {
  const { receiver, id, happen, deliveries } = await receiving(t);
  await happen(20);
  let asked = 0;
  const silent = async () => {
    asked += 1;
    throw new Unresolved('hooks.example');
  };
  const errors: unknown[] = [];
  const deaf = { ...webhooks, sending: { ...webhooks.sending, resolve: silent } };
  const during = { ...parts, webhooks: deaf, onError: (error: unknown) => errors.push(error) };
  const sender = startSender(during);
  while (errors.length < 16) await new Promise((resolve) => setTimeout(resolve, 10));
  await sender.stop();
  t.match(errors[0], { message: `no name server has answered for the URL of the endpoint ${id}` });
  t.equal(receiver.received.length, 0);
  t.match(await getEndpoint(webhooks, id), { failures: 0 });
  t.match(await deliveries(), Array(20).fill({ status: 'pending', attempts: 0, log: [] }));
  // One at a time finds out: whatever waits for that endpoint costs nobody else anything
  const before = asked;
  for (let minute = 0; minute < 3; minute++) {
    told.advance(2 * MINUTE);
    await t.rejects(sendDue(during), /no name server/);
    t.equal(await sendDue(during), 0);
  }
  t.equal(asked, before + 3);
  told.advance(2 * MINUTE);
  t.equal(await sendDue(parts), 1);
  t.match(await getEndpoint(webhooks, id), { failures: 0, resting_until: null });
  await sendDue(parts);
  t.match(await deliveries(), Array(20).fill({ status: 'delivered', attempts: 1 }));
});

t.test('one that is found again, and fails, is tried as any other', async (t) => {
  const { receiver, id, happen } = await receiving(t);
  await happen(2);
  const silent = async () => {
    throw new Unresolved('hooks.example');
  };
  const deaf = { ...webhooks, sending: { ...webhooks.sending, resolve: silent } };
  await t.rejects(sendDue({ ...parts, webhooks: deaf }), /no name server/);
  receiver.behave = answer(500);
  told.advance(2 * MINUTE);
  t.equal(await sendDue(parts), 1);
  t.match(await getEndpoint(webhooks, id), { failures: 1, resting_until: null });
});

t.test('one who dies while finding out keeps nobody else from it', async (t) => {
  const { receiver, id, happen } = await receiving(t);
  receiver.behave = answer(503);
  await happen(10);
  await sendDue(parts);
  receiver.behave = answer(204);
  told.advance(2 * MINUTE);
  // The claim and the taking are made, then nothing more.
  const broken = { ...webhooks, pool: breakingPool(pool, 3, 'before').pool };
  await t.rejects(sendDue({ ...parts, webhooks: broken }), /killed/);
  t.equal(await sendDue(parts), 0);
  told.advance(2 * MINUTE);
  t.equal(await sendDue(parts), 1);
  t.match(await getEndpoint(webhooks, id), { failures: 0 });
});

t.test('of any number of senders at once each message is sent once', async (t) => {
  const { receiver, happen, deliveries } = await receiving(t);
  await happen(60);
  const counts = await Promise.all(Array.from({ length: 6 }, () => sendDue({ ...parts, perEndpoint: 20 })));
  while ((await sendDue(parts)) > 0);
  t.ok(counts.reduce((sum, count) => sum + count, 0) > 0);
  t.equal(receiver.received.length, 60);
  t.equal(new Set(receiver.received.map(({ headers }) => headers['webhook-id'])).size, 60);
  t.ok((await deliveries()).every(({ status, attempts }) => status === 'delivered' && attempts === 1));
});

t.test('killed at any statement, a sender has sent each message at least once, under one id', async (t) => {
  for (const when of ['before', 'after'] as const) {
    for (let at = 1; ; at++) {
      const { receiver, happen, deliveries } = await receiving(t);
      await happen();
      const breaking = breakingPool(pool, at, when);
      await sendDue({ ...parts, webhooks: { ...webhooks, pool: breaking.pool } }).catch(() => undefined);
      const arrived = async () => (await deliveries()).every(({ status }) => status === 'delivered');
      for (let waited = 0; waited < 3 || (waited < 50 && !(await arrived())); waited++) {
        // The locks of one who has been killed a moment ago may be there still.
        if (waited >= 3) await new Promise((resolve) => setTimeout(resolve, 20));
        told.advance(2 * MINUTE);
        await sendDue(parts);
      }
      t.ok(
        [1, 2].includes(receiver.received.length),
        `${receiver.received.length} times, killed ${when} ${at}`,
      );
      t.equal(new Set(receiver.received.map(({ headers }) => headers['webhook-id'])).size, 1);
      t.match(await deliveries(), [{ status: 'delivered' }]);
      if (breaking.count() < at) break;
    }
  }
});

t.test(
  'what is replayed while it is under way is sent again, and the attempt under way writes nothing',
  async (t) => {
    const { receiver, happen, deliveries } = await receiving(t);
    await happen();
    const [before] = await deliveries();
    receiver.behave = (response) => {
      void replayDelivery(webhooks, before?.id ?? '', now()).then(() => response.writeHead(500).end());
    };
    await sendDue(parts);
    t.match(await deliveries(), [{ status: 'pending', attempts: 0, replays: 1, log: [] }]);
    receiver.behave = answer(204);
    await sendDue(parts);
    t.match(await deliveries(), [{ status: 'delivered', attempts: 1, replays: 1 }]);
    t.equal(receiver.received.length, 2);
  },
);

t.test('while one secret follows on another both sign; a day later only the new one does', async (t) => {
  const { receiver, id, secret, happen } = await receiving(t);
  const next = await rotateSecret(pool, webhooks, id, now());
  await happen();
  await sendDue(parts);
  for (const either of [secret, next]) t.ok(verified(either, receiver.received[0] as Received));
  told.advance(DAY);
  await happen();
  await sendDue(parts);
  t.ok(verified(next, receiver.received[1] as Received));
  t.throws(() => verified(secret, receiver.received[1] as Received), /No matching signature/);
});

t.test('however often somebody rotates, a message has four signatures at most', async (t) => {
  const { receiver, id, happen } = await receiving(t);
  await happen();
  for (let n = 0; n < 6; n++) await rotateSecret(pool, webhooks, id, now());
  await sendDue(parts);
  t.equal(String(receiver.received[0]?.headers['webhook-signature']).split(' ').length, 4);
});

t.test(
  'a secret that cannot be read is no fault of the receiver: nothing is sent, no attempt is counted',
  async (t) => {
    const { receiver, id, happen, deliveries } = await receiving(t);
    await happen();
    const stranger = { ...webhooks, box: createSecretBox([]) };
    await t.rejects(sendDue({ ...parts, webhooks: stranger }), /LEDGER_SECRETS_KEY/);
    t.equal(receiver.received.length, 0);
    t.match(await deliveries(), [{ status: 'pending', attempts: 0 }]);
    t.match(await getEndpoint(webhooks, id), { failures: 0 });
    told.advance(MINUTE);
    await sendDue(parts);
    t.match(await deliveries(), [{ status: 'delivered', attempts: 1 }]);
  },
);

t.test('secrets lie encrypted in the database', async (t) => {
  const { id, secret } = await receiving(t);
  const { rows } = await pool.query(`select secret from ${webhooks.schema}.secrets where endpoint = $1`, [
    id,
  ]);
  t.match(rows[0]?.secret, /^aes:/);
  t.notMatch(rows[0]?.secret, secret.slice('whsec_'.length));
});

t.test('a receiver that asks for time gets it', async (t) => {
  const { receiver, happen, deliveries } = await receiving(t);
  receiver.behave = answer(429, '', { 'retry-after': '600' });
  await happen();
  await sendDue(parts);
  const [delivery] = await deliveries();
  t.ok(Date.parse(delivery?.next_attempt_at ?? '') - now() >= 600_000);
});

t.test('a private address is an attempt that fails, where private addresses are not allowed', async (t) => {
  const { receiver, happen, deliveries } = await receiving(t);
  await happen();
  const strict = { ...webhooks, sending: { ...webhooks.sending, allowPrivate: false } };
  await sendDue({ ...parts, webhooks: strict });
  t.equal(receiver.received.length, 0);
  t.match(await deliveries(), [{ status: 'pending', log: [{ fault: 'forbidden_address', status: null }] }]);
});

t.test('what waits for five days is given up; what is done leaves the log after thirty', async (t) => {
  const { id, happen, deliveries } = await receiving(t);
  await happen();
  await told.change(id, { paused: 'by_hand' });
  await told.outbox();
  told.advance(5 * DAY - 1);
  await tidy(webhooks, now());
  t.match(await deliveries(), [{ status: 'pending' }]);
  told.advance(1);
  await tidy(webhooks, now());
  t.match(await deliveries(), [{ status: 'failed', attempts: 0 }]);
  told.advance(30 * DAY - 1);
  await tidy(webhooks, now());
  t.equal((await deliveries()).length, 1);
  told.advance(1);
  await tidy(webhooks, now());
  t.same(await deliveries(), []);
});

t.test('a test is logged, and can be sent again like any other', async (t) => {
  const { receiver, id, secret } = await receiving(t);
  await told.outbox();
  const row = await openTest(webhooks, id, now());
  await closeTest(webhooks, row, { kind: 'unanswered', fault: 'timeout', tookMs: 5 }, now());
  const delivery = deliveryId(row);
  t.match(await getDelivery(webhooks, delivery), { type: 'test', status: 'failed', entry_id: null });
  await replayDelivery(webhooks, delivery, now());
  await sendDue(parts);
  t.match(verified(secret, receiver.received[0] as Received), { type: 'test', data: { delivery } });
  t.match(await getDelivery(webhooks, delivery), { status: 'delivered', replays: 1 });
});

t.test('a receiver that hangs holds up nobody else, and stopping waits for what is under way', async (t) => {
  const slow = await receiving(t);
  const quick = await receiving(t);
  const hanging: (() => void)[] = [];
  slow.receiver.behave = (response) => void hanging.push(() => response.writeHead(204).end());
  await slow.happen(20);
  await quick.happen(20);
  const sender = startSender({ ...parts, concurrency: 8, perEndpoint: 4 });
  const until = async (what: () => boolean) => {
    while (!what()) await new Promise((resolve) => setTimeout(resolve, 10));
  };
  await until(() => quick.receiver.received.length === 20);
  t.equal(slow.receiver.received.length, 4, 'one endpoint has so many at a time');
  const stopped = sender.stop();
  for (const answerIt of hanging) answerIt();
  await stopped;
  const statuses = (await slow.deliveries()).map(({ status }) => status);
  t.equal(statuses.filter((status) => status === 'delivered').length, 4);
});

t.test('a sender that runs goes on after an outage of the database', async (t) => {
  const { receiver, happen } = await receiving(t);
  await happen();
  const errors: unknown[] = [];
  const told = Promise.withResolvers<void>();
  let broken = true;
  const flaky = new Proxy(pool, {
    get(target, name) {
      if (broken && (name === 'query' || name === 'connect'))
        return async () => {
          throw new Error('the database is away');
        };
      const member = Reflect.get(target, name) as unknown;
      return typeof member === 'function' ? member.bind(target) : member;
    },
  });
  const sender = startSender({
    ...parts,
    webhooks: { ...webhooks, pool: flaky },
    onError: (error) => {
      errors.push(error);
      told.resolve();
    },
  });
  await told.promise;
  broken = false;
  t.match(errors, [/away/]);
  while (receiver.received.length === 0) await new Promise((resolve) => setTimeout(resolve, 20));
  await sender.stop();
  t.equal(receiver.received.length, 1);
});
