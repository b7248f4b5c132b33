/** A server that is a process: stopped whole (its sockets too) and killed. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import t, { type Test } from 'tap';
import { idsOf, someEvents, someStream } from './contract/fixtures.ts';
import { createEventStoreDbStore } from './eventstoredb.ts';
import { type Append, type EventStore, StoreUnavailable } from './port.ts';

const main = fileURLToPath(new URL('./testing/eventstoredb-main.ts', import.meta.url));

async function startProcess(t: Test, port = '0'): Promise<{ child: ChildProcess; url: string }> {
  const child = spawn(process.execPath, [main], {
    env: { ...process.env, PORT: port },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  t.teardown(() => child.kill('SIGKILL'));
  const [url] = await once(createInterface(child.stdout), 'line');
  return { child, url: String(url) };
}

const fate = (store: EventStore, append: Append): Promise<string> =>
  store.append(append).then(
    (result) => result.status,
    (error: unknown) => (error instanceof StoreUnavailable ? error.outcome : String(error)),
  );

async function resolved(store: EventStore, append: Append): Promise<string> {
  for (;;) {
    const now = await fate(store, append);
    if (now !== 'unknown' && now !== 'unwritten') return now;
  }
}

t.test(
  'a frozen server process leaves appends unknown, and reads unavailable; both go on after it',
  async (t) => {
    const { child, url } = await startProcess(t);
    const store = createEventStoreDbStore({
      connectionString: url,
      appendTimeoutMs: 300,
      readTimeoutMs: 300,
    });
    t.teardown(() => store.close());
    const stream = someStream();
    const [before, during, after] = [-1, 0, 1].map((expected) => ({
      stream,
      expected,
      events: someEvents(1),
    }));
    if (!before || !during || !after) return;
    t.equal(await fate(store, before), 'appended');
    child.kill('SIGSTOP');
    t.equal(await fate(store, during), 'unknown');
    await t.rejects(store.head(stream), { name: 'StoreUnavailable', outcome: 'unwritten' });
    child.kill('SIGCONT');
    t.equal(await resolved(store, during), 'appended');
    t.equal(await resolved(store, after), 'appended');
    t.same(
      await idsOf(store, stream),
      [before, during, after].map(({ events }) => events[0]?.id),
    );
  },
);

t.test(
  'a killed server process leaves appends unwritten or unknown, and one at the same place is found again',
  async (t) => {
    const { child, url } = await startProcess(t);
    const store = createEventStoreDbStore({ connectionString: url, connectTimeoutMs: 300 });
    t.teardown(() => store.close());
    const append = (): Append => ({ stream: someStream(), expected: -1, events: someEvents(1) });
    t.equal(await fate(store, append()), 'appended');
    child.kill('SIGKILL');
    await once(child, 'exit');
    t.not(await fate(store, append()), 'appended');
    await startProcess(t, new URL(url).port);
    t.equal(await resolved(store, append()), 'appended');
  },
);
