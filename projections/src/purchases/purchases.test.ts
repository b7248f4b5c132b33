/** Rows of purchases, coupons and accruals against the wallets that they are rows of; and filled anew they are the same. */
import { type CouponOffer, formatCredits, type Money, type Offer, usesOf } from '@tallystick/domain';
import { createMemoryStore } from '@tallystick/event-store';
import { startPostgres } from '@tallystick/event-store/testing';
import fc from 'fast-check';
import pg from 'pg';
import t, { type Test } from 'tap';
import { createBalanceReader, listDueAccounts } from '../balances/queries.ts';
import { startProjector } from '../projector.ts';
import { openReads } from '../reads.ts';
import { rebuildReads } from '../rebuild.ts';
import { openTestLedger, type TestLedger } from '../testing/ledger.ts';
import { allRows } from '../testing/rows.ts';
import { listAccountCoupons, listPurchases, listReferralAccruals } from './queries.ts';

const server = await startPostgres();
const pool = new pg.Pool({ connectionString: server.url, max: 10 });
pool.on('error', () => undefined);
t.teardown(async () => {
  await pool.end();
  await server.stop();
});

const DAY = 24 * 3_600_000;
const usd = (amount: string): Money => ({ amount, currency: 'USD' });
const OFFER: Offer = {
  package: { id: 'free', version: 2 },
  terms: { rate: { credits: '100', currency: 'USD' }, volume_bonus: [{ from: '100', percent: '10' }] },
  price: usd('100'),
};
const TEN: CouponOffer = { code: 'TEN', version: 1, terms: { percent: '10', max_uses_per_account: 2 } };
const GIFT: CouponOffer = { code: 'GIFT', version: 3, terms: { credits: '7.5', max_uses_per_account: 1 } };

async function open(t: Test, schema: string) {
  const ledger = await openTestLedger(createMemoryStore());
  const projector = startProjector({ store: ledger.store, pool, schema, gatherMs: 0, hurryMs: 0 });
  t.teardown(() => projector.stop());
  await ledger.open('acme');
  return { ledger, projector, reads: openReads(pool, schema, ledger.catalogues) };
}

const buy = (
  id: string,
  { paid = false, coupon = null }: { paid?: boolean; coupon?: CouponOffer | null } = {},
) => ({ type: 'OpenPurchase', id, offer: OFFER, coupon, paid }) as const;
const pay = (purchase: string, amount: string, reference: string) =>
  ({ type: 'RecordPurchasePayment', purchase, paid: usd(amount), reference }) as const;
const accrue = (revision: number, credits: bigint, availableAt: number) =>
  ({
    type: 'AccrueReferral',
    from: 'tom',
    revision,
    reason: 'purchase',
    ofCredits: credits,
    percent: '10',
    availableAt,
  }) as const;

t.test('a purchase is a row from its opening on, with what became of it', async (t) => {
  const { ledger, projector, reads } = await open(t, 'purchases');
  const of = { account: 'acme' };
  await ledger.run('acme', buy('p1', { coupon: TEN }), buy('p2'), buy('p3', { paid: true }));
  await ledger.run('acme', pay('p1', '90', 'c1'), { type: 'CancelPurchase', purchase: 'p2' });
  const { revision } = await ledger.wallet('acme');
  await ledger.run('acme', {
    type: 'ReverseEntry',
    revision: revision - 2,
    reason: 'refund',
    allowDebt: false,
  });
  await projector.caughtUp();
  const { data } = await listPurchases(reads, of);
  t.match(data, [
    { id: 'p3', status: 'paid', bonus: '1000', total: usd('100'), coupon: null },
    { id: 'p2', status: 'canceled', lots: [], entry_id: null },
    {
      id: 'p1',
      status: 'paid',
      package: { id: 'free', version: 2 },
      credits: '10000',
      bonus: '0',
      price: usd('100'),
      discount: usd('10'),
      total: usd('90'),
      coupon: 'TEN',
      lots: [`lot-${revision - 2}`],
      entry_id: `wallet-acme:${revision - 2}`,
    },
  ]);
  t.same(
    data.map(({ reversed_at }) => reversed_at !== null),
    [false, false, true],
  );
  t.match((await listAccountCoupons(reads, of)).data, [{ code: 'TEN', status: 'freed', purchase: 'p1' }]);
  const first = await listPurchases(reads, { ...of, pageSize: 2 });
  const rest = await listPurchases(reads, { ...of, pageSize: 2, cursor: first.next_cursor ?? '' });
  t.same([...first.data, ...rest.data], data, 'page by page it is the same');
});

