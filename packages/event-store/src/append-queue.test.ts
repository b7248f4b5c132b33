import { createServer } from 'node:net';
import t from 'tap';
import { AppendQueue, type Waiting } from './append-queue.ts';
import type { Append } from './port.ts';
import { GroupAppender, WAITING_EVENTS_MAX } from './postgres-append.ts';

const ID = '6f0d9c52-3c1e-4b0e-9d57-1b6c2a9b8e41';
const append = (stream: string, events: number): Append => ({
  stream,
  expected: -1,
  events: Array.from({ length: events }, () => ({ id: ID, type: 'Any', key: null, data: '{}', meta: '{}' })),
});
const waiting = (stream: string): Waiting => ({
  append: append(stream, 10),
  bytes: 1,
  resolve: () => undefined,
  reject: () => undefined,
});

t.test('what was drained is done, and counts no more', async (t) => {
  const queue = new AppendQueue();
  for (let n = 0; n < 1_000; n++) queue.add(waiting(`wallet-${n % 900}`));
  const group = queue.take();
  t.equal(queue.events, 10_000);
  t.equal(queue.drain().length, 1_000 - group.length);
  t.equal(queue.events, group.length * 10);
  for (const one of group) queue.done(one);
  t.equal(queue.events, 0);
  t.notOk(queue.isReady);
});

/** A port that nobody listens on. */
async function closedPort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  if (address === null || typeof address === 'string') throw new Error('not a port');
  return address.port;
}

t.test('after any number of outages no more events may wait than before', async (t) => {
  const nothing = (): void => undefined;
  const config = { host: '127.0.0.1', port: await closedPort() };
  const appender = new GroupAppender(config, 'nowhere', 1_000, nothing, nothing);
  // More than one group takes: the rest is drained.
  const each = 50;
  const fits = WAITING_EVENTS_MAX / each;
  for (let outage = 0; outage < 3; outage++) {
    const answers = await Promise.allSettled(
      Array.from({ length: fits + 1 }, (_, n) => appender.append(append(`wallet-${n}`, each))),
    );
    const told = answers.map((answer) => (answer.status === 'rejected' ? String(answer.reason) : 'taken'));
    const refused = told.filter((text) => /events are waiting/.test(text));
    t.equal(refused.length, 1, `outage ${outage}: one is too many, however many there have been`);
    t.equal(told.filter((text) => /not available/.test(text)).length, fits);
  }
  await appender.close();
});
