import { createMeter } from '@tallystick/connect';
import type { Sent } from '@tallystick/webhooks';
import { answer, startReceiver } from '@tallystick/webhooks/testing';
import t from 'tap';
import { measureAttempts, measureBacklog, outcomeOf, readBacklog } from './metrics.ts';
import { sendDue } from './sender.ts';
import { startTold } from './testing/told.ts';

const told = await startTold();
t.teardown(() => told.stop());
const { webhooks, now } = told;
const MINUTE = 60_000;

const answered = (status: number): Sent => ({
  kind: 'answered',
  status,
  response: '',
  retryAfterMs: null,
  tookMs: 1,
});

t.test('each way an attempt may end has a name', async (t) => {
  t.same([204, 302, 500, 410].map(answered).map(outcomeOf), ['delivered', 'refused', 'refused', 'gone']);
  t.equal(outcomeOf({ kind: 'unanswered', fault: 'timeout', tookMs: 1 }), 'timeout');
  t.equal(outcomeOf(null), 'untried');
});

t.test('a meter tells what waits, for how long, what keeps it back, and what came of attempts', async (t) => {
  const receiver = await startReceiver();
  t.teardown(() => receiver.stop());
  const { id } = await told.endpoint({ url: receiver.url, account: 'acme' });
  const paused = await told.endpoint({ url: receiver.url, account: 'other' });
  const meter = createMeter();
  const parts = { ...told.parts, onAttempt: measureAttempts(meter) };
  t.same(await readBacklog(webhooks, now()), {
    waiting: 0,
    overdueSeconds: 0,
    open: 0,
    resting: 0,
    paused: 0,
  });

  for (const account of ['acme', 'acme', 'other']) await told.happen(account);
  await told.outbox();
  await told.change(paused.id, { paused: 'by_hand' });
  await told.outbox();
  told.advance(3 * MINUTE);
  t.same(await readBacklog(webhooks, now()), {
    waiting: 3,
    overdueSeconds: 180,
    open: 1,
    resting: 0,
    paused: 1,
  });

  receiver.behave = answer(500);
  t.equal(await sendDue(parts), 2);
  t.match(
    await readBacklog(webhooks, now()),
    { waiting: 3, overdueSeconds: 0 },
    'to be tried again, and not yet',
  );
  await told.pool.query(`update ${webhooks.schema}.endpoints set open_until = $2 where id = $1`, [
    id,
    new Date(now() + 10 * MINUTE),
  ]);
  told.advance(9 * MINUTE);
  t.match(
    await readBacklog(webhooks, now()),
    { overdueSeconds: 0, open: 0, resting: 1 },
    'an endpoint that rests keeps nothing waiting that should go',
  );
  told.advance(MINUTE);
  receiver.behave = answer(200);
  t.equal(await sendDue(parts), 1, 'one finds out');
  t.equal(await sendDue(parts), 1);
  t.match(await readBacklog(webhooks, now()), { waiting: 1, open: 1, resting: 0 });

  measureBacklog(meter, webhooks, now);
  const text = await meter.text();
  for (const line of [
    'tallystick_webhooks_waiting 1',
    'tallystick_webhooks_overdue_seconds 0',
    'tallystick_webhook_endpoints{state="open"} 1',
    'tallystick_webhook_endpoints{state="paused"} 1',
    'tallystick_webhook_attempt_seconds_count{outcome="refused"} 2',
    'tallystick_webhook_attempt_seconds_count{outcome="delivered"} 2',
  ])
    t.ok(text.split('\n').includes(line), line);
});
