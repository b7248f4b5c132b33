import fc from 'fast-check';
import t from 'tap';
import { ClientClosed, LedgerRefused, QueueFull } from './errors.ts';
import { openGathering, type SendArray } from './gathering.ts';
import { problem } from './testing/between.ts';
import { ACCOUNT, CREDITS, MODEL, startServed } from './testing/served.ts';
import type { Batching } from './usage.ts';

/** A gathering over an ear that answers when it is told to. */
function gather(batching: Batching = {}) {
  const arrays: { readonly texts: readonly string[]; answer(): void; fail(error: Error): void }[] = [];
  const send: SendArray<string> = (items) =>
    new Promise((resolve, reject) => {
      const texts = items.map(({ text }) => text);
      arrays.push({ texts, answer: () => resolve(texts.map((text) => `done ${text}`)), fail: reject });
    });
  /** Until so many arrays have been sent. */
  const sent = async (count: number): Promise<void> => {
    while (arrays.length < count) await turn();
  };
  const { add, flush, close } = openGathering<string>(batching, send);
  return { arrays, sent, flush, close, add: (text: string) => add({ id: text, text }) };
}
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
/** Gathers for longer than any test runs. */
const FOR_EVER = 1_000_000;

t.test('each caller is answered with its own item, whatever the bounds', (t) =>
  fc
    .assert(
      fc.asyncProperty(
        fc.record({
          itemsMax: fc.integer({ min: 1, max: 8 }),
          inFlightMax: fc.integer({ min: 1, max: 3 }),
          gatherMs: fc.constantFrom(0, 1),
        }),
        fc.array(fc.record({ pause: fc.boolean(), refused: fc.boolean() }), { maxLength: 40 }),
        fc.infiniteStream(fc.integer({ min: 0, max: 3 })),
        async (batching, items, delays) => {
          let inFlight = 0;
          const gathering = openGathering<string>(batching, async (items) => {
            inFlight += 1;
            if (inFlight > batching.inFlightMax || items.length > batching.itemsMax)
              throw new Error('too much');
            for (let turns = delays.next().value ?? 0; turns > 0; turns -= 1) await turn();
            inFlight -= 1;
            return items.map(({ text }) => (text.endsWith('no') ? new Error(text) : text));
          });
          const answers: Promise<string>[] = [];
          for (const [index, { pause, refused }] of items.entries()) {
            const text = `${index} ${refused ? 'no' : 'yes'}`;
            const answer = gathering.add({ id: index, text });
            answers.push(answer.catch((error: Error) => `refused ${error.message}`));
            if (pause) await turn();
          }
          await gathering.close();
          const expected = items.map(({ refused }, index) =>
            refused ? `refused ${index} no` : `${index} yes`,
          );
          return JSON.stringify(await Promise.all(answers)) === JSON.stringify(expected);
        },
      ),
      { numRuns: 100 },
    )
    .then(() => t.pass()),
);

t.test('what comes in one turn goes together, and at once', async (t) => {
  const { add, arrays } = gather({ gatherMs: FOR_EVER });
  const answers = Promise.all(['a', 'b', 'c'].map(add));
  await turn();
  t.strictSame(arrays[0]?.texts, ['a', 'b', 'c']);
  arrays[0]?.answer();
  t.strictSame(await answers, ['done a', 'done b', 'done c']);
});

t.test('while an array is on its way others gather, until it is answered', async (t) => {
  const { add, arrays, sent } = gather({ gatherMs: FOR_EVER });
  const first = add('a');
  await turn();
  const others = [add('b')];
  await turn();
  others.push(add('c'));
  await turn();
  t.equal(arrays.length, 1);
  arrays[0]?.answer();
  await first;
  await sent(2);
  t.strictSame(arrays[1]?.texts, ['b', 'c']);
  arrays[1]?.answer();
  await Promise.all(others);
});

t.test('a full array goes while another is on its way, but no more than may', async (t) => {
  const { add, arrays, sent } = gather({ gatherMs: FOR_EVER, itemsMax: 2, inFlightMax: 2 });
  const answers = ['a', 'b', 'c', 'd', 'e', 'f'].map(add);
  t.strictSame(
    arrays.map(({ texts }) => texts),
    [
      ['a', 'b'],
      ['c', 'd'],
    ],
  );
  arrays[1]?.answer();
  await answers[3];
  await sent(3);
  t.strictSame(arrays[2]?.texts, ['e', 'f']);
  for (const array of arrays) array.answer();
  await Promise.all(answers);
});

t.test('when the time is over what has gathered goes beside the one on its way', async (t) => {
  const { add, arrays, sent } = gather({ gatherMs: 1 });
  void add('a');
  await sent(1);
  void add('b');
  await sent(2);
  t.strictSame(arrays[1]?.texts, ['b']);
});

