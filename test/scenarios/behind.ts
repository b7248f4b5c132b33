/** What no call of the API does: time that passes while nobody is there, and the events of a wallet as they were written. */
import {
  TEST_CLOCK_ID,
  type TestClockCommand,
  type TestClockEvent,
  testClockDecider,
  walletStream,
} from '@tallystick/domain';
import { createPostgresStore, createRunner, decodeEvent, type StoredEvent } from '@tallystick/event-store';

const STREAM = `${testClockDecider.category}-${TEST_CLOCK_ID}`;
const PAGE = 500;

export interface Behind {
  /** All events of an account's wallet, oldest first. */
  events(account: string): Promise<readonly StoredEvent[]>;
  /** The clock goes on at once, over everything that falls due in between, and nothing is carried out. */
  letPass(ms: number): Promise<void>;
  close(): Promise<void>;
}

export async function goBehind(connectionString: string, namespace: string): Promise<Behind> {
  const store = await createPostgresStore({ connectionString, namespace });

  async function read(stream: string): Promise<StoredEvent[]> {
    const events: StoredEvent[] = [];
    for (let atEnd = false; !atEnd; ) {
      const page = await store.readStream(stream, { from: events.length, limit: PAGE });
      events.push(...page.map((recorded) => decodeEvent(recorded)));
      atEnd = page.length < PAGE;
    }
    return events;
  }

  async function offsetMs(): Promise<number> {
    const state = testClockDecider.initial(TEST_CLOCK_ID);
    for (const event of (await read(STREAM)) as StoredEvent<TestClockEvent>[])
      testClockDecider.evolve(state, event, event.revision);
    return state.offsetMs;
  }

  return {
    events: (account) => read(walletStream(account)),
    async letPass(ms) {
      const offset = await offsetMs();
      const realNow = Date.now();
      const to = realNow + offset + ms;
      const nothing = async (): Promise<null> => null;
      const runner = createRunner<null>({
        store,
        keyIndex: store,
        snapshots: { read: nothing },
        catalogue: { current: () => null, fresh: nothing },
        now: () => Date.now() + offset,
        realNow: Date.now,
      });
      const commands: TestClockCommand[] = [
        { type: 'BeginAdvance', asked: { to }, realNow, key: null, fingerprint: null },
        { type: 'MoveTestClock', to, realNow, key: null, fingerprint: null },
        { type: 'EndAdvance', to, key: null, fingerprint: null },
      ];
      const cause = { actor: 'story', request: '' };
      // Together, so that no worker finds the clock on its way.
      const orders = commands.map((command) => ({ id: TEST_CLOCK_ID, command, cause }));
      const executed = await runner.execute(testClockDecider, orders, Date.now() + 10_000);
      await runner.close();
      if (executed === 'queue_full' || executed.some(({ status }) => status !== 'recorded'))
        throw new Error(`the clock does not move: ${JSON.stringify(executed)}`);
    },
    close: () => store.close(),
  };
}
