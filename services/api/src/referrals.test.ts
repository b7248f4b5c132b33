import { keys, parseCredits, type WalletCommand, walletDecider } from '@tallystick/domain';
import { earliestDue, openReads } from '@tallystick/projections';
import t from 'tap';
import { startTestLedger } from './testing/ledger.ts';

let offMs = 0;
const now = (): number => Date.now() + offMs;
const ledger = await startTestLedger({ now });
t.teardown(() => ledger.stop());
const { call, newKey, runner, pool, schema, projector } = ledger;
const WEEK_MS = 7 * 86_400_000;

for (const id of ['bob', 'tom', 'eve', 'late']) await call('POST', '/v1/accounts', { id });
const refer = (id: string, referred_by: string, key?: string) =>
  call('POST', `/v1/accounts/${id}/referral`, { referred_by }, key);
const balance = async (id: string): Promise<string> =>
  (await call('GET', `/v1/accounts/${id}/balance`)).body.available;

/** As the worker does; and the read models have seen it. */
async function order(account: string, command: WalletCommand): Promise<void> {
  const cause = { actor: 'worker', request: '' };
  const executed = await runner.execute(
    walletDecider,
    [{ id: account, command, cause }],
    Date.now() + offMs + 10_000,
  );
  if (executed === 'queue_full' || executed[0]?.status !== 'recorded')
    throw new Error(JSON.stringify(executed));
  await projector.waitFor({ position: executed[0].position }, 5_000);
}
const accrue = (from: string, revision: number, credits: string): WalletCommand => ({
  type: 'AccrueReferral',
  key: keys.referral(from, revision),
  fingerprint: 'accrual',
  from,
  revision,
  reason: 'purchase',
  ofCredits: parseCredits(credits),
  percent: '10',
  availableAt: now() + WEEK_MS,
});

t.test('an account is referred once, before it first tops up', async (t) => {
  t.match(await refer('tom', 'bob'), { status: 201, body: { account: 'tom', referred_by: 'bob' } });
  t.equal((await refer('tom', 'bob')).status, 200);
  t.match(await refer('tom', 'eve'), { status: 409, body: { code: 'referral_fixed', referred_by: 'bob' } });
  t.match(await refer('bob', 'tom'), { status: 409, body: { code: 'referral_cycle' } });
  t.match(await refer('bob', 'bob'), { status: 422, body: { code: 'self_referral' } });
  t.match(await refer('eve', 'nobody'), {
    status: 404,
    body: { code: 'account_not_found', account: 'nobody' },
  });
  t.match(await refer('nobody', 'bob'), { status: 404, body: { code: 'account_not_found' } });
  await call('POST', '/v1/accounts/late/top-ups', { credits: '1', source: 's', reference: 'r' });
  t.match(await refer('late', 'bob'), { status: 409, body: { code: 'referral_too_late' } });
});

t.test('an owner says it of the own account only', async (t) => {
  const owner = await newKey(['manage'], 'eve');
  t.equal((await refer('late', 'bob', owner)).status, 403);
  t.equal((await refer('eve', 'bob', owner)).status, 201);
  t.equal((await call('GET', '/v1/accounts/bob/referrals', undefined, owner)).status, 403);
});

t.test('what accrues is listed as pending, then as granted, also before the books are written', async (t) => {
  await order('bob', accrue('tom', 3, '10000'));
  await order('bob', accrue('eve', 5, '500'));
  const path = '/v1/accounts/bob/referrals';
  t.match((await call('GET', path)).body.data, [
    {
      from: 'eve',
      entry_id: 'wallet-eve:5',
      reason: 'purchase',
      credits: '50',
      status: 'pending',
      lot: null,
    },
    { from: 'tom', entry_id: 'wallet-tom:3', credits: '1000', status: 'pending', withheld: '0' },
  ]);
  const due = await earliestDue(openReads(pool, schema), now() + 2 * WEEK_MS);
  t.ok(due !== null && Math.abs(due - (now() + WEEK_MS)) < 60_000, 'the sweep finds it');
  t.equal(await balance('bob'), '0');
  offMs += WEEK_MS + 1_000;
  t.equal(await balance('bob'), '1050', 'as of its instant, whoever has come by');
  await order('bob', { type: 'CarryOutDues', key: null, fingerprint: null }).catch(() => undefined);
  await call('POST', '/v1/accounts/bob/top-ups', { credits: '1', source: 's', reference: 'r' });
  t.equal(await balance('bob'), '1051');
  t.match((await call('GET', path)).body.data, [{ status: 'granted' }, { status: 'granted' }]);
  t.match((await call('GET', '/v1/accounts/bob/statement')).body.data.length, 3);
});

t.test('what is taken back says so; what is withheld for it, too', async (t) => {
  await order('bob', accrue('tom', 8, '2000'));
  const key = keys.referralClawBack('tom', 8);
  await order('bob', { type: 'ClawBackReferral', from: 'tom', revision: 8, key, fingerprint: key });
  t.match((await call('GET', '/v1/accounts/bob/referrals?page_size=1')).body.data, [
    { credits: '200', withheld: '200', status: 'clawed_back' },
  ]);
  offMs += 2 * WEEK_MS;
  t.equal(await balance('bob'), '1051');
});
