/** The read models and snapshots of what accounts buy: those of a sound ledger agree, and what is changed by hand is named. */
import { walletDecider } from '@tallystick/domain';
import { createMemoryStore, hashOf } from '@tallystick/event-store';
import { startPostgres } from '@tallystick/event-store/testing';
import { folderOf, startProjector } from '@tallystick/projections';
import { liveThrough, openTestLedger } from '@tallystick/projections/testing';
import pg from 'pg';
import t from 'tap';
import { buyThrough } from './testing/bought.ts';
import { subscribeAtRandom } from './testing/random.ts';
import { subscribeThrough } from './testing/subscribed.ts';
import type { Finding } from './verify/finding.ts';
import { type Verdict, verifyLedger } from './verify.ts';

const server = await startPostgres();
const pool = new pg.Pool({ connectionString: server.url, max: 4 });
t.teardown(async () => {
  await pool.end();
  await server.stop();
});

const ledger = await openTestLedger(createMemoryStore());
const accounts = [...(await subscribeThrough(ledger)), ...(await buyThrough(ledger))];
// As on a store that does not enforce keys: then there is a key index to be compared.
const store = { ...ledger.store, enforcesKeys: false };
const projector = startProjector({ store, pool, schema: 'reads', batchMax: 40, gatherMs: 0 });
await projector.caughtUp();
await projector.stop();

const verify = (threads = 0): Promise<Verdict> =>
  verifyLedger({ store, pool, schema: 'reads', threads, shownMax: 1_000 });

t.test('a sound ledger agrees, row for row, in however many threads', async (t) => {
  for (const threads of [0, 2]) t.match(await verify(threads), { count: 0, findings: [], behind: 0 });
  for (const table of ['subscriptions', 'quotas', 'purchases', 'account_coupons', 'referral_accruals']) {
    const { rows } = await pool.query(`select count(*)::int as count from reads.${table}`);
    t.ok(rows[0].count > 2, `${table}: ${rows[0].count}`);
  }
});

t.test('so do those of subscribers at random', async (t) => {
  for (const seed of [51, 52]) {
    for (const [kind, live] of Object.entries({ subscribeAtRandom, liveThrough })) {
      const other = await openTestLedger(createMemoryStore(), `store-${kind}-${seed}`);
      await live(other, { seed, steps: 250, ...(kind === 'liveThrough' ? { subscriptions: true } : {}) });
      const keyless = { ...other.store, enforcesKeys: false };
      const schema = `seed_${kind.toLowerCase()}_${seed}`;
      const projecting = startProjector({ store: keyless, pool, schema, batchMax: 25, gatherMs: 0 });
      await projecting.caughtUp();
      await projecting.stop();
      const verdict = await verifyLedger({ store: keyless, pool, schema, threads: 0 });
      t.match(verdict, { count: 0, findings: [] }, `${kind}, seed ${seed}`);
    }
  }
});

type Wanted = Partial<Finding>;