t.test('beyond the bound a caller is refused at once, and there is room again after an answer', async (t) => {
  const { add, arrays, sent } = gather({ waitingMax: 2 });
  const answers = [add('a'), add('b')];
  await t.rejects(add('c'), new QueueFull(2));
  await turn();
  await t.rejects(add('c'), { code: 'queue_full' }, 'what is on its way counts');
  arrays[0]?.answer();
  await Promise.all(answers);
  const again = add('c');
  await sent(2);
  arrays[1]?.answer();
  t.equal(await again, 'done c');
});

t.test('an array that failed fails its own callers and no others', async (t) => {
  const { add, arrays, sent } = gather();
  const lost = [add('a'), add('b')];
  await turn();
  const kept = add('c');
  arrays[0]?.fail(new Error('away'));
  for (const answer of lost) await t.rejects(answer, { message: 'away' });
  await sent(2);
  arrays[1]?.answer();
  t.equal(await kept, 'done c');
});

t.test('arrays are bounded in characters too; one item beyond them goes alone', async (t) => {
  const { add, arrays } = gather();
  const large = 'x'.repeat(5 * 1024 * 1024);
  void add('a');
  void add(large);
  void add('b');
  await turn();
  t.strictSame(
    arrays.map(({ texts }) => texts.map(({ length }) => length)),
    [[1], [large.length]],
  );
});

t.test('flush sends what waits, and ends when all of it has been answered', async (t) => {
  const { add, arrays, sent, flush } = gather({ gatherMs: FOR_EVER, itemsMax: 1, inFlightMax: 1 });
  const answers = ['a', 'b', 'c'].map(add);
  let flushed = false;
  const flushing = flush().then(() => {
    flushed = true;
  });
  for (let index = 0; index < 3; index += 1) {
    await sent(index + 1);
    t.equal(flushed, false);
    arrays[index]?.answer();
  }
  await flushing;
  await Promise.all(answers);
});

t.test('close sends everything and takes no more', async (t) => {
  const { add, arrays, close } = gather({ gatherMs: FOR_EVER });
  const answer = add('a');
  const closing = close();
  await t.rejects(add('b'), new ClientClosed());
  arrays[0]?.answer();
  await closing;
  t.equal(await answer, 'done a');
  await close();
});

t.test('bounds that can never work are refused', async (t) => {
  for (const itemsMax of [0, -1, 1.5, Number.NaN]) t.throws(() => gather({ itemsMax }), RangeError);
});

t.test('charges of many callers, against a real ledger', async (t) => {
  const served = await startServed();
  t.teardown(() => served.stop());
  const { between } = served;
  const client = served.client({ batching: { itemsMax: 20 } });
  const item = (id: string, tokens = 1) => ({
    id,
    account: ACCOUNT,
    model: MODEL,
    usage: { input_tokens: tokens },
  });

  await t.test('50 calls are a few requests, and each is charged', async (t) => {
    const answers = await Promise.all(
      Array.from({ length: 50 }, (_, n) => client.usage.charge(item(`u${n}`))),
    );
    t.strictSame(
      answers.map(({ id, status }) => [id, status]),
      answers.map((_, n) => [`u${n}`, 'charged']),
    );
    t.equal(between.requests.length, 3);
    t.match(await client.usage.charge(item('u7')), { id: 'u7', status: 'charged', replayed: true });
  });

  await t.test('a refused item touches no other', async (t) => {
    const [good, poor, bad, circular, other] = await Promise.allSettled([
      client.usage.charge(item('good')),
      client.usage.charge(item('poor', 1_000_000)),
      client.usage.charge(item('bad', -1)),
      client.usage.charge({ ...item('circular'), metadata: { amount: 1n } }),
      client.usage.charge(item('other')),
    ]);
    t.match([good, other], [{ value: { status: 'charged' } }, { value: { status: 'charged' } }]);
    t.match(
      [poor, bad],
      [{ reason: { code: 'insufficient_credits' } }, { reason: { code: 'invalid_value' } }],
    );
    t.ok(poor?.status === 'rejected' && poor.reason instanceof LedgerRefused);
    t.match(circular, { reason: { name: 'TypeError' } });
  });

  await t.test(
    'a whole array that met a 503 is sent again whole, and nothing is charged twice',
    async (t) => {
      between.requests.length = 0;
      between.mishaps.push('lose_answer', problem('outcome_unknown', 503, { 'retry-after': '0' }));
      await Promise.all(['x', 'y', 'z'].map((id) => client.usage.charge(item(id))));
      t.equal(between.requests.length, 3);
      t.equal(new Set(between.requests.map(({ body }) => body)).size, 1);
      t.equal((await client.accounts.balance(ACCOUNT)).available, String(CREDITS - 50 - 2 - 3));
    },
  );

  await t.test('an outage is told to each of its callers', async (t) => {
    between.mishaps.push(...Array.from({ length: 99 }, () => 'lose_request' as const));
    const impatient = served.client({ withinMs: 100 });
    const answers = await Promise.allSettled(['o', 'p'].map((id) => impatient.usage.charge(item(id))));
    t.match(answers, [{ reason: { name: 'LedgerUnreachable' } }, { reason: { name: 'LedgerUnreachable' } }]);
    between.mishaps.length = 0;
  });
});
