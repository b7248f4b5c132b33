/**
 * The stand-in answers the client as a real EventStoreDB 23.10.8 did when it was recorded (2026-11-21, single node,
 * insecure). Each row is one step and the recorded answer; steps build on each other within a stream.
 */
import { randomUUID } from 'node:crypto';
import {
  type AllStreamSubscription,
  type AppendExpectedRevision,
  BACKWARDS,
  END,
  type EventData,
  EventStoreDBClient,
  eventTypeFilter,
  FORWARDS,
  jsonEvent,
  type Position,
  START,
  type StreamSubscription,
  streamNameFilter,
} from '@eventstore/db-client';
import t, { type Test } from 'tap';
import { startEventStoreDbStandIn } from './eventstoredb.ts';

const standIn = await startEventStoreDbStandIn();
const client = EventStoreDBClient.connectionString(standIn.url);
t.teardown(async () => {
  await client.dispose();
  await standIn.stop();
});

const event = (n = 0): EventData => jsonEvent({ id: randomUUID(), type: 'T', data: { n } });
const events = (count: number): EventData[] => Array.from({ length: count }, (_, n) => event(n));

type Step = [name: string, expected: AppendExpectedRevision, events: EventData[], answer: unknown];

const wrong = (expectedVersion: unknown, actualVersion: unknown) => ({
  type: 'wrong-expected-version',
  message: /^$/,
  expectedVersion,
  actualVersion,
});
const written = (nextExpectedRevision: bigint) => ({ success: true, nextExpectedRevision });

/** Runs the steps on one stream; answers the positions by the steps' names. */
async function appends(
  t: Test,
  stream: string,
  steps: readonly Step[],
): Promise<Map<string, Position | undefined>> {
  const positions = new Map<string, Position | undefined>();
  for (const [name, expectedRevision, list, answer] of steps) {
    const given = await client
      .appendToStream(stream, list, { expectedRevision })
      .catch((error: unknown) => error);
    t.match(given, answer as object, name);
    if (typeof given === 'object' && given !== null && 'position' in given)
      positions.set(name, given.position as Position);
  }
  return positions;
}

const revisions = async (stream: string, options: Parameters<EventStoreDBClient['readStream']>[1]) => {
  const read: bigint[] = [];
  for await (const { event } of client.readStream(stream, options)) if (event) read.push(event.revision);
  return read;
};

t.test('appends are judged by the expected revision', async (t) => {
  const [a, b] = [event(), event()];
  await appends(t, 'acct', [
    ['first append no_stream', 'no_stream', [a], written(0n)],
    ['exact 0', 0n, [b], written(1n)],
    ['wrong exact 0', 0n, [event()], { ...wrong(0n, 1n), streamName: 'acct' }],
    ['wrong exact ahead 99', 99n, [event()], wrong(99n, 1n)],
    ['wrong no_stream', 'no_stream', [event()], wrong('no_stream', 1n)],
  ]);
  await appends(t, 'missing', [
    ['exact 0 on missing stream', 0n, [event()], wrong(0n, 'no_stream')],
    ['stream_exists on missing stream', 'stream_exists', [event()], wrong('stream_exists', 'no_stream')],
  ]);
});