t.test('a row that was changed by hand is named', async (t) => {
  const outside = `account = 'sub-outside'`;
  const row = { account: 'sub-outside', row: 'subscription sub-3' };
  const cases: readonly (readonly [damage: string, wanted: Wanted])[] = [
    [
      `update reads.subscriptions set status = 'active' where ${outside}`,
      { column: 'status', expected: 'lapsed', ...row },
    ],
    [
      `update reads.subscriptions set plan = 'mine' where ${outside}`,
      { column: 'plan', expected: 'stopped', ...row },
    ],
    [
      `update reads.subscriptions set plan_version = 7 where ${outside}`,
      { column: 'plan_version', found: '7' },
    ],
    [`update reads.subscriptions set period_end = now() where ${outside}`, { column: 'period_end', ...row }],
    [`update reads.subscriptions set ended_at = null where ${outside}`, { column: 'due_at', expected: null }],
    [`update reads.subscriptions set grace_ends_at = now() where ${outside}`, { column: 'grace_ends_at' }],
    [`update reads.subscriptions set next_grant_at = now() where ${outside}`, { column: 'next_grant_at' }],
    [
      `update reads.subscriptions set born = 4 where ${outside}`,
      { column: 'born', expected: '3', found: '4' },
    ],
    [`update reads.subscriptions set picture = '{}' where ${outside}`, { column: 'picture', found: '{}' }],
    [`update reads.subscriptions set terms = '{}' where ${outside}`, { column: 'terms', found: '{}' }],
    [`update reads.subscriptions set pots = '{}' where ${outside}`, { column: 'pots', expected: null }],
    [
      `update reads.subscriptions set paid_money = '[1]' where ${outside}`,
      { column: 'paid_money', expected: '[]' },
    ],
    [`update reads.subscriptions set started_at = now() where ${outside}`, { column: 'started_at' }],
    [`update reads.subscriptions set revision = 1 where ${outside}`, { column: 'revision', found: '1' }],
    [
      `delete from reads.subscriptions where ${outside}`,
      { table: 'subscriptions', what: 'a row is missing' },
    ],
    [
      `insert into reads.quotas select account, 'mine', unit, model, granted, free, pinned, used, expired, open, starts_at,
         expires_at, counted_dimensions, origin, subscription, line, born, created_at, currency, paid_in_all, paid
       from reads.quotas where ${outside} limit 1`,
      { table: 'quotas', what: 'a row that no event makes', row: 'quota mine' },
    ],
    ...['granted', 'free', 'pinned', 'used', 'expired', 'paid_in_all', 'paid', 'line', 'born'].map(
      (column): readonly [string, Wanted] => [
        `update reads.quotas set ${column} = 77 where account = 'sub-late' and quota = 'quota-3'`,
        { table: 'quotas', account: 'sub-late', row: 'quota quota-3', column },
      ],
    ),
    ...['model', 'counted_dimensions', 'origin', 'subscription', 'currency', 'unit'].map(
      (column): readonly [string, Wanted] => [
        `update reads.quotas set ${column} = 'XXX' where account = 'sub-late' and quota = 'quota-3'`,
        { table: 'quotas', account: 'sub-late', row: 'quota quota-3', column, found: 'XXX' },
      ],
    ),
    ...['starts_at', 'expires_at', 'created_at'].map((column): readonly [string, Wanted] => [
      `update reads.quotas set ${column} = now() where account = 'sub-late' and quota = 'quota-3'`,
      { table: 'quotas', row: 'quota quota-3', column },
    ]),
    [
      `update reads.quotas set open = not open where account = 'sub-late' and quota = 'quota-3'`,
      { table: 'quotas', column: 'open' },
    ],
    [
      'update reads.quota_pins set quantity = 7',
      { table: 'quota_pins', account: 'sub-holder', column: 'quantity', expected: '1', found: '7' },
    ],
    [
      `update reads.entries set quota = '[]' where quota is not null and stream = 'wallet-sub-late'`,
      { table: 'entries', column: 'quota', found: '[]' },
    ],
    [
      `update reads.entries set violations = null where stream = 'wallet-sub-outside'`,
      { table: 'entries', column: 'violations', expected: 'cap_reached', found: null },
    ],
    [
      `update reads.purchases set total = 1 where purchase = 'p1'`,
      { table: 'purchases', account: 'buys-alone', row: 'purchase p1', column: 'total', expected: '81' },
    ],
    [
      `update reads.purchases set status = 'pending' where purchase = 'p1'`,
      { column: 'status', expected: 'paid' },
    ],
    [
      `update reads.purchases set reversed_at = null where purchase = 'p5'`,
      { column: 'reversed_at', found: null },
    ],
    [
      `update reads.account_coupons set status = 'used' where status = 'freed'`,
      { table: 'account_coupons', column: 'status', expected: 'freed' },
    ],
    [
      `delete from reads.account_coupons where code = 'GIFT'`,
      { table: 'account_coupons', what: 'a row is missing' },
    ],
    [
      `update reads.referral_accruals set taken = taken + 1`,
      { table: 'referral_accruals', account: 'buys-referrer', column: 'taken' },
    ],
    [
      `update reads.referral_accruals set lot = 'lot-99' where lot is not null`,
      { column: 'lot', found: 'lot-99' },
    ],
    [
      `update reads.balances set next_due_at = null where account = 'sub-holder'`,
      { table: 'balances', account: 'sub-holder', column: 'next_due_at', found: null },
    ],
    [
      `update reads.platform_totals set balance = 0 where account = 'equity:quotas:granted' and unit = 'tokens'`,
      { table: 'platform_totals', account: 'equity:quotas:granted', unit: 'tokens', column: 'balance' },
    ],
  ];
  await pool.query(`alter table reads.quotas drop constraint closed_identity;
    alter table reads.subscriptions alter column due_at drop expression;
    alter table reads.referral_accruals alter column status drop expression`);
  for (const [damage, wanted] of cases) {
    const table = /(?:update|into|from) reads\.(\w+)/.exec(damage)?.[1];
    await pool.query(`create table kept as table reads.${table}`);
    // What is derived of a column is derived no more, so it is changed with it.
    const due = damage.includes('ended_at = null')
      ? `; update reads.subscriptions set due_at = now() where ${outside}`
      : '';
    const { rowCount } = await pool.query(damage);
    t.ok(rowCount === null || rowCount > 0, damage);
    if (due !== '') await pool.query(due.slice(2));
    const { findings } = await verify();
    const isNamed = (finding: Finding): boolean =>
      Object.entries(wanted).every(([name, value]) => finding[name as keyof Finding] === value);
    t.ok(findings.some(isNamed), `${damage}: ${JSON.stringify(findings.slice(0, 2))}`);
    await pool.query(`truncate reads.${table}; insert into reads.${table} table kept; drop table kept`);
  }
  t.match(await verify(), { count: 0, findings: [] });
});

