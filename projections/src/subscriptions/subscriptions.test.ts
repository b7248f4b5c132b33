/** Rows of subscriptions and quotas against the wallets that they are rows of, through histories in which all happens. */
import { parseCredits, type Wallet, walletAfterDues, walletDecider } from '@tallystick/domain';
import { createMemoryStore } from '@tallystick/event-store';
import { startPostgres } from '@tallystick/event-store/testing';
import pg from 'pg';
import t, { type Test } from 'tap';
import { createBalanceReader, listDueAccounts } from '../balances/queries.ts';
import { listLots } from '../lots/queries.ts';
import { type Projector, startProjector } from '../projector.ts';
import { listQuotas } from '../quotas/queries.ts';
import { openReads, type Reads } from '../reads.ts';
import { rebuildReads } from '../rebuild.ts';
import { charge, liveThrough, topUp } from '../testing/history.ts';
import { openTestLedger, type TestLedger } from '../testing/ledger.ts';
import { listSubscriptions } from './queries.ts';

const server = await startPostgres();
const pool = new pg.Pool({ connectionString: server.url, max: 10 });
pool.on('error', () => undefined);
t.teardown(async () => {
  await pool.end();
  await server.stop();
});

const DAY = 24 * 3_600_000;

const SUBSCRIBE = {
  type: 'Subscribe',
  plan: 'small',
  autoRenew: true,
  trial: false,
  pay: 'credits',
  reference: 'at-last',
  timeZone: null,
  startAt: null,
} as const;

const placed = (hold: string, calls: number) =>
  ({ type: 'PlaceHold', hold, model: 'plain', estimate: { calls }, expiresInMs: DAY }) as const;

interface Lived {
  readonly ledger: TestLedger;
  readonly accounts: readonly string[];
  readonly projector: Projector;
  readonly reads: Reads;
}

async function live(t: Test, seed: number, steps: number): Promise<Lived> {
  const ledger = await openTestLedger(createMemoryStore());
  const schema = `lived${seed}`;
  const projector = startProjector({ store: ledger.store, pool, schema, gatherMs: 0, hurryMs: 0 });
  t.teardown(() => projector.stop());
  const accounts = await liveThrough(ledger, { seed, steps, subscriptions: true });
  await projector.caughtUp();
  return { ledger, accounts, projector, reads: openReads(pool, schema, ledger.catalogues) };
}

/** What the wallet will be at an instant, by its own events and rules. */
async function walletAt({ ledger }: Lived, account: string, at: number): Promise<Readonly<Wallet>> {
  const { state } = await ledger.wallet(account);
  return walletAfterDues(walletDecider.fork(state), at, ledger.catalogues());
}

async function rowsOf<T extends pg.QueryResultRow>(
  { reads }: Lived,
  select: string,
  account: string,
): Promise<T[]> {
  return (await pool.query<T>(select.replaceAll('$schema', reads.schema), [account])).rows;
}

async function compareRows(t: Test, lived: Lived, account: string): Promise<void> {
  const { state } = await lived.ledger.wallet(account);
  const quotas = await rowsOf(
    lived,
    `select quota, unit, model, granted::text, free::text, pinned::text, used::text, paid::text, currency
     from $schema.quotas where account = $1 and open order by quota collate "C"`,
    account,
  );
  const expected = state.quotas
    .filter(({ free, pinned }) => free + pinned > 0n)
    .map(({ id, unit, model, quantity, free, pinned, used, paid, currency }) => ({
      quota: id,
      unit,
      model,
      granted: `${quantity}`,
      free: `${free}`,
      pinned: `${pinned}`,
      used: `${used}`,
      paid: `${paid}`,
      currency,
    }))
    .sort((a, b) => (a.quota < b.quota ? -1 : 1));
  t.same(quotas, expected, `${account}: quotas`);
  const [last] = await rowsOf<{ picture: string; terms: string; pots: string; paid_money: string }>(
    lived,
    'select * from $schema.subscriptions where account = $1 order by born desc limit 1',
    account,
  );
  const { subscription } = state;
  if (subscription === null) {
    t.equal(last, undefined);
    return;
  }
  t.same(JSON.parse(last?.picture ?? ''), subscription.now, `${account}: subscription`);
  t.same(JSON.parse(last?.terms ?? ''), subscription.terms, `${account}: terms`);
  t.same(JSON.parse(last?.pots ?? 'null'), subscription.pots, `${account}: pots`);
  if (subscription.now.paid_from.length > 0)
    t.same(JSON.parse(last?.paid_money ?? 'null'), subscription.paidMoney, `${account}: money behind it`);
}

t.test('rows say what the wallets say, whatever has happened', async (t) => {
  for (const seed of [41, 42, 43]) {
    const lived = await live(t, seed, 300);
    for (const account of lived.accounts) await compareRows(t, lived, account);
    const types = await pool.query<{ type: string }>(
      `select distinct type from ${lived.reads.schema}.entries where type like 'Subscription%' or type like 'Quota%'`,
    );
    t.ok(types.rows.length >= 4, types.rows.map(({ type }) => type).join(', '));
  }
});

