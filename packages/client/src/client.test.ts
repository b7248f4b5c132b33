/** Every call once, against a real ledger: what it sends is taken, and what comes back is what it says. */
import t from 'tap';
import { ACCOUNT, MODEL, startServed } from './testing/served.ts';

const served = await startServed();
t.teardown(() => served.stop());
const client = served.client();
const { accounts, apiKeys, books, credits, holds, priceBooks, usage } = client;
const item = (id: string, model = MODEL) => ({ id, account: ACCOUNT, model, usage: { input_tokens: 10 } });

t.test('accounts are opened, changed, frozen, read and listed', async (t) => {
  const opened = await accounts.open({ id: 'beta', name: 'Beta', metadata: { tier: 2 } });
  t.match(opened, { id: 'beta', status: 'active', metadata: { tier: 2 } });
  t.strictSame(await accounts.open({ id: 'beta', name: 'Beta', metadata: { tier: 2 } }), opened);
  t.match(await accounts.change('beta', { overdraft_limit: '5' }), { overdraft_limit: '5' });
  t.match(await accounts.freeze('beta', { reason: 'late', reference: 'f1' }), { status: 'frozen' });
  await t.rejects(usage.post({ ...item('frozen'), account: 'beta' }), {
    code: 'account_frozen',
    status: 403,
  });
  t.match(await accounts.unfreeze('beta', 'f1'), { status: 'active', freezes: [] });
  t.match(await accounts.get('beta'), { id: 'beta', name: 'Beta' });
  const { data, next_cursor } = await accounts.list({ page_size: 1 });
  t.equal(data.length, 1);
  t.match((await accounts.list({ cursor: next_cursor ?? '' })).data, [{ id: 'beta' }]);
});

t.test('credits are added, given, corrected and taken back', async (t) => {
  const paid = { amount: '10', currency: 'USD' };
  const topUp = { credits: '100', paid, source: 'stripe', reference: 'ch_1' };
  const added = await credits.topUp('beta', topUp);
  t.match(added, { balance: { available: '100' } });
  t.strictSame(await credits.topUp('beta', topUp), added);
  const grant = await credits.grant('beta', { credits: '20', kind: 'welcome', reference: 'w1' });
  t.match(grant, { balance: { available: '120' } });
  t.match(await credits.adjust('beta', { credits: '-5', reason: 'a slip', reference: 'a1' }), {
    credits: '-5',
  });
  const reversed = await credits.reverse('beta', grant.entry_id, { reason: 'too early', allow_debt: true });
  t.match(reversed, { reverses: grant.entry_id, balance: { available: '95' } });
  const entry = await books.entry(reversed.entry_id, { min_position: reversed.position });
  t.match(entry, { account: 'beta', reverses: grant.entry_id });
  t.ok(entry.postings.length > 0);
});

t.test('usage is charged alone and in arrays, read, and priced later', async (t) => {
  const charged = await usage.post(item('one'));
  t.match(charged, { id: 'one', status: 'charged', credits: '10' });
  t.match(
    await usage.postMany([
      item('one'),
      item('two'),
      item('three', 'unheard-of'),
      { ...item('four'), account: 'nobody' },
    ]),
    [
      { id: 'one', status: 'charged', replayed: true },
      { id: 'two', status: 'charged' },
      { id: 'three', status: 'unpriced' },
      { id: 'four', status: 'refused', problem: { code: 'account_not_found' } },
    ],
  );
  const { position } = await usage.charge(item('five'));
  t.match(await usage.get(ACCOUNT, 'two', { min_position: position }), { model: MODEL, credits: '10' });
  t.equal((await usage.list(ACCOUNT, { order: 'oldest', from: '2020-01-01T00:00:00Z' })).data[0]?.id, 'one');
  t.match(await usage.unpriced(), { data: [{ id: 'three', status: 'unpriced' }], next_cursor: null });
  await priceBooks.publish('default', {
    models: Object.fromEntries(
      [MODEL, 'unheard-of'].map((model) => [model, { prices: { input_tokens: { credits: '1', per: 1 } } }]),
    ),
  });
  t.match(await usage.reprice(ACCOUNT, 'three'), { id: 'three', status: 'charged', credits: '10' });
});

t.test('prices are published, read and quoted', async (t) => {
  t.match(await priceBooks.get('default', { version: 1 }), { version: 1, models: { [MODEL]: {} } });
  const quote = await client.quote({ model: MODEL, usage: { input_tokens: 3 }, account: ACCOUNT });
  t.match(quote, { credits: '3', rounding: { rule: 'up' }, price_book: { name: 'default' } });
});

t.test('holds are placed, extended, settled, void, read and listed', async (t) => {
  const hold = { id: 'h1', expires_in: 60 };
  const asked = { account: ACCOUNT, model: MODEL, estimate: { input_tokens: 5 } };
  t.match(await client.authorize({ ...asked, hold }), { allowed: true, hold: { id: 'h1', credits: '5' } });
  t.match(await holds.extend(ACCOUNT, 'h1', { estimate: { input_tokens: 8 } }), { hold: { credits: '8' } });
  t.match((await holds.list(ACCOUNT, { open: true })).data, [{ id: 'h1', status: 'open' }]);
  t.match(await holds.settle(ACCOUNT, 'h1', { usage: { input_tokens: 6 } }), { id: 'h1', credits: '6' });
  await client.authorize({ ...asked, hold: { id: 'h2', expires_in: 60 } });
  t.match(await holds.void(ACCOUNT, 'h2'), { id: 'h2', status: 'voided' });
  t.match(await holds.get(ACCOUNT, 'h1'), { status: 'settled', model: MODEL });
});

t.test('balance, lots and statement are read, and the books come to zero', async (t) => {
  const { position } = await usage.post(item('last'));
  const at = { min_position: position };
  t.match(await accounts.balance(ACCOUNT, at), { account: ACCOUNT, held: '0', expiring: [] });
  t.match(await accounts.balanceAt(ACCOUNT, position, at), { account: ACCOUNT, as_of: String });
  t.match((await accounts.explain(ACCOUNT, { ...at, page_size: 1 })).data, [{ after: { held: '0' } }]);
  t.match((await accounts.lots(ACCOUNT, { open: true, ...at })).data, [{ unit: 'credits', expired: false }]);
  t.match((await accounts.statement(ACCOUNT, { page_size: 1 })).data, [{ usage_id: 'last', credits: '10' }]);
  const { units } = await books.trialBalance(at);
  t.ok(units.length > 1);
  t.ok(units.every(({ total }) => total === '0'));
});

t.test('API keys are made, listed and revoked', async (t) => {
  const { id, key } = await apiKeys.create({ name: 'reader', scopes: ['read'], account: ACCOUNT });
  const reader = served.client({ key });
  t.match(await reader.accounts.get(ACCOUNT), { id: ACCOUNT });
  t.notOk('metadata' in (await reader.accounts.get(ACCOUNT)));
  t.ok((await apiKeys.list()).data.length >= 1);
  t.equal(await apiKeys.revoke(id), undefined);
  await t.rejects(reader.accounts.get(ACCOUNT), { code: 'unauthorized' });
});

t.test('a closed client sends what waits and takes no more charges', async (t) => {
  const leaving = served.client();
  const charged = leaving.usage.charge(item('leaving'));
  await leaving.close();
  t.match(await charged, { status: 'charged' });
  await t.rejects(leaving.usage.charge(item('gone')), { name: 'ClientClosed' });
  await using scoped = served.client();
  const waiting = scoped.usage.charge(item('flushed'));
  await scoped.flush();
  t.match(await waiting, { status: 'charged' });
});