/** As the projector would take it. */
async function takeSnapshot(account: string, upTo: number): Promise<string> {
  const stream = `wallet-${account}`;
  const folding = folderOf(walletDecider).begin(account, null);
  const events = await store.readStream(stream, { from: 0, limit: upTo + 1 });
  for (const event of events) folding.apply(event);
  const last = events.at(-1);
  if (last === undefined) throw new Error(`${account} has no events`);
  const state = folding.freeze();
  await pool.query(
    `insert into reads.snapshots values ($1, $2, $3, $4, $5) on conflict (stream, fold_version)
     do update set revision = excluded.revision, hash = excluded.hash, state = excluded.state`,
    [stream, walletDecider.foldVersion, last.revision, hashOf(last), state],
  );
  return state;
}

t.test('snapshots of a sound ledger agree, wherever they were taken', async (t) => {
  for (let part = 1; part <= 20; part += 1) {
    for (const account of accounts)
      await takeSnapshot(account, Math.floor((await store.head(`wallet-${account}`)) * (part / 20)));
    t.match(await verify(), { count: 0, findings: [] });
  }
  await pool.query('delete from reads.snapshots');
});

t.test('a snapshot whose state was changed is named, whatever of it', async (t) => {
  const ofHolder = await store.readStream('wallet-sub-holder', { from: 0, limit: 100 });
  const placed = ofHolder.find(({ data }) => data.includes('"hold":"h1"'));
  const held = placed?.revision ?? 0;
  const [, quota = ''] = /"moves":\[\{"quota":"([^"]+)"/.exec(placed?.data ?? '') ?? [];
  const cases: readonly [
    account: string,
    revision: number,
    column: string,
    change: readonly [RegExp, string],
  ][] = [
    ['sub-late', 8, 'quotas.quota-3.free', [/("id":"quota-3",[^}]*\}[^}]*"free":")\d+n/, '$177n']],
    ['sub-late', 8, 'quotas.quota-3.used', [/("id":"quota-3",[^}]*\}[^}]*"used":")\d+n/, '$177n']],
    ['sub-late', 8, 'quotas.quota-3.expiresAt', [/("id":"quota-3",[^}]*"expiresAt":)\d+/, '$11']],
    ['sub-late', 8, 'subscription.now.status', [/"status":"active"/, '"status":"trialing"']],
    ['sub-late', 8, 'subscription.now.auto_renew', [/"auto_renew":true/, '"auto_renew":false']],
    ['sub-late', 8, 'subscription.terms.overage', [/"overage":"credits"/, '"overage":"refuse"']],
    [
      'sub-late',
      8,
      'subscription.terms.included.1.amount',
      [/"amount":"3","per":"day"/, '"amount":"9","per":"day"'],
    ],
    ['sub-late', 8, 'subscription.pots.currency', [/"pots":\{"currency":"EUR"/, '"pots":{"currency":"USD"']],
    ['sub-late', 8, 'subscription.caps.0.used', [/("caps":\[\{[^}]*"used":")\d+n/, '$11n']],
    ['sub-late', 8, 'trialUsed', [/"trialUsed":false/, '"trialUsed":true']],
    ['sub-free', 7, 'freeUntil', [/"freeUntil":[1-9]\d+/, '"freeUntil":0']],
    ['sub-trial', 8, 'trialUsed', [/"trialUsed":true/, '"trialUsed":false']],
    [
      'sub-holder',
      held,
      `holds.h1.quotaPins.${quota}.quantity`,
      [/("quotaPins":\[\{"quota":"[^"]+","quantity":")\d+n/, '$19n'],
    ],
    [
      'sub-holder',
      held,
      'holds.h1.plan.version',
      [/"plan":\{"id":"hybrid","version":1/, '"plan":{"id":"hybrid","version":2'],
    ],
    [
      'sub-holder',
      held,
      'holds.h1.caps.0.quantity',
      [/("id":"h1".*?"caps":\[\{"cap":0,"quantity":")\d+n/, '$19n'],
    ],
    ['buys-alone', 3, 'coupons.saved.TENTH', [/"saved":\["TENTH"/, '"saved":["FIFTH"']],
    ['buys-alone', 3, 'coupons.uses.GIFT.count', [/("code":"GIFT","count":)1/, '$15']],
    ['buys-referrer', 3, 'referral.owed', [/"owed":"0n"/, '"owed":"9n"']],
    ['buys-friend', 3, 'referral.referredBy', [/"referredBy":"[^"]+"/, '"referredBy":null']],
    ['buys-topped', 4, 'autoTopUp.terms.threshold', [/("terms":\{"enabled":true,"threshold":")100/, '$11']],
    ['buys-warned', 4, 'alerts.terms.enabled', [/"enabled":true/, '"enabled":false']],
  ];
  for (const [account, revision, column, [from, to]] of cases) {
    const state = await takeSnapshot(account, revision);
    t.match(state, from, column);
    await pool.query('update reads.snapshots set state = $1', [state.replace(from, to)]);
    const { findings } = await verify();
    const named = findings.map((finding) => finding.column);
    t.ok(named.includes(column), `${column}: ${JSON.stringify(findings.slice(0, 2))}`);
    await pool.query('delete from reads.snapshots');
  }
});