t.test('the identical append is answered as it was the first time', async (t) => {
  const three = events(3);
  const others = three.map(({ id }) => jsonEvent({ id, type: 'Other', data: { other: true } }));
  const positions = await appends(t, 'idem', [
    ['first 3 no_stream', 'no_stream', three, written(2n)],
    ['same 3 no_stream again', 'no_stream', three, written(2n)],
    ['same 3 ANY', 'any', three, written(2n)],
    ['same 3 STREAM_EXISTS', 'stream_exists', three, written(2n)],
    ['same ids, different payload', 'no_stream', others, written(2n)],
    ['first 2 of 3 no_stream', 'no_stream', three.slice(0, 2), written(1n)],
    ['last 2 of 3 at 0', 0n, three.slice(1), written(2n)],
    ['3 + 1 new (partial overlap)', 'no_stream', [...three, event()], wrong('no_stream', 2n)],
    ['same 3 with exact 2 (current)', 2n, three, written(5n)],
    ['2 more ANY', 'any', events(2), written(7n)],
    ['original 3 no_stream, later events exist', 'no_stream', three, written(2n)],
  ]);
  const first = positions.get('first 3 no_stream');
  for (const name of [
    'same 3 no_stream again',
    'same 3 ANY',
    'same ids, different payload',
    'last 2 of 3 at 0',
    'original 3 no_stream, later events exist',
  ]) {
    t.same(positions.get(name), first, `${name}: the first position`);
  }
  const before = positions.get('first 2 of 3 no_stream')?.commit ?? 0n;
  t.ok(before < (first?.commit ?? 0n), 'a part has the position of its own last event');
  await appends(t, 'idem-other', [
    ['same id in another stream', 'no_stream', three.slice(0, 1), written(0n)],
  ]);
  const [twice] = events(1);
  if (twice)
    await appends(t, 'twice', [['same id twice in one batch', 'no_stream', [twice, twice], written(1n)]]);
});

t.test('an append of no events succeeds and creates nothing', async (t) => {
  await appends(t, 'empty', [
    ['no_stream', 'no_stream', [], written(0n)],
    ['no_stream again', 'no_stream', [], written(0n)],
  ]);
  await t.rejects(revisions('empty', {}), {
    type: 'stream-not-found',
    message: 'empty not found',
    streamName: 'empty',
  });
  await appends(t, 'not-empty', [
    ['seven', 'no_stream', events(7), written(6n)],
    ['wrong version 99', 99n, [], wrong(99n, 6n)],
    ['exact', 6n, [], written(6n)],
  ]);
});

t.test('more than 1 MiB is refused, and the next append goes on', async (t) => {
  const sized = (kilobytes: number) =>
    jsonEvent({ type: 'Big', data: { text: 'x'.repeat(kilobytes * 1000) } });
  const refused = { type: 'maximum-append-size-exceeded', message: /^$/, maxAppendSize: 1_048_576 };
  await appends(t, 'big', [
    ['1 event of 900 KB', 'no_stream', [sized(900)], written(0n)],
    ['1 event of 1100 KB', 0n, [sized(1100)], refused],
    ['40 events of 100 KB', 0n, Array.from({ length: 40 }, () => sized(100)), refused],
    ['append still works afterwards', 0n, [event()], written(1n)],
    ['multi 500', 1n, events(500), written(501n)],
  ]);
});

t.test('a stream is read in both directions from any revision', async (t) => {
  await appends(t, 'read', [['eight', 'no_stream', events(8), written(7n)]]);
  const rows: Array<[string, Parameters<EventStoreDBClient['readStream']>[1], bigint[]]> = [
    ['backwards maxCount 1', { direction: BACKWARDS, fromRevision: END, maxCount: 1 }, [7n]],
    ['forwards from 3 max 2', { direction: FORWARDS, fromRevision: 3n, maxCount: 2 }, [3n, 4n]],
    ['forwards from beyond end', { fromRevision: 99n }, []],
    ['backwards from beyond end', { direction: BACKWARDS, fromRevision: 99n, maxCount: 2 }, [7n, 6n]],
  ];
  for (const [name, options, answer] of rows) t.same(await revisions('read', options), answer, name);
  await t.rejects(
    revisions('none', {}),
    { type: 'stream-not-found', message: 'none not found' },
    'read missing stream',
  );
  const none = { type: 'unknown', code: 2, message: '2 UNKNOWN: Unexpected ReadStreamResult: Error' };
  await t.rejects(revisions('read', { maxCount: 0 }), none, 'read maxCount 0');
});

