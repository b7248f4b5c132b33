import { setTimeout as pause } from 'node:timers/promises';
import { TEST_CLOCK_ID, type TestClockCommand, testClockDecider } from '@tallystick/domain';
import { createMemoryStore, createRunner, type EventStore } from '@tallystick/event-store';
import { startPostgres } from '@tallystick/event-store/testing';
import pg from 'pg';
import t, { type Test } from 'tap';
import { followTestClock, type TestClock } from './clock.ts';
import { joinClock } from './clock-processes.ts';

const postgres = await startPostgres();
const pool = new pg.Pool({ connectionString: postgres.url });
t.teardown(async () => {
  await pool.end();
  await postgres.stop();
});

let namespaces = 0;
const newNamespace = (): string => `clock${++namespaces}`;
const HOUR = 3_600_000;
const NO_KEY = { key: null, fingerprint: null };

async function clockOn(t: Test, store: EventStore, namespace: string): Promise<TestClock> {
  const clock = await followTestClock({ store, processes: await joinClock(pool, namespace) });
  t.teardown(() => clock.close());
  return clock;
}

/** Moves the clock of the store by so much, whoever goes by it. */
async function moveBy(store: ReturnType<typeof createMemoryStore>, ms: number): Promise<void> {
  const runner = createRunner<null>({
    store,
    keyIndex: store,
    snapshots: { read: async () => null },
    catalogue: { current: () => null, fresh: async () => null },
  });
  const realNow = Date.now();
  const { state } = await runner.peek(testClockDecider, TEST_CLOCK_ID);
  const to = realNow + state.offsetMs + ms;
  const commands: TestClockCommand[] = [
    { type: 'BeginAdvance', asked: { to }, realNow, ...NO_KEY },
    { type: 'MoveTestClock', to, realNow, ...NO_KEY },
    { type: 'EndAdvance', to, ...NO_KEY },
  ];
  const cause = { actor: 'test', request: '' };
  const orders = commands.map((command) => ({ id: TEST_CLOCK_ID, command, cause }));
  await runner.execute(testClockDecider, orders, Date.now() + 10_000);
  await runner.close();
}

t.test('a clock that was never moved shows real time', async (t) => {
  const clock = await clockOn(t, createMemoryStore(), newNamespace());
  t.ok(Math.abs(clock.now() - Date.now()) < 100);
  t.equal(clock.state.offsetMs, 0);
});

t.test('every process follows the offset, and one that comes later knows it from the start', async (t) => {
  const store = createMemoryStore();
  const namespace = newNamespace();
  const [one, other] = [await clockOn(t, store, namespace), await clockOn(t, store, namespace)];
  await moveBy(store, HOUR);
  await moveBy(store, HOUR);
  const late = await clockOn(t, store, namespace);
  t.equal(late.state.offsetMs, 2 * HOUR);
  t.equal(await one.acknowledged(2 * HOUR, 5_000), true);
  t.same(
    [one, other].map(({ state }) => state.offsetMs),
    [2 * HOUR, 2 * HOUR],
  );
});

t.test('whoever moves the clock waits for a process that lives, and not for one that has left', async (t) => {
  const store = createMemoryStore();
  const namespace = newNamespace();
  const clock = await clockOn(t, store, namespace);
  const slow = await joinClock(pool, namespace);
  await slow.tell(0);
  await moveBy(store, HOUR);
  await clock.fresh();
  t.equal(await clock.acknowledged(HOUR, 300), false);
  await slow.tell(HOUR);
  t.equal(await clock.acknowledged(HOUR, 300), true);
  await moveBy(store, HOUR);
  await clock.fresh();
  t.equal(await clock.acknowledged(2 * HOUR, 100), false);
  await slow.leave();
  t.equal(await clock.acknowledged(2 * HOUR, 100), true);
});

t.test(
  'a process that has not read the offset yet is waited for: it may have missed the last one',
  async (t) => {
    const store = createMemoryStore();
    const namespace = newNamespace();
    const clock = await clockOn(t, store, namespace);
    const coming = await joinClock(pool, namespace);
    t.equal(await clock.acknowledged(0, 100), false);
    await coming.leave();
    t.equal(await clock.acknowledged(0, 100), true);
  },
);

t.test('one of which nothing is heard any more is not waited for', async (t) => {
  const store = createMemoryStore();
  const namespace = newNamespace();
  const clock = await clockOn(t, store, namespace);
  await joinClock(pool, namespace);
  t.equal(await clock.acknowledged(0, 50), false);
  await pool.query(
    `update ${namespace}_clock.processes set seen_at = seen_at - interval '12 s' where offset_ms is null`,
  );
  t.equal(await clock.acknowledged(0, 50), true);
});

t.test('signs of life go on while nothing happens; without the store the clock grows old', async (t) => {
  const inner = createMemoryStore();
  let isAway = false;
  const store = new Proxy(inner, {
    get(target, name) {
      if (name === 'readStream' && isAway) return () => Promise.reject(new Error('away'));
      return Reflect.get(target, name);
    },
  });
  const clock = await clockOn(t, store, newNamespace());
  await pause(2_500);
  t.ok(clock.ageMs() < 2_000, `${clock.ageMs()} ms`);
  isAway = true;
  await pause(1_500);
  const age = clock.ageMs();
  t.ok(age > 1_400, `${age} ms`);
  isAway = false;
  await pause(600);
  t.ok(clock.ageMs() < 1_300, 'and it goes on by itself');
});

t.test('orders that wait while the clock is moved are decided: deadlines are in real time', async (t) => {
  const store = createMemoryStore();
  const clock = await clockOn(t, store, newNamespace());
  const runner = createRunner<null>({
    store,
    keyIndex: store,
    snapshots: { read: async () => null },
    catalogue: { current: () => null, fresh: async () => null },
    now: clock.now,
    realNow: Date.now,
  });
  t.teardown(() => runner.close());
  await moveBy(store, 1_000 * HOUR);
  await clock.fresh();
  const command: TestClockCommand = {
    type: 'BeginAdvance',
    asked: { bySeconds: 60 },
    realNow: Date.now(),
    ...NO_KEY,
  };
  const order = { id: TEST_CLOCK_ID, command, cause: { actor: 'test', request: '' } };
  const executed = await runner.execute(testClockDecider, [order], Date.now() + 10_000);
  const [outcome] = executed === 'queue_full' ? [] : executed;
  t.equal(outcome?.status, 'recorded');
  const recordedAt = outcome?.status === 'recorded' ? outcome.event.recordedAt : 0;
  t.ok(Math.abs(recordedAt - clock.now()) < 5_000, 'and recorded by the moved clock');
});