t.test(
  'the sweep is told of an account when something of it falls due, not earlier and not later',
  async (t) => {
    const lived = await live(t, 51, 250);
    const { ledger, projector, reads, accounts } = lived;
    for (const account of accounts) await ledger.run(account, topUp('long', 100, {}), SUBSCRIBE);
    await projector.caughtUp();
    let seen = 0;
    for (let round = 0; round < 30; round++) {
      for (const account of accounts) {
        const { state } = await ledger.wallet(account);
        const [row] = await rowsOf<{ next_due_at: Date | null }>(
          lived,
          "select next_due_at from $schema.balances where account = $1 and unit = 'credits'",
          account,
        );
        const at = row?.next_due_at?.getTime() ?? null;
        const duesAt = (instant: number) =>
          walletDecider.dues(walletDecider.fork({ ...state, nextDueAt: 0 }), instant, ledger.catalogues())
            .events;
        if (at === null) t.same(duesAt(ledger.now() + 400 * DAY), [], `${account} has nothing to come`);
        else {
          seen += 1;
          t.same(
            duesAt(at - 1),
            [],
            `${account}: nothing a millisecond before ${new Date(at).toISOString()}`,
          );
          t.not(duesAt(at).length, 0, `${account}: something at ${new Date(at).toISOString()}`);
        }
      }
      ledger.advance(DAY / 2);
      for (const account of await listDueAccounts(reads, ledger.now(), 100))
        await ledger.run(account, { type: 'CarryOutDues' });
      const hold = `r${round}`;
      for (const account of accounts)
        await ledger.run(account, placed(hold, 1 + (round % 20)), charge(hold, 2));
      await projector.caughtUp();
      t.same(await listDueAccounts(reads, ledger.now(), 100), [], 'what was due is done');
    }
    t.ok(seen > 20, `${seen} due instants`);
  },
);

t.test('balances and lots are told as if renewals that are due had been carried out', async (t) => {
  let renewed = 0;
  for (const seed of [61, 62]) {
    const lived = await live(t, seed, 200);
    const balances = createBalanceReader(lived.reads);
    for (const account of lived.accounts) {
      await lived.ledger.run(account, SUBSCRIBE);
      await lived.projector.caughtUp();
      for (const days of [0, 1, 8, 20, 60]) {
        const at = lived.ledger.now() + days * DAY;
        const wallet = await walletAt(lived, account, at);
        const read = await balances.read(account, at);
        const { available, held, consumed, expired } = wallet.totals;
        const steps = (text = '0') => parseCredits(text);
        t.equal(steps(read?.view.available), available, `${account} has so much in ${days} days`);
        t.equal(steps(read?.view.held), held);
        t.equal(steps(read?.view.consumed), consumed);
        t.equal(steps(read?.view.expired), expired);
        const lots = await listLots(lived.reads, { account, now: at, pageSize: 500 });
        const free = lots.data.reduce((sum, lot) => sum + steps(lot.available), 0n);
        t.equal(
          free,
          wallet.lots.reduce((sum, lot) => sum + lot.free, 0n),
        );
        const { state } = await lived.ledger.wallet(account);
        if (wallet.subscription?.now.period_start !== state.subscription?.now.period_start) renewed += 1;
      }
    }
  }
  t.ok(renewed > 0, `${renewed} renewals were due`);
});

t.test('filled anew from the events the rows are the same, and lists page through all of them', async (t) => {
  const lived = await live(t, 71, 300);
  const { ledger, reads, accounts } = lived;
  await rebuildReads({ store: ledger.store, pool, schema: 'anew' });
  for (const table of ['subscriptions', 'quotas', 'balances']) {
    const { rows } = await pool.query(
      `select * from ${reads.schema}.${table} except select * from anew.${table}`,
    );
    t.same(rows, [], table);
  }
  for (const account of accounts) {
    const all = async <T>(
      read: (query: { cursor?: string | undefined; pageSize: number }) => Promise<{
        data: readonly T[];
        next_cursor: string | null;
      }>,
      pageSize: number,
    ): Promise<T[]> => {
      const found: T[] = [];
      let cursor: string | undefined;
      do {
        const page = await read({ cursor, pageSize });
        found.push(...page.data);
        cursor = page.next_cursor ?? undefined;
      } while (cursor !== undefined);
      return found;
    };
    const now = ledger.now();
    const quotas = await all((query) => listQuotas(reads, { account, now, ...query }), 500);
    t.same(await all((query) => listQuotas(reads, { account, now, ...query }), 3), quotas);
    for (const { granted, used, held, remaining, expired } of quotas)
      t.equal(BigInt(granted), BigInt(used) + BigInt(held) + BigInt(remaining) + BigInt(expired));
    const subscriptions = await all((query) => listSubscriptions(reads, { account, ...query }), 500);
    t.same(await all((query) => listSubscriptions(reads, { account, ...query }), 1), subscriptions);
    t.ok(quotas.length > 0 && subscriptions.length > 0, `${quotas.length} and ${subscriptions.length}`);
  }
});