t.test('events come back as they were written', async (t) => {
  const id = randomUUID().toUpperCase();
  const one = jsonEvent({ id, type: 'M', data: { a: 1 }, metadata: { $correlationId: 'c1' } });
  const { position } = await client.appendToStream('shape', one);
  for await (const { event } of client.readStream('shape')) {
    t.match(event, {
      streamId: 'shape',
      id: id.toLowerCase(),
      revision: 0n,
      type: 'M',
      isJson: true,
      position,
    });
    t.match(event, { data: { a: 1 }, metadata: { $correlationId: 'c1' } });
  }
  for (const stream of [' ', 'ünïcödé-流', 'a/b?c#d']) {
    await appends(t, stream, [[`stream name "${stream}"`, 'no_stream', [event()], written(0n)]]);
  }
});

t.test('the whole log is read upwards inclusive and downwards exclusive of its place', async (t) => {
  const { position } = await client.appendToStream('place', events(1));
  await client.appendToStream('place', events(1));
  const read = async (
    direction: typeof FORWARDS | typeof BACKWARDS,
    fromPosition: Position | typeof START | typeof END,
  ) => {
    const found: Array<Position | undefined> = [];
    for await (const { event } of client.readAll({ direction, fromPosition, maxCount: 1 }))
      found.push(event?.position);
    return found;
  };
  if (position === undefined) return;
  t.same(await read(FORWARDS, position), [position]);
  const [before] = await read(BACKWARDS, position);
  t.ok((before?.commit ?? position.commit) < position.commit);
  const [last] = await read(BACKWARDS, END);
  t.ok((last?.commit ?? 0n) > position.commit);
  t.equal((await read(FORWARDS, START)).length, 1);
});

t.test('deleted streams go on at their numbers, tombstoned ones never', async (t) => {
  await appends(t, 'del', [['two', 'no_stream', events(2), written(1n)]]);
  const version = {
    type: 'wrong-expected-version',
    code: 9,
    streamName: 'del',
    expectedVersion: 0n,
    actualVersion: 1n,
  };
  await t.rejects(client.deleteStream('del', { expectedRevision: 0n }), version, 'deleteStream exact wrong');
  const message = /^9 FAILED_PRECONDITION: Delete failed due to WrongExpectedVersion. Stream: del-missing,/;
  const missing = { type: 'wrong-expected-version', message, expectedVersion: -2n, actualVersion: -1n };
  await t.rejects(client.deleteStream('del-missing'), missing, 'delete missing stream ANY');
  t.match(await client.deleteStream('del', { expectedRevision: 1n }), { position: {} }, 'deleteStream exact');
  await t.rejects(
    revisions('del', {}),
    { type: 'stream-not-found', message: 'del not found' },
    'read soft deleted',
  );
  await appends(t, 'del', [['append NO_STREAM to soft deleted', 'no_stream', events(1), written(2n)]]);
  t.same(await revisions('del', {}), [2n], 'read recreated');
  await appends(t, 'del', [['wrong expected on recreated', 'no_stream', events(1), wrong('no_stream', 2n)]]);
  await client.deleteStream('del', { expectedRevision: 2n });
  await appends(t, 'del', [['append exact (2) to soft deleted', 2n, events(1), written(3n)]]);
  t.match(await client.tombstoneStream('del'), { position: {} }, 'tombstone');
  const gone = {
    type: 'stream-deleted',
    code: 9,
    message: "9 FAILED_PRECONDITION: Event stream 'del' is deleted.",
  };
  await t.rejects(revisions('del', {}), gone, 'read tombstoned');
  await t.rejects(client.tombstoneStream('del'), gone, 'tombstone again');
  await appends(t, 'del', [
    ['append tombstoned', 'any', events(1), { type: 'stream-deleted', message: /^$/ }],
    ['append tombstoned NO_STREAM', 'no_stream', events(1), { type: 'stream-deleted', message: /^$/ }],
  ]);
});

