/** What runs beyond a hard stop is at the platform's expense where the rules say so, and nowhere else; both are found out. */
import type { PlanTerms, WalletCommand } from '@tallystick/domain';
import { createMemoryStore, type RecordedEvent } from '@tallystick/event-store';
import { BOOK, charge, openTestLedger, type Plain, topUp } from '@tallystick/projections/testing';
import t from 'tap';
import { type Anything, type Change, damaged } from '../testing/damage.ts';
import { cancel, changePlan, DAY, hold, must, publishPlans, subscribe } from '../testing/subscribed.ts';
import { Audit } from './audit.ts';

const STOP: PlanTerms = {
  name: 'Stop',
  price: { credits: '10' },
  interval: 'month',
  anchor: 'subscription',
  grace: { days: 9, quota: 'full' },
  included: [{ unit: 'calls', model: '*', amount: '10', per: 'period' }],
  overage: 'refuse',
  refund_on_cancel: true,
};
const COST = { amount: '0.02', currency: 'USD' };
const overrun = (id: string): Plain<WalletCommand> => ({
  type: 'SettleHold',
  hold: id,
  usage: { calls: 99 },
  cost: COST,
});
const OURS = ['recorded', 'renewed', 'upgraded', 'lapsed', 'talked'];
const THEIRS = ['unpaid', 'left', 'expired', 'drawn'];
const LONG = 90 * DAY;

const ledger = await openTestLedger(createMemoryStore());
publishPlans(ledger);
ledger.publishPlan('stop', STOP);
ledger.publishPlan('tokens', {
  ...STOP,
  included: [{ unit: 'tokens', model: '*', amount: '50', per: 'period' }],
});
const prices = { images: { credits: '1', per: 1 }, output_tokens: { credits: '1', per: 10 } };
ledger.publish({ ...BOOK, models: { ...BOOK.models, draws: { prices } } });
ledger.publishPlan('more', { ...STOP, price: { credits: '20' } });
const accounts = ['recorded', 'renewed', 'upgraded', 'unpaid', 'left', 'expired', 'lapsed'];
for (const account of accounts) {
  await ledger.open(account);
  await must(ledger, account, topUp('t1', account === 'unpaid' || account === 'lapsed' ? 10 : 100));
  await must(ledger, account, subscribe('stop'));
}
for (const account of ['renewed', 'upgraded', 'left', 'lapsed'])
  await must(ledger, account, hold('h1', 'plain', { calls: 1 }, LONG));
await must(ledger, 'recorded', charge('u1', 99, { mode: 'record', cost: COST }));
await must(ledger, 'upgraded', changePlan('more', 'now'), overrun('h1'));
await must(ledger, 'left', cancel('now'), subscribe('stop', { reference: 's2' }), overrun('h1'));
await must(ledger, 'expired', hold('h1', 'plain', { calls: 1 }));
const drawn = ['drawn', 'talked'];
for (const account of drawn) {
  await ledger.open(account);
  await must(ledger, account, topUp('t1', 100), subscribe('tokens'));
}
const talks = (id: string): Plain<WalletCommand> => ({
  ...{ type: 'SettleHold', hold: id, usage: { images: 1, output_tokens: 90 }, cost: COST },
});
await must(ledger, 'drawn', hold('h1', 'draws', { images: 1 }), talks('h1'));
await must(ledger, 'talked', hold('h1', 'draws', {}), talks('h1'));
ledger.advance(31 * DAY);
for (const account of accounts) await ledger.run(account, { type: 'CarryOutDues' });
await must(ledger, 'unpaid', hold('h1', 'plain', { calls: 1 }, LONG));
for (const account of ['renewed', 'unpaid', 'expired']) await must(ledger, account, overrun('h1'));
ledger.advance(10 * DAY);
await must(ledger, 'lapsed', { type: 'CarryOutDues' }, overrun('h1'));
const { events } = await ledger.store.readAll({ after: null, limit: 100_000 });

async function findingsOf(of: readonly RecordedEvent[]): Promise<string[]> {
  const audit = new Audit({ checkpoints: [], storeId: null, lasts: [], snapshots: [], shownMax: 1_000 });
  await audit.add(
    of,
    of.map(() => 0),
  );
  return (await audit.summary()).findings.map(({ what }) => what);
}

const chargeOf = (account: string): RecordedEvent => {
  const found = events.find(({ stream, type }) => stream === `wallet-${account}` && type === 'UsageCharged');
  if (found === undefined) throw new Error(`${account} was charged nothing`);
  return found;
};
const book = ({ entry }: Anything, expense: string): void => {
  for (const leg of entry) if (leg.account.startsWith('expenses:')) leg.account = expense;
};

/** What was the platform's is told as the customer's, though he pays nothing either. */
const asTheirs: Change = (data, facts) => {
  delete data.violations;
  book(facts, 'expenses:suppliers:unknown');
};
const asOurs: Change = (data, facts) => {
  data.violations = ['quota_exhausted'];
  book(facts, `expenses:overrun:${data.plan.id}`);
};

t.test('what the ledger itself has written is at the expense that the rules say', async (t) => {
  t.same(await findingsOf(events), []);
  for (const [account, isOurs] of [
    ...OURS.map((one) => [one, true] as const),
    ...THEIRS.map((one) => [one, false] as const),
  ]) {
    const { violations = [] } = JSON.parse(chargeOf(account).data);
    t.equal(violations.includes('quota_exhausted'), isOurs, account);
  }
});

t.test(
  'an overrun that is said to be the customer’s is named, and so is one that is said to be ours',
  async (t) => {
    for (const account of OURS)
      t.match(
        await findingsOf(damaged(events, chargeOf(account), asTheirs)),
        [
          'what runs beyond a hard stop is at another expense',
          'the cost of a call is booked as another expense',
        ],
        account,
      );
    for (const account of THEIRS) {
      const found = await findingsOf(damaged(events, chargeOf(account), asOurs));
      for (const named of [
        'what runs beyond a hard stop is at another expense',
        'the cost of a call is booked as another expense',
      ])
        t.ok(found.includes(named), `${account}: ${named}`);
    }
  },
);

t.test('an overrun whose cost is booked elsewhere is named', async (t) => {
  const elsewhere: Change = (_, facts) => book(facts, 'expenses:overrun:other');
  for (const account of ['renewed', 'unpaid'])
    t.same(await findingsOf(damaged(events, chargeOf(account), elsewhere)), [
      'the cost of a call is booked as another expense',
    ]);
});

t.test('a hold that says that it was paid for in another subscription is named', async (t) => {
  for (const account of ['renewed', 'unpaid']) {
    const placed = events.find(({ stream, type }) => stream === `wallet-${account}` && type === 'HoldPlaced');
    const elsewhere: Change = ({ plan }) => {
      plan.paid_in = 'sub-99';
    };
    t.match(await findingsOf(damaged(events, placed ?? chargeOf(account), elsewhere)), [
      'a hold was paid for in another subscription',
    ]);
  }
});
