import t from 'tap';
import { startTestLedger } from './testing/ledger.ts';

const ledger = await startTestLedger();
t.teardown(() => ledger.stop());
const { call } = ledger;

const plan = { name: 'A plan', interval: 'month', included: [], overage: 'credits' };
await call('PUT', '/v1/plans/basic', { ...plan, price: { credits: '1' } });
await call('PUT', '/v1/plans/pro', { ...plan, price: { credits: '2' } });

t.test('every answer that shows a subscription tells how it is paid', async (t) => {
  for (const pay of ['credits', 'external'] as const) {
    const url = `/v1/accounts/${pay}`;
    await call('POST', '/v1/accounts', { id: pay });
    await call('POST', `${url}/top-ups`, { credits: '9', source: 's', reference: 'r' });
    const started = await call('POST', `${url}/subscription`, { plan: 'basic', pay, reference: 'r' });
    t.equal(started.body.subscription?.pay, pay, pay);
    const change = { plan: 'pro', when: 'period_end' };
    const { current_period_start: period_start } = started.body.subscription;
    const paid = { period_start, result: 'paid', reference: 'p' };
    for (const [method, path, body] of [
      ['GET', '', undefined],
      ['POST', '/preview', change],
      ['POST', '/change', { ...change, reference: 'c' }],
      ['POST', '/resume', undefined],
      ...(pay === 'external' ? ([['POST', '/payments', paid]] as const) : []),
      ['POST', '/cancel', { when: 'now', reference: 'c' }],
    ] as const) {
      const answer = await call(method, `${url}/subscription${path}`, body);
      t.equal(answer.body.subscription?.pay, pay, `${pay} ${path}`);
    }
    t.match((await call('GET', `${url}/subscriptions`)).body.data, [{ pay }]);
  }
});