t.test(
  'an accrual is pending until its time has come, and balances know of it before the books do',
  async (t) => {
    const { ledger, projector, reads } = await open(t, 'accruals');
    const at = ledger.now() + 7 * DAY;
    await ledger.run('acme', accrue(3, 1_000_000_000n, at), accrue(9, 50_000_000n, at + DAY));
    await projector.caughtUp();
    t.same(await listDueAccounts(reads, at - 1, 10), []);
    t.same(await listDueAccounts(reads, at, 10), ['acme']);
    const balances = createBalanceReader(reads);
    const available = async (now: number) => (await balances.read('acme', now))?.view.available;
    t.same([await available(at - 1), await available(at), await available(at + DAY)], ['0', '100', '105']);
    ledger.advance(7 * DAY);
    await ledger.run(
      'acme',
      { type: 'CarryOutDues' },
      { type: 'ClawBackReferral', from: 'tom', revision: 9 },
    );
    await projector.caughtUp();
    t.match((await listReferralAccruals(reads, { account: 'acme' })).data, [
      { entry_id: 'wallet-tom:9', credits: '5', status: 'clawed_back', withheld: '5', lot: null },
      { entry_id: 'wallet-tom:3', credits: '100', status: 'granted', withheld: '0' },
    ]);
    t.same(await listDueAccounts(reads, at + 9 * DAY, 10), [], 'nothing is due any more');
  },
);

const few = fc.integer({ min: 0, max: 4 });
type Plain = Parameters<TestLedger['run']>[1];
/** By the time of the ledger when it is given. */
const commands: fc.Arbitrary<(now: number) => Plain> = fc.oneof(
  fc.tuple(few, fc.boolean(), fc.boolean()).map(
    ([n, paid, used]) =>
      () =>
        buy(`p${n}`, { paid, coupon: used ? TEN : null }),
  ),
  fc.tuple(few, fc.constantFrom('90', '100'), few).map(
    ([n, sum, c]) =>
      () =>
        pay(`p${n}`, sum, `c${c}`),
  ),
  few.map((n) => () => ({ type: 'CancelPurchase', purchase: `p${n}` }) as const),
  fc.constantFrom(TEN, GIFT).map((coupon) => () => ({ type: 'ApplyCoupon', ...coupon }) as const),
  fc.constant(() => ({ type: 'ForgetCoupon', code: 'TEN' }) as const),
  fc.tuple(few, fc.bigInt({ min: 10n, max: 90_000_000n }), few).map(
    ([n, credits, days]) =>
      (now: number) =>
        accrue(n, credits, now + days * DAY),
  ),
  few.map((revision) => () => ({ type: 'ClawBackReferral', from: 'tom', revision }) as const),
  fc.tuple(fc.nat({ max: 40 }), fc.boolean()).map(
    ([revision, allowDebt]) =>
      () =>
        ({ type: 'ReverseEntry', revision, reason: 'r', allowDebt }) as const,
  ),
  fc.constant(() => ({ type: 'CarryOutDues' }) as const),
);

t.test(
  'rows say what the wallet says, whatever has happened, and filled anew they are the same',
  async (t) => {
    let schemas = 0;
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(commands, few), { minLength: 25, maxLength: 60, size: 'max' }),
        async (all) => {
          schemas += 1;
          const schema = `any${schemas}`;
          const { ledger, projector, reads } = await open(t, schema);
          for (const [command, days] of all) {
            await ledger.run('acme', command(ledger.now()));
            ledger.advance(days === 4 ? DAY : 0);
          }
          await projector.caughtUp();
          const { state } = await ledger.wallet('acme');
          const of = { account: 'acme', pageSize: 500 };
          const coupons = (await listAccountCoupons(reads, of)).data;
          const saved = coupons.filter(({ status }) => status === 'saved').map(({ code }) => code);
          t.same(saved.sort(), [...state.coupons.saved].sort());
          for (const code of ['TEN', 'GIFT']) {
            const used = coupons.filter((row) => row.code === code && row.status === 'used').length;
            t.equal(used, usesOf(state.coupons, code));
          }
          const accruals = (await listReferralAccruals(reads, of)).data;
          const pending = accruals.filter(({ status }) => status === 'pending');
          const left = ({ credits, withheld }: (typeof accruals)[number]) =>
            Number(credits) - Number(withheld);
          t.same(
            pending.map((row) => `${row.entry_id} ${left(row).toFixed(6)}`).sort(),
            state.referral.pending
              .map(({ from, revision, credits }) => {
                return `wallet-${from}:${revision} ${Number(formatCredits(credits)).toFixed(6)}`;
              })
              .sort(),
          );
          await projector.stop();
          const live = await allRows(pool, schema);
          await rebuildReads({ store: ledger.store, pool, schema: `${schema}_new` });
          t.same(await allRows(pool, `${schema}_new`), live);
        },
      ),
      { numRuns: 12 },
    );
  },
);
