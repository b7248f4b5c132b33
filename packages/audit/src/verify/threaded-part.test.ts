import t from 'tap';
import type { PartSettings } from './part.ts';
import { ThreadedPart } from './threaded-part.ts';

const NOTHING: PartSettings = { checkpoints: [], storeId: null, lasts: [], snapshots: [], shownMax: 10 };

const event = {
  id: '1',
  stream: 'wallet-a',
  revision: 0,
  position: 1n,
  type: 'AccountOpened',
  key: null,
  data: 'not JSON',
  meta: 'nor this',
};

t.test('a part in a thread answers as it is asked, in order', async (t) => {
  const part = new ThreadedPart(NOTHING);
  t.teardown(() => part.stop());
  await part.add([event], [0]);
  await part.add([{ ...event, revision: 1, position: 2n }], [0]);
  const { findings, covered } = await part.summary();
  t.match(
    findings.map(({ what, revision }) => [what, revision]),
    [
      ['the event carries no hash', 0],
      ['the event cannot be read', 0],
      ['the event carries no hash', 1],
      ['the event cannot be read', 1],
    ],
  );
  t.same([...covered], [['wallet-a', -1]]);
  t.same(await part.rows('balances'), []);
});

t.test('a thread that has ended is heard of, now and later', async (t) => {
  const part = new ThreadedPart(NOTHING);
  const asked = part.summary();
  const refused = t.rejects(asked, { message: /a thread of the audit ended/ });
  await part.stop();
  await refused;
  await t.rejects(part.rows('balances'), { message: /a thread of the audit ended/ });
});
