import { hashOf, type RecordedEvent } from '@tallystick/event-store';
import t from 'tap';
import { rehashed, SealedLedger } from '../testing/sealed.ts';
import { createSealChecker, type SealFinding } from './check.ts';
import type { NumberedHash } from './verify-receipt.ts';

const ledger = new SealedLedger();
for (let seal = 0; seal < 3; seal++) {
  for (let n = 0; n < 4; n++) {
    await ledger.write('wallet-a', 2);
    await ledger.write('wallet-b', 1);
    await ledger.write('profile-a', 1);
  }
  await ledger.seal();
}
await ledger.write('wallet-a', 3);
const sound = await ledger.events();

function check(events: readonly RecordedEvent[], kept: readonly NumberedHash[] = []): readonly SealFinding[] {
  const checker = createSealChecker(kept);
  for (const event of events) checker.event(event);
  return checker.end();
}

t.test('a sound ledger has nothing to find, and what is not sealed yet is counted', async (t) => {
  const checker = createSealChecker();
  for (const event of sound) checker.event(event);
  t.same(checker.end(), []);
  t.equal(checker.unsealed, 3);
});

t.test('so has one that is sealed in ranges of a thousand', async (t) => {
  const long = new SealedLedger();
  await long.write('wallet-long', 2_500);
  t.equal(await long.seal(), 1);
  t.same(check(await long.events()), []);
});

t.test('profiles that were deleted are no damage', async (t) => {
  t.same(check(sound.filter(({ stream }) => stream !== 'profile-a')), []);
});

const at = (stream: string, revision: number) => (event: RecordedEvent) =>
  event.stream === stream && event.revision === revision;

/** The ledger with one event replaced. */
function changed(
  stream: string,
  revision: number,
  change: (event: RecordedEvent) => RecordedEvent,
): readonly RecordedEvent[] {
  return sound.map((event) => (at(stream, revision)(event) ? change(event) : event));
}

const withFacts = (event: RecordedEvent, from: string, to: string): RecordedEvent => {
  const meta = event.meta.replace(from, to);
  if (meta === event.meta) throw new Error(`there is no ${from}`);
  return { ...event, meta };
};
const withData = (event: RecordedEvent, from: string, to: string): RecordedEvent => {
  const data = event.data.replace(from, to);
  if (data === event.data) throw new Error(`there is no ${from}`);
  return { ...event, data };
};

