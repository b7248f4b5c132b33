import t from 'tap';
import { problem } from './testing/between.ts';
import { ACCOUNT, CREDITS, MODEL, startServed } from './testing/served.ts';

const served = await startServed();
t.teardown(() => served.stop());
const { between } = served;
const client = served.client();
const request = { account: ACCOUNT, model: MODEL, estimate: { input_tokens: 10 } };
const open = { timeoutMs: 200, onTimeout: 'allow' } as const;
const closed = { timeoutMs: 200, onTimeout: 'deny' } as const;

t.beforeEach(() => {
  between.requests.length = 0;
  between.mishaps.length = 0;
});
/** More than any time-out leaves room for. */
const always = (mishap: (typeof between.mishaps)[number]) => Array.from({ length: 50 }, () => mishap);

t.test('the ledger decides where it can, and the answer says that it was the ledger', async (t) => {
  const ample = { ...open, timeoutMs: 10_000 };
  t.match(await client.authorize(request, ample), { allowed: true, credits: '10', decidedBy: 'ledger' });
  const poor = { ...request, estimate: { input_tokens: CREDITS + 1 } };
  t.match(await client.authorize(poor, ample), {
    allowed: false,
    reasons: ['insufficient_credits'],
    decidedBy: 'ledger',
  });
});

for (const [what, mishap] of [
  ['nobody answers', 'hang'],
  ['the connection breaks', 'lose_request'],
  ['the ledger is away', problem('store_unavailable', 503)],
  ['the ledger is at fault', problem('internal_error', 500)],
  ['the ledger is too busy', problem('queue_full', 429)],
  ['something in between answers', { status: 502, body: 'Bad Gateway' }],
] as const) {
  t.test(`when ${what} the caller's policy decides, and the answer says so`, async (t) => {
    between.mishaps.push(...always(mishap));
    const allowed = await client.authorize(request, open);
    t.match(allowed, { decidedBy: 'policy', allowed: true, credits: null, available: null });
    t.strictSame(allowed.reasons, []);
    const denied = await client.authorize(request, closed);
    t.match(denied, { decidedBy: 'policy', allowed: false, reasons: ['no_decision'] });
    t.ok(denied.decidedBy === 'policy' && denied.cause instanceof Error);
  });
}

t.test('a ledger that comes back in time is asked again', async (t) => {
  between.mishaps.push('lose_request');
  const ample = { timeoutMs: 10_000, onTimeout: 'allow' } as const;
  t.match(await client.authorize(request, ample), { decidedBy: 'ledger', allowed: true });
  t.equal(between.requests.length, 2);
});

t.test('a request that is refused is thrown, whatever the policy', async (t) => {
  const ample = { ...open, timeoutMs: 10_000 };
  await t.rejects(client.authorize({ ...request, account: 'nobody' }, ample), { code: 'account_not_found' });
  await t.rejects(served.client({ key: 'wrong' }).authorize(request, ample), { code: 'unauthorized' });
  between.mishaps.push({ status: 404, body: 'no such page' });
  await t.rejects(client.authorize(request, ample), { name: 'LedgerUnreachable', status: 404 });
});

t.test('an account that has too many open holds is not let through by its own doing', async (t) => {
  between.mishaps.push(...always(problem('too_many_holds', 429)));
  await t.rejects(client.authorize(request, open), { code: 'too_many_holds' });
});

t.test('without a time-out an outage is thrown', async (t) => {
  between.mishaps.push(...always('lose_request'));
  await t.rejects(served.client({ withinMs: 100 }).authorize(request), { name: 'LedgerUnreachable' });
});
