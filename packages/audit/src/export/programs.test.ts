/** The proof of the exports: the programs they are for read them, find nothing wrong, and come to the ledger's balances. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createMemoryStore, type EventStore } from '@tallystick/event-store';
import {
  BOOK,
  charge,
  liveThrough,
  openTestLedger,
  type TestLedger,
  topUp,
} from '@tallystick/projections/testing';
import t from 'tap';
import { readAccountChoice } from '../account-name.ts';
import { stepsOf, textOf } from '../decimal.ts';
import { buyThrough } from '../testing/bought.ts';
import { subscribeThrough } from '../testing/subscribed.ts';
import { trialBalanceAt } from '../trial-balance.ts';
import { type ExportOptions, exportJournal } from './export.ts';
import { fromBeancountAccount, fromBeancountCommodity, fromHledgerCommodity } from './names.ts';

const folder = mkdtempSync(join(tmpdir(), 'tallystick-export-'));
t.teardown(() => rmSync(folder, { recursive: true, force: true }));

/** A year in which everything happens, with names that are hard on a plain-text journal. */
async function lived(): Promise<TestLedger> {
  const ledger = await openTestLedger(createMemoryStore());
  await subscribeThrough(ledger);
  await buyThrough(ledger);
  ledger.publish(BOOK);
  await liveThrough(ledger, { seed: 11, steps: 400 });
  for (const [n, id] of ['Acme', 'acme', '0', 'a-', 'a--2d', 'a.b_c@d+e', 'X'].entries()) {
    await ledger.open(id);
    await ledger.run(
      id,
      topUp(`t${n}`, 90, { source: 'Str-ipe', paid: { amount: '0.900000001', currency: 'USD' } }),
      charge('u1', 3, { model: 'maker/costly' }),
      {
        type: 'AdjustCredits',
        credits: -7n,
        reason: 'odd; "quoted" | \\ \n2026-01-01 * x',
        reference: `j${n}`,
      },
    );
    ledger.advance(20 * 3_600_000);
  }
  const hold = { hold: 'h', model: 'plain', estimate: { calls: 2 }, expiresInMs: 60_000 };
  await ledger.run('acme', { type: 'PlaceHold', ...hold }, { type: 'VoidHold', hold: 'h' });
  const models = ['~ x;  y', '(v)', 'ünï/コ', '"', '[b]:c', "it's!*", '%2F', '-'];
  const prices = { calls: { cost: { amount: '0.01', currency: 'USD' }, per: 1, markup: '0.3' } };
  ledger.publish({
    credit_value: { amount: '0.01', currency: 'USD' },
    models: Object.fromEntries(models.map((model) => [model, { supplier: `${model} & Co`, prices }])),
  });
  for (const [n, model] of models.entries()) await ledger.run('acme', charge(`m${n}`, 2, { model }));
  return ledger;
}

async function fileOf(store: EventStore, options: ExportOptions): Promise<string> {
  const file = join(folder, `${Math.random().toString(36).slice(2)}.${options.format}`);
  let text = '';
  for await (const chunk of exportJournal(store, options)) text += chunk;
  writeFileSync(file, text);
  return file;
}

function run(program: string, ...args: string[]): { code: number | null; out: string; err: string } {
  const { status, stdout, stderr } = spawnSync(program, args, {
    encoding: 'utf8',
    maxBuffer: 1 << 28,
    env: { ...process.env, LANG: 'C.UTF-8', LC_ALL: 'C.UTF-8' },
  });
  return { code: status, out: stdout, err: stderr };
}

/** Shown in the report where the program is not on the PATH. */
const without = (program: string): string | false =>
  spawnSync(program, ['--version']).error === undefined ? false : `${program} is not on the PATH`;

/** "account unit" to balance, without zeros. */
type Balances = ReadonlyMap<string, string>;

async function ours(store: EventStore, at?: number): Promise<Balances> {
  const { units } = await trialBalanceAt(store, at === undefined ? null : { at });
  return new Map(
    units.flatMap(({ unit, accounts }) =>
      accounts.map(({ account, balance }): [string, string] => [`${account} ${unit}`, balance]),
    ),
  );
}

function hledgerBalances(file: string, ...more: string[]): Balances {
  const { out, err, code } = run(
    'hledger',
    '-f',
    file,
    'balance',
    '--flat',
    '-O',
    'csv',
    '--no-total',
    ...more,
  );
  if (code !== 0) throw new Error(err);
  const rows = out.trimEnd().split('\n').slice(1);
  return new Map(
    rows.flatMap((row) => {
      const [, account = '', amounts = ''] = /^"(.*)","(.*)"$/.exec(row) ?? [];
      return amounts.split(', ').map((text): [string, string] => {
        const [, amount = '', commodity = ''] = /^(\S+) (.+)$/.exec(text.replaceAll('""', '"')) ?? [];
        return [`${account} ${fromHledgerCommodity(commodity)}`, textOf(stepsOf(amount))];
      });
    }),
  );
}

function beancountBalances(file: string): Balances {
  // As text: numbers it rounds to the places that are most common in the file.
  const query = 'select account, currency, str(sum(number)) as balance group by account, currency';
  const { out, err, code } = run('bean-query', '--format', 'csv', file, query);
  if (code !== 0) throw new Error(err);
  const rows = out.trimEnd().split('\n').slice(1);
  return new Map(
    rows.flatMap((row): [string, string][] => {
      const [account = '', commodity = '', balance = ''] = row.split(',').map((cell) => cell.trim());
      const steps = stepsOfPython(balance);
      const name = `${fromBeancountAccount(account)} ${fromBeancountCommodity(commodity)}`;
      return steps === 0n ? [] : [[name, textOf(steps)]];
    }),
  );
}

