import { createMemoryStore, type EventStore, type RecordedEvent } from '@tallystick/event-store';
import { charge, liveThrough, openTestLedger, topUp } from '@tallystick/projections/testing';
import t from 'tap';
import { walletBalanceAt } from '../balance-at.ts';
import { exportJournal } from '../export/export.ts';
import { trialBalanceAt } from '../trial-balance.ts';
import { Examiner, type Found } from './examiner.ts';

async function eventsLived(seed: number): Promise<readonly RecordedEvent[]> {
  const ledger = await openTestLedger(createMemoryStore());
  await liveThrough(ledger, { seed, steps: 250 });
  return (await ledger.store.readAll({ after: null, limit: 100_000 })).events;
}

/** `wallet-acme`: opened, a top-up, a charge, a hold, a charge, an adjustment. */
async function eventsOfAcme(): Promise<{ store: EventStore; events: readonly RecordedEvent[] }> {
  const ledger = await openTestLedger(createMemoryStore());
  await ledger.open('acme', '10');
  await ledger.run('acme', topUp('r1', 100, { paid: { amount: '90.5', currency: 'USD' } }));
  await ledger.run('acme', charge('u1', 3, { model: 'maker/costly' }), charge('u2', 2));
  await ledger.run('acme', {
    type: 'PlaceHold',
    hold: 'h1',
    model: 'plain',
    estimate: { calls: 7 },
    expiresInMs: 600_000,
  });
  await ledger.run('acme', { type: 'AdjustCredits', credits: -2_500_000n, reason: 'why', reference: 'a1' });
  const { events } = await ledger.store.readAll({ after: null, limit: 1_000 });
  return { store: ledger.store, events };
}

function examined(events: readonly RecordedEvent[]): Found & { readonly passed: number } {
  const examiner = new Examiner(null);
  const passed = events.filter((event) => examiner.examine(event) !== null).length;
  return { ...examiner.end(), passed };
}

const isOfAcme = (revision: number) => (event: RecordedEvent) =>
  event.stream === 'wallet-acme' && event.revision === revision;

/** The event at a revision of acme, changed by hand. */
function changed(
  events: readonly RecordedEvent[],
  revision: number,
  column: 'data' | 'meta',
  [before, after]: readonly [string | RegExp, string],
): RecordedEvent[] {
  return events.map((event) => {
    if (!isOfAcme(revision)(event)) return event;
    const text = event[column].replace(before, after);
    if (text === event[column]) throw new Error(`nothing to change in ${event[column]}`);
    return { ...event, [column]: text };
  });
}

t.test('in what the ledger itself has written nothing is wrong, whatever it was', async (t) => {
  for (const seed of [1, 2, 3, 4]) {
    const events = await eventsLived(seed);
    t.strictSame(examined(events), { count: 0, findings: [], passed: events.length }, `seed ${seed}`);
  }
});

t.test(
  'a missing event is named, and so is the balance behind it that the rest does not come to',
  async (t) => {
    const { events } = await eventsOfAcme();
    const { findings } = examined(events.filter((event) => !isOfAcme(2)(event)));
    t.match(findings, [
      { what: 'events are missing', stream: 'wallet-acme', revision: 2, expected: 'revision 2', found: null },
      { what: /^available after the event/, revision: 3, expected: '98', found: '92.6159' },
    ]);
    t.equal(findings.length, 2);
  },
);

t.test('what was changed by hand in one event is named by its stream and revision', async (t) => {
  const { events } = await eventsOfAcme();
  for (const [revision, column, change, what] of [
    [1, 'data', [/^.*$/, '{}'], /does not carry what its type must carry/],
    [1, 'data', [/^.*$/, 'no JSON'], /cannot be read/],
    [1, 'meta', [/"facts":\{.*\},"hash"/, '"hash"'], /cannot be read/],
    [1, 'data', ['"recorded_at":"', '"recorded_at":"x'], /does not carry/],
    [1, 'data', ['"v":1', '"v":2'], /version of the envelope/],
    [2, 'data', ['"credits":', '"credit":'], /does not carry/],
    [2, 'data', ['"after":', '"later":'], /does not carry/],
    [2, 'meta', ['"round_to":"', '"round_to":"0.5'], /not the price rounded up|does not carry/],
    [3, 'data', ['"unit":"credits","amount":"2"', '"unit":"credits","amount":"3"'], /does not come to zero/],
    [3, 'data', [/"amount":"(-?)2"/g, '"amount":"$13"'], /posts another amount/],
    [3, 'data', ['"credits":"2","price_book"', '"credits":"3","price_book"'], /not what its moves make/],
    [3, 'data', ['{"calls":2}', '{"calls":5}'], /lines of the price are not those of the usage/],
    [3, 'meta', ['"exact":"2","price"', '"exact":"3","price"'], /not its quantity at its price/],
    [3, 'meta', ['"exact":"2","round_to"', '"exact":"3","round_to"'], /not the sum of its lines/],
    [5, 'data', [/"available":"\d/, '"available":"7'], /available after the event/],
    [4, 'data', ['"held":"7"', '"held":"8"'], /held after the event/],
    [4, 'data', ['{"calls":7}', '{"calls":6}'], /lines of the price/],
  ] as const) {
    const { findings } = examined(changed(events, revision, column, change));
    t.ok(
      findings.some(
        (one) => what.test(one.what) && one.stream === 'wallet-acme' && one.revision === revision,
      ),
      `${what}: ${JSON.stringify(findings)}`,
    );
    t.notMatch(JSON.stringify(findings), /undefined/);
  }
});

t.test('an event whose text was changed is named even where all of it agrees', async (t) => {
  const { events } = await eventsOfAcme();
  t.match(examined(changed(events, 5, 'data', ['"why"', '"because"'])), {
    count: 1,
    findings: [{ what: /hash chain breaks/, stream: 'wallet-acme', revision: 5 }],
  });
});

t.test('an event that cannot be accounted for is in no sum, and every reader names it', async (t) => {
  const { store, events } = await eventsOfAcme();
  const damaged = changed(events, 2, 'data', [/^.*$/, '{}']);
  const over: EventStore = {
    ...store,
    readAll: async (options) => ({ ...(await store.readAll(options)), events: damaged }),
    readStream: async (stream, { from }) =>
      damaged.filter((event) => event.stream === stream && event.revision >= from),
  };
  const finding = { what: /does not carry/, stream: 'wallet-acme', revision: 2 };
  t.match(await walletBalanceAt(over, 'acme', null), { consumed: '2', findings: [finding] });
  const { units, findings } = await trialBalanceAt(over, null);
  t.match(findings, [finding]);
  for (const { unit, total } of units) t.equal(total, '0', unit);
  const found: Found[] = [];
  let journal = '';
  for await (const text of exportJournal(over, { format: 'csv', onEnd: (at) => found.push(at) }))
    journal += text;
  t.match(found, [{ findings: [finding] }]);
  t.notMatch(journal, /wallet-acme:2,|undefined/);
});

t.test('what is wrong after a moment is no matter of the moment', async (t) => {
  const { events } = await eventsOfAcme();
  const damaged = changed(events, 4, 'data', [/^.*$/, '{}']);
  const position = events.find(isOfAcme(3))?.position ?? 0n;
  const examiner = new Examiner({ position });
  for (const event of damaged) examiner.examine(event);
  t.equal(examiner.end().count, 0);
});
