import { decodeEvent } from '@tallystick/event-store';
import t from 'tap';
import { startTestLedger } from './testing/ledger.ts';

const ledger = await startTestLedger();
t.teardown(() => ledger.stop());
const { call } = ledger;

t.test(
  'an account without anything said has an id, no price book of its own, and no overdraft',
  async (t) => {
    const { status, body } = await call('POST', '/v1/accounts', {});
    t.equal(status, 201);
    t.match(body.id, /^acct_[0-9a-f]{32}$/);
    t.match(body, { name: null, status: 'active', price_book: null, overdraft_limit: '0', time_zone: 'UTC' });
    t.match((await call('GET', `/v1/accounts/${body.id}`)).body, body);
  },
);

t.test('a change keeps what it does not name, and null takes back', async (t) => {
  const opened = { id: 'acme', name: 'Acme', price_book: 'vip', currency: 'EUR', metadata: { crm: 7 } };
  await call('POST', '/v1/accounts', opened);
  const { status, body } = await call('PATCH', '/v1/accounts/acme', {
    overdraft_limit: '2.50',
    price_book: null,
  });
  t.equal(status, 200);
  const changed = { ...opened, price_book: null, overdraft_limit: '2.5' };
  t.match(body, changed);
  t.match((await call('GET', '/v1/accounts/acme')).body, changed, 'and the next read sees it');
  const { events } = ledger.runner.counts;
  t.match((await call('PATCH', '/v1/accounts/acme', { overdraft_limit: '2.5', name: 'Acme' })).body, changed);
  t.equal(ledger.runner.counts.events, events, 'a change to what it is already records nothing');
});

t.test(
  'freezing is a set of reasons; lifting one leaves the others, and a reference may come again',
  async (t) => {
    await call('POST', '/v1/accounts', { id: 'cold' });
    const freeze = (reference: string) =>
      call('POST', '/v1/accounts/cold/freeze', { reason: 'dispute', reference });
    const lift = (reference: string) => call('POST', '/v1/accounts/cold/unfreeze', { reference });
    t.match((await freeze('d1')).body, {
      status: 'frozen',
      freezes: [{ reference: 'd1', reason: 'dispute' }],
    });
    t.equal((await freeze('d1')).status, 200, 'twice is once');
    await freeze('d2');
    t.match((await lift('d1')).body, { status: 'frozen', freezes: [{ reference: 'd2' }] });
    t.match((await lift('d2')).body, { status: 'active', freezes: [] });
    t.match((await lift('d2')).body, { status: 'active' });
    t.match((await freeze('d1')).body, { status: 'frozen', freezes: [{ reference: 'd1' }] });
    t.match((await call('GET', '/v1/accounts/cold')).body, { status: 'frozen' });
  },
);

t.test('pages follow one another without gap or overlap', async (t) => {
  for (const id of ['p1', 'p2', 'p3', 'p4', 'p5']) await call('POST', '/v1/accounts', { id });
  const position = (await call('POST', '/v1/accounts/p5/grants', { credits: '1', kind: 'k', reference: 'r' }))
    .body.position;
  const ids: string[] = [];
  let cursor = '';
  do {
    const { body } = await call('GET', `/v1/accounts?page_size=2&min_position=${position}${cursor}`);
    t.ok(body.data.length <= 2);
    ids.push(...body.data.map(({ id }: { id: string }) => id));
    cursor = body.next_cursor === null ? '' : `&cursor=${body.next_cursor}`;
  } while (cursor !== '');
  t.same(ids, [...new Set(ids)].sort(), 'in the order of their ids');
  t.ok(['p1', 'p2', 'p3', 'p4', 'p5', 'acme'].every((id) => ids.includes(id)));
});

t.test('rule 17: nothing of a name or of metadata reaches the chain, not even as a digest', async (t) => {
  const people = [
    { id: 'person-1', name: 'Ada Lovelace', metadata: { mail: 'ada@example.org' } },
    { id: 'person-2', name: 'Grace Hopper', metadata: { mail: 'grace@example.org' } },
  ];
  const fingerprints = new Set<string | null>();
  for (const person of people) {
    t.equal((await call('POST', '/v1/accounts', person)).status, 201);
    for (const recorded of await ledger.store.readStream(`wallet-${person.id}`, { from: 0, limit: 10 })) {
      t.notMatch(recorded.data + recorded.meta, /Lovelace|Hopper|example\.org/);
      fingerprints.add(decodeEvent(recorded).fingerprint);
    }
  }
  t.equal(fingerprints.size, 1, 'two persons, one fingerprint: it is made of the terms alone');
});