t.test('a malformed append is a bad request', async (t) => {
  // The client is left unusable by these on a real server (a second answer follows); here it is a fresh one anyway.
  const bad: Array<[string, string, EventData]> = [
    ['bad uuid', 'bad', jsonEvent({ id: 'no-uuid', type: 'T', data: {} })],
    ['event type empty', 'bad', jsonEvent({ id: randomUUID(), type: '', data: {} })],
    ['stream name ""', '', event()],
  ];
  for (const [name, stream, one] of bad) {
    const answer = { type: 'unknown', message: 'Could not recognize BadRequest' };
    await t.rejects(client.appendToStream(stream, one), answer, name);
  }
});

/** What a subscription brings until it has brought so many things. */
function follow(
  subscription:
    | Pick<AllStreamSubscription, 'on' | 'unsubscribe'>
    | Pick<StreamSubscription, 'on' | 'unsubscribe'>,
  until: number,
): Promise<string[]> {
  const seen: string[] = [];
  return new Promise((resolve, reject) => {
    const note = (what: string) => {
      seen.push(what);
      if (seen.length === until) void subscription.unsubscribe().then(() => resolve(seen));
    };
    subscription.on('confirmation', () => note('confirmation'));
    subscription.on('caughtUp', () => note('caughtUp'));
    subscription.on('data', ({ event }) => note(`${event?.streamId}@${event?.revision}`));
    subscription.on('error', reject);
  });
}

t.test(
  'a subscription is confirmed, catches up exclusive of its place, says so and goes on live',
  async (t) => {
    const { position } = await client.appendToStream('sub-a', events(1));
    await client.appendToStream('sub-a', events(2));
    await client.appendToStream('foreign', events(40));
    let checkpoint: Position | null = null;
    const filter = streamNameFilter({
      prefixes: ['sub-'],
      checkpointReached: (_, reached) => {
        checkpoint = reached;
      },
    });
    if (position === undefined) return;
    const seen = follow(client.subscribeToAll({ fromPosition: position, filter }), 5);
    await client.appendToStream('sub-b', events(1));
    const all = await seen;
    t.same(
      all.filter((what) => what.startsWith('sub-')),
      ['sub-a@1', 'sub-a@2', 'sub-b@0'],
    );
    t.equal(all[0], 'confirmation');
    t.ok(checkpoint, 'with checkpoints past foreign events');
    const byType = client.subscribeToAll({ filter: eventTypeFilter({ regex: '^Bi' }) });
    t.same(await follow(byType, 3), ['confirmation', 'big@0', 'caughtUp']);
  },
);

t.test('on a stream that does not exist the catching up ends after its first event', async (t) => {
  const seen = follow(client.subscribeToStream('later'), 3);
  await client.appendToStream('later', event());
  t.same(await seen, ['confirmation', 'later@0', 'caughtUp']);
});

t.test('a burst of more than 32 events ends a live subscription, where that is asked for', async (t) => {
  standIn.limitLiveBuffer();
  const subscription = client.subscribeToAll({
    fromPosition: END,
    filter: streamNameFilter({ prefixes: ['burst-'] }),
  });
  subscription.on('data', () => undefined);
  await new Promise((resolve) => subscription.once('caughtUp', resolve));
  const dropped = new Promise((resolve) => subscription.once('error', resolve));
  await client.appendToStream('burst-a', events(500));
  t.match(await dropped, {
    type: 'timeout',
    code: 10,
    message:
      '10 ABORTED: Operation timed out: Consumer too slow to handle event while live. Client resubscription required.',
  });
});

t.test('with nothing listening calls are unavailable', async (t) => {
  await standIn.stop();
  await t.rejects(client.appendToStream('away', event()), { code: 14 }, 'append');
  await t.rejects(revisions('away', {}), { type: 'unavailable', code: 14 }, 'read');
  await standIn.start();
  const again = async (): Promise<unknown> => client.appendToStream('away', event()).catch(again);
  t.match(await again(), written(0n), 'and it recovers by itself');
});
