import { accounts, formatAmount, type Posting, parseAmount } from '@tallystick/domain';
import { createMemoryStore, decodeEvent } from '@tallystick/event-store';
import { startPostgres } from '@tallystick/event-store/testing';
import pg from 'pg';
import t from 'tap';
import { readBalanceAt } from './entries/balance-at.ts';
import { startProjector } from './projector.ts';
import { openReads } from './reads.ts';
import { liveThrough } from './testing/history.ts';
import { openTestLedger } from './testing/ledger.ts';
import { readTrialBalanceAt } from './totals/as-of.ts';
import { readTrialBalance, type TrialBalance } from './totals/queries.ts';

const server = await startPostgres();
const pool = new pg.Pool({ connectionString: server.url, max: 4 });
t.teardown(async () => {
  await pool.end();
  await server.stop();
});

const ledger = await openTestLedger(createMemoryStore());
const names = await liveThrough(ledger, { seed: 31, steps: 300 });
const projector = startProjector({ store: ledger.store, pool, schema: 'past', gatherMs: 0, hurryMs: 0 });
await projector.caughtUp();
await projector.stop();
const reads = openReads(pool, 'past');
const { events: recorded } = await ledger.store.readAll({
  after: null,
  limit: 100_000,
  categories: ['wallet'],
});

interface Entry {
  readonly stream: string;
  readonly revision: number;
  readonly position: bigint;
  readonly recordedAt: number;
  readonly after?: { readonly available: string; readonly held: string };
  readonly postings: readonly Posting[];
}
const entries = recorded.map((event): Entry => {
  const { stream, revision, position, recordedAt, data, facts } = decodeEvent(event);
  const movement = data as { entry?: Posting[]; after?: NonNullable<Entry['after']> };
  const money = facts as { entry?: Posting[] };
  const { after } = movement;
  const postings = [...(movement.entry ?? []), ...(money.entry ?? [])];
  return { stream, revision, position, recordedAt, postings, ...(after === undefined ? {} : { after }) };
});
const last = entries.at(-1)?.position ?? 0n;

t.test('a balance at any position is that after the last entry until then', async (t) => {
  const [account = ''] = names;
  for (let position = 0n; position <= last + 1n; position += 1n) {
    const past = entries.filter((one) => one.stream === `wallet-${account}` && one.position <= position);
    // A usage without a price has a row, too.
    const after = past.findLast((one) => one.after !== undefined)?.after ?? { available: '0', held: '0' };
    const { available, held } = await readBalanceAt(reads, account, { position });
    if (available !== after.available || held !== after.held)
      t.match({ available, held }, after, `at position ${position}`);
  }
  t.match(await readBalanceAt(reads, account, { position: last }), { position: String(last) });
  t.match(await readBalanceAt(reads, account, { position: 0n }), { entry_id: null, recorded_at: null });
});

t.test('a balance at an instant includes what was recorded in it', async (t) => {
  for (const account of names) {
    const own = entries.filter(({ stream, after }) => stream === `wallet-${account}` && after !== undefined);
    for (const { recordedAt } of own) {
      const past = own.findLast((one) => one.recordedAt <= recordedAt);
      const found = await readBalanceAt(reads, account, { at: recordedAt });
      if (found.available !== past?.after?.available)
        t.match(found, past?.after, `${account} at ${recordedAt}`);
    }
    const first = own[0]?.recordedAt ?? 0;
    t.match(await readBalanceAt(reads, account, { at: first - 1 }), { available: '0', entry_id: null });
  }
});

/** Every wallet's accounts as one, as the trial balance shows them. */
function summed(past: readonly Entry[]): [string, [string, string][]][] {
  const units = new Map<string, Map<string, bigint>>();
  for (const { account, unit, amount } of past.flatMap(({ postings }) => postings)) {
    const name = account.replace(/^(liabilities:wallets:).*(:(available|held))$/, '$1*$2');
    const sums = units.get(unit) ?? new Map<string, bigint>();
    units.set(unit, sums.set(name, (sums.get(name) ?? 0n) + parseAmount(amount, unit)));
  }
  return [...units]
    .map(([unit, sums]): [string, [string, string][]] => [
      unit,
      [...sums]
        .filter(([, steps]) => steps !== 0n)
        .map(([name, steps]): [string, string] => [name, formatAmount(steps, unit)])
        .sort(),
    ])
    .filter(([, sums]) => sums.length > 0)
    .sort();
}
const shown = ({ units }: TrialBalance) =>
  units
    .map(({ unit, accounts: all }): [string, [string, string][]] => [
      unit,
      all.map(({ account, balance }): [string, string] => [account, balance]).sort(),
    ])
    .filter(([, all]) => all.length > 0)
    .sort();

t.test(
  'a trial balance at a moment is the sum of all postings until then, and zero in every unit',
  async (t) => {
    const places = [0n, 1n, last / 7n, last / 3n, last / 2n, last - 1n, last];
    for (const position of places) {
      const books = await readTrialBalanceAt(reads, { position });
      t.strictSame(shown(books), summed(entries.filter((one) => one.position <= position)), `at ${position}`);
      for (const { unit, total } of books.units) t.equal(total, '0', unit);
    }
    for (const { recordedAt: at } of [entries[40], entries[200]].filter((one) => one !== undefined)) {
      const books = await readTrialBalanceAt(reads, { at });
      t.strictSame(shown(books), summed(entries.filter((one) => one.recordedAt <= at)), `at ${at}`);
    }
  },
);

t.test('at the last position it is the trial balance of now', async (t) => {
  const now = await readTrialBalance(reads);
  const then = await readTrialBalanceAt(reads, { position: last });
  t.strictSame(shown(then), shown(now));
  t.equal(then.position, now.position);
  const wallets = now.units[0]?.accounts.map(({ account }) => account) ?? [];
  t.notOk(wallets.includes(accounts.available(names[0] ?? '')), 'wallets are shown together');
});