const DAMAGES: readonly [string, readonly RecordedEvent[], readonly Partial<SealFinding>[]][] = [
  [
    'an event rewritten together with its hash',
    changed('wallet-a', 10, (event) => rehashed(withData(event, '"credits"', '"debits"'), '0'.repeat(64))),
    [{ what: 'the root of sealed events', stream: 'wallet-a', revision: 8 }],
  ],
  [
    'an event that is missing',
    sound.filter((event) => !at('wallet-a', 10)(event)),
    [{ what: 'the root of sealed events', stream: 'wallet-a', revision: 8 }],
  ],
  [
    'a stream cut off after its last seal but one',
    sound.filter(({ stream, revision }) => stream !== 'wallet-b' || revision < 9),
    [{ what: 'sealed events are missing', stream: 'wallet-b', revision: 9 }],
  ],
  [
    'a stream that is gone',
    sound.filter(({ stream, revision }) => stream !== 'wallet-b' || revision < 8),
    [{ what: 'sealed events are missing', stream: 'wallet-b', revision: 8 }],
  ],
  [
    'a seal whose root was changed',
    changed('seal-ledger', 2, (event) => withData(event, '"root":"', '"root":"0')),
    [{ what: 'the root of a seal', stream: 'seal-ledger', revision: 2 }],
  ],
  [
    'a seal that tells of another root before it',
    changed('seal-ledger', 1, (event) => withData(event, '"previous_root":"', '"previous_root":"0')),
    [{ what: 'the previous root of a seal', stream: 'seal-ledger', revision: 1 }],
  ],
  [
    'a seal that counts wrongly',
    changed('seal-ledger', 1, (event) => withData(event, '"events":12', '"events":13')),
    [{ what: 'the events of a seal', stream: 'seal-ledger', revision: 1, expected: '12', found: '13' }],
  ],
  [
    'a seal that cannot be read',
    changed('seal-ledger', 1, (event) => ({ ...event, data: '{' })),
    [{ what: 'a seal cannot be read', stream: 'seal-ledger', revision: 1 }],
  ],
  [
    'a seal that is missing',
    sound.filter((event) => !at('seal-ledger', 1)(event)),
    [
      { what: 'the number of a seal', stream: 'seal-ledger', revision: 2, expected: '2', found: '3' },
      { what: 'the previous root of a seal', stream: 'seal-ledger', revision: 2 },
      { what: 'events were left out of the seals', stream: 'wallet-a', revision: 8 },
      { what: 'events were left out of the seals', stream: 'wallet-b', revision: 4 },
    ],
  ],
  [
    'a seal whose range begins too late',
    changed('seal-ledger', 2, (event) => withFacts(event, '["wallet-a",16,', '["wallet-a",17,')),
    [
      { what: 'the root of a seal', stream: 'seal-ledger', revision: 2 },
      { what: 'the events of a seal', stream: 'seal-ledger', revision: 2 },
      { what: 'events were left out of the seals', stream: 'wallet-a', revision: 16 },
    ],
  ],
  [
    'a seal whose range begins too early',
    changed('seal-ledger', 2, (event) => withFacts(event, '["wallet-a",16,', '["wallet-a",15,')),
    [
      { what: 'the root of a seal', stream: 'seal-ledger', revision: 2 },
      { what: 'the events of a seal', stream: 'seal-ledger', revision: 2 },
      { what: 'sealed events are missing, or sealed twice', stream: 'wallet-a', revision: 15 },
    ],
  ],
];
for (const [what, events, expected] of DAMAGES) {
  t.test(`${what} is found and named`, async (t) => {
    const found = check(events);
    t.equal(found.length, expected.length, JSON.stringify(found));
    t.match(found, expected);
  });
}

t.test('an event whose hash cannot be read, and a revision from nowhere, do not end the check', async (t) => {
  const unreadable = changed('wallet-b', 9, (event) => ({ ...event, meta: '{}' }));
  t.match(check(unreadable), [{ what: 'the root of sealed events', stream: 'wallet-b', revision: 8 }]);
  const wild = changed('wallet-b', 9, (event) => ({ ...event, revision: 2 ** 50 }));
  t.ok(check(wild).length > 0);
});

const kept = sound
  .filter(({ stream }) => stream === 'seal-ledger')
  .map((seal, index) => ({ number: index + 1, hash: hashOf(seal) }));

t.test('it says how many seals there are, and number and hash of the last', async (t) => {
  const checker = createSealChecker();
  t.match([checker.seals, checker.last], [0, null]);
  for (const event of sound) checker.event(event);
  t.match([checker.seals, checker.last], [3, kept[2]]);
});

t.test('seals that were kept and are there are no finding', async (t) => {
  t.same(check(sound, kept), []);
});

t.test(
  'a ledger cut off behind a seal is sound in itself, but for whoever has kept a later one',
  async (t) => {
    const cut = sound.slice(0, sound.findIndex(at('seal-ledger', 1)) + 1);
    t.same(check(cut), []);
    t.same(check(cut, kept), [
      {
        what: 'a seal that was kept is missing',
        stream: 'seal-ledger',
        expected: `seal 3: ${kept[2]?.hash}`,
        found: 'seal 2 is the last',
      },
    ]);
    t.match(check([], kept.slice(0, 1)), [{ expected: /^seal 1: /, found: 'no seal at all' }]);
  },
);

t.test('so is one that was written anew from some event on', async (t) => {
  const anew = new SealedLedger();
  for (let seal = 0; seal < 3; seal++) {
    await anew.write('wallet-a', 5);
    await anew.seal();
  }
  const events = await anew.events();
  t.same(check(events), []);
  t.match(check(events, kept.slice(1, 2)), [
    {
      what: 'the hash of a seal that was kept',
      stream: 'seal-ledger',
      revision: 1,
      expected: kept[1]?.hash,
      found: /^[0-9a-f]{64}$/,
    },
  ]);
});