/** `Decimal('25.9403')`; Python adds an exponent where it finds that shorter: `-4.9E+2`. */
function stepsOfPython(text: string): bigint {
  const [, digits = '', exponent = '0'] = /^(?:Decimal\(')?([-0-9.]+)(?:E([-+]?\d+))?/.exec(text) ?? [];
  const power = 10n ** BigInt(Math.abs(Number(exponent)));
  return exponent.startsWith('-') ? stepsOf(digits) / power : stepsOf(digits) * power;
}

const sorted = (balances: Balances) => [...balances].sort(([a], [b]) => (a < b ? -1 : 1));
const TYPES = [
  'AccountChanged',
  'AccountFrozen',
  'AccountOpened',
  'AccountUnfrozen',
  'AlertRaised',
  'AlertsRearmed',
  'AlertsSet',
  'AutoTopUpRequested',
  'AutoTopUpResolved',
  'AutoTopUpSet',
  'CouponApplied',
  'CouponForgotten',
  'CreditsAdjusted',
  'CreditsGranted',
  'EntryReversed',
  'Expired',
  'HoldClosed',
  'HoldExtended',
  'HoldPlaced',
  'HoldVoided',
  'PurchaseClosed',
  'PurchaseOpened',
  'PurchasePaid',
  'PurchasePaymentUnapplied',
  'QuotaExpanded',
  'QuotaGranted',
  'ReferralAccrued',
  'ReferralClawedBack',
  'ReferralGranted',
  'ReferralLinked',
  'SpendDayBegan',
  'SubscriptionChanged',
  'SubscriptionEnded',
  'SubscriptionPastDue',
  'SubscriptionPaymentRecorded',
  'SubscriptionRenewed',
  'SubscriptionStarted',
  'TopUp',
  'UsageCharged',
  'UsageUnpriced',
];

t.test('the ledger that is exported here holds every kind of event of a wallet', async (t) => {
  const { store } = await lived();
  const { events } = await store.readAll({ after: null, limit: 100_000, categories: ['wallet'] });
  t.same([...new Set(events.map(({ type }) => type))].sort(), TYPES);
});

const CHECKS = ['accounts', 'commodities', 'ordereddates'];

t.test('hledger finds nothing wrong, and has all our balances', { skip: without('hledger') }, async (t) => {
  const { store } = await lived();
  const file = await fileOf(store, { format: 'hledger' });
  t.match(run('hledger', '-f', file, 'check', '--strict', ...CHECKS), { code: 0, err: '' });
  const balances = hledgerBalances(file);
  t.ok(balances.size > 50);
  t.strictSame(sorted(balances), sorted(await ours(store)));
  const units = new Set([...balances.keys()].map((name) => name.slice(name.indexOf(' ') + 1)));
  t.same(units, new Set(['credits', 'USD', 'EUR', 'calls', 'tokens']));
});

t.test('hledger has our balances at any date of a part, too', { skip: without('hledger') }, async (t) => {
  const { store, now } = await lived();
  const from = now() - 30 * 24 * 3_600_000;
  const part = await fileOf(store, { format: 'hledger', from });
  t.match(run('hledger', '-f', part, 'check', '--strict', ...CHECKS), { code: 0, err: '' });
  t.strictSame(sorted(hledgerBalances(part)), sorted(await ours(store)), 'opening balances and what follows');
  const to = now() - 15 * 24 * 3_600_000;
  const middle = await fileOf(store, { format: 'hledger', from, to });
  t.strictSame(sorted(hledgerBalances(middle)), sorted(await ours(store, to - 1)));
  const account = readAccountChoice('income:usage:maker/costly');
  if (account === null) throw new Error('not a name');
  const one = await fileOf(store, { format: 'hledger', from, account });
  const name = 'income:usage:maker%2Fcostly';
  const ofAccount = (balances: Balances) => sorted(balances).filter(([key]) => key.startsWith(`${name} `));
  t.strictSame(
    ofAccount(hledgerBalances(one)),
    ofAccount(await ours(store)),
    'of the account that was asked for',
  );
});

t.test('hledger would notice', { skip: without('hledger') }, async (t) => {
  const { store } = await lived();
  const file = await fileOf(store, { format: 'hledger' });
  writeFileSync(file, '\n2099-01-01 forged\n    income:forged  1 credits\n    assets:forged  -1 credits\n', {
    flag: 'a',
  });
  t.not(run('hledger', '-f', file, 'check', '--strict').code, 0);
  t.notSame(sorted(hledgerBalances(file)), sorted(await ours(store)));
});

t.test(
  'beancount finds nothing wrong, and has all our balances',
  { skip: without('bean-check') },
  async (t) => {
    const { store, now } = await lived();
    const expected = sorted(await ours(store));
    for (const from of [undefined, now() - 30 * 24 * 3_600_000]) {
      const file = await fileOf(store, { format: 'beancount', ...(from === undefined ? {} : { from }) });
      t.match(run('bean-check', file), { code: 0, out: '', err: '' });
      if (without('bean-query') === false) t.strictSame(sorted(beancountBalances(file)), expected);
    }
  },
);
