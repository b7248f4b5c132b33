import { openReads, readsSchema } from '@tallystick/projections';
import pg from 'pg';
import t from 'tap';
import { startRepriceSweep } from './reprice-sweep.ts';
import { startTestLedger } from './testing/ledger.ts';

const ledger = await startTestLedger();
const pool = new pg.Pool({ connectionString: ledger.postgres.url, max: 2 });
pool.on('error', () => undefined);
t.teardown(async () => {
  await pool.end();
  await ledger.stop();
});

const PRICES = { round_to: '1', prices: { calls: { credits: '2', per: 1 } } };
async function publish(name: string, models: object): Promise<void> {
  const { status, text } = await ledger.call('PUT', `/v1/price-books/${name}`, { models });
  if (status !== 201) throw new Error(text);
}
const park = (account: string, id: string, model: string) =>
  ledger.call('POST', '/v1/usage', { account, id, model, usage: { calls: 3 }, mode: 'record' });

/** The status of a usage once it is not parked any more. */
async function charged(account: string, id: string): Promise<{ repriced: string; credits: string }> {
  for (;;) {
    const { body } = await ledger.call('GET', `/v1/accounts/${account}/usage/${id}`);
    if (body.status === 'charged') return body;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

t.test('given parked usage, when a price for it is published, then it is charged by itself', async (t) => {
  await publish('default', { known: PRICES });
  await ledger.call('POST', '/v1/accounts', { id: 'a' });
  t.equal((await park('a', 'u1', 'new-model')).status, 202);
  t.equal((await park('a', 'u2', 'never-priced')).status, 202);
  const asked: number[] = [];
  const runner = new Proxy(ledger.runner, {
    get: (target, name) =>
      name !== 'execute'
        ? Reflect.get(target, name)
        : (...args: Parameters<typeof target.execute>) => {
            asked.push(args[1].length);
            return target.execute(...args);
          },
  });
  const stop = startRepriceSweep({
    runner,
    catalogue: ledger.catalogue,
    queries: openReads(pool, readsSchema('test')),
    everyMs: 5,
    onError: (error) => t.fail(String(error)),
  });
  t.teardown(stop);
  await publish('default', { known: PRICES, 'new-model': PRICES });
  t.match(await charged('a', 'u1'), { credits: '6', repriced: 'later_version' });
  t.ok(
    asked.every((orders) => orders === 1),
    'no wallet is asked about what has no price still',
  );
  const { body } = await ledger.call('GET', '/v1/usage?status=unpriced');
  t.same(
    body.data.map(({ id }: { id: string }) => id),
    ['u2'],
  );
  const again = await ledger.call('POST', '/v1/accounts/a/usage/u1/reprice');
  t.equal(again.status, 200, 'finance, coming second, finds it done');
  t.equal(again.body.credits, '6');
});

t.test('an account that is given a book of its own has its parked usage charged by it', async (t) => {
  await publish('special', { odd: PRICES });
  await ledger.call('POST', '/v1/accounts', { id: 'b' });
  t.equal((await park('b', 'u1', 'odd')).status, 202);
  const stop = startRepriceSweep({
    runner: ledger.runner,
    catalogue: ledger.catalogue,
    queries: openReads(pool, readsSchema('test')),
    everyMs: 5,
    passEveryMs: 20,
    onError: (error) => t.fail(String(error)),
  });
  t.teardown(stop);
  t.equal((await ledger.call('PATCH', '/v1/accounts/b', { price_book: 'special' })).status, 200);
  t.match(await charged('b', 'u1'), { credits: '6' });
});
