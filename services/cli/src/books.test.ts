import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { createPostgresStore } from '@tallystick/event-store';
import { startPostgres } from '@tallystick/event-store/testing';
import { charge, liveThrough, openTestLedger, topUp } from '@tallystick/projections/testing';
import t from 'tap';
import { runCli } from './cli.ts';

const server = await startPostgres();
const environment = { LEDGER_POSTGRES_URL: server.url };
const folder = mkdtempSync(join(tmpdir(), 'tallystick-cli-'));
const store = await createPostgresStore({ connectionString: server.url });
const ledger = await openTestLedger(store);
await liveThrough(ledger, { seed: 5, steps: 60 });
ledger.publishPlan('basic', {
  name: 'Basic',
  price: { credits: '12' },
  interval: 'month',
  anchor: 'subscription',
  included: [{ unit: 'calls', model: 'plain', amount: '5', per: 'period' }],
  overage: 'credits',
  overage_multiplier: '1.5',
});
await ledger.open('payer');
await ledger.run(
  'payer',
  topUp('r1', 50, { paid: { amount: '40', currency: 'USD' } }),
  {
    ...{ type: 'Subscribe', plan: 'basic', autoRenew: true, trial: false, pay: 'credits', reference: 's1' },
    ...{ timeZone: null, startAt: null },
  },
  charge('u1', 7),
);
await ledger.open('acme', '10');
await ledger.run('acme', topUp('r1', 100, { paid: { amount: '90.5', currency: 'USD' } }));
ledger.advance(60_000);
await ledger.run('acme', charge('u1', 3, { model: 'maker/costly', source: 'gateway' }));
const charged = ledger.now();
ledger.advance(60_000);
await ledger.run(
  'acme',
  { type: 'PlaceHold', hold: 'h1', model: 'plain', estimate: { calls: 7 }, expiresInMs: 600_000 },
  { type: 'AdjustCredits', credits: -2_500_000n, reason: 'a mistake', reference: 'a1' },
);
const { events } = await store.readAll({ after: null, limit: 10_000 });
const positionOf = (revision: number): string =>
  String(events.find((event) => event.stream === 'wallet-acme' && event.revision === revision)?.position);
t.teardown(async () => {
  await store.close();
  await server.stop();
  rmSync(folder, { recursive: true, force: true });
});

async function run(...args: string[]): Promise<{ code: number; out: string; said: string }> {
  const results = new PassThrough();
  const chunks: Buffer[] = [];
  results.on('data', (chunk: Buffer) => chunks.push(chunk));
  const lines: string[] = [];
  const output = { results, isTerminal: false, line: (text: string) => void lines.push(text) };
  const code = await runCli(args, { environment, output });
  results.end();
  await once(results, 'end');
  return { code, out: Buffer.concat(chunks).toString(), said: lines.join('\n') };
}

async function json(...args: string[]) {
  const { code, out, said } = await run(...args, '--json');
  if (code !== 0) throw new Error(said);
  return JSON.parse(out);
}

t.test('the balance of a wallet comes with its identity, and with how far it goes', async (t) => {
  t.strictSame(await json('balance', 'acme'), {
    account: 'acme',
    available: '85.1159',
    held: '7',
    granted: '100',
    adjusted: '-2.5',
    consumed: '5.3841',
    expired: '0',
    withdrawn: '0',
    difference_count: 0,
    differences: [],
    as_of: {
      entry_id: 'wallet-acme:4',
      recorded_at: new Date(ledger.now()).toISOString(),
      position: positionOf(4),
    },
  });
  const { code, out, said } = await run('balance', 'acme');
  t.match({ code, said }, { code: 0, said: '' });
  t.match(out, /^acme, in credits\n {3}granted {8}100\n/);
  t.match(out, /\n= {2}available {2}85\.1159\n/);
});

t.test(
  'a balance at a moment of the past is that of the events until then, the moment included',
  async (t) => {
    t.match(await json('balance', 'acme', '--at', positionOf(1)), { available: '100', consumed: '0' });
    t.match(await json('balance', 'acme', '--at', positionOf(2)), { available: '94.6159', held: '0' });
    const at = (ms: number): string => new Date(ms).toISOString();
    t.match(await json('balance', 'acme', '--at', at(charged)), { available: '94.6159' });
    t.match(await json('balance', 'acme', '--at', at(charged - 1)), { available: '100' });
    t.match(await json('balance', 'acme', '--at', at(charged).slice(0, 10)), { available: '85.1159' });
    t.match(await run('balance', 'acme', '--at', positionOf(0).replace(/\d/, '0')), {
      code: 2,
      said: /no account/,
    });
    t.match(await run('balance', 'acme', '--at', '1999-12-31'), { code: 2, said: /no account acme then/ });
    t.match(await run('balance', 'nobody'), { code: 2, out: '', said: 'ledger: there is no account nobody' });
  },
);

t.test('balances of accounts are those of one name, or of all names below one', async (t) => {
  const wallet = await json('balance', 'liabilities:wallets:acme');
  t.strictSame(
    wallet.accounts.map(({ account, balance }: { account: string; balance: string }) => [account, balance]),
    [
      ['liabilities:wallets:acme:available', '-85.1159'],
      ['liabilities:wallets:acme:held', '-7'],
    ],
  );
  t.same(wallet.totals, [{ unit: 'credits', balance: '-92.1159' }]);
  const { units } = await json('trial-balance');
  const expected = units.flatMap(({ unit, accounts }: Unit) =>
    accounts
      .filter(({ account }) => account === 'income:usage:maker%2Fcostly')
      .map(({ balance }) => [unit, balance]),
  );
  const model = await json('balance', 'income:usage:maker/costly');
  t.same(
    new Map(model.accounts.map(({ unit, balance }: { unit: string; balance: string }) => [unit, balance])),
    new Map(expected),
  );
  t.match(await run('balance', 'income:usage:none'), { code: 2, said: /nothing was ever posted/ });
});

interface Unit {
  readonly unit: string;
  readonly total: string;
  readonly accounts: readonly { readonly account: string; readonly balance: string }[];
}

t.test('the trial balance is zero in every unit, at any moment', async (t) => {
  for (const at of [
    [],
    ['--at', positionOf(1)],
    ['--at', new Date(charged).toISOString()],
    ['--at', positionOf(0)],
  ]) {
    const { units } = await json('trial-balance', ...at);
    t.ok(units.length > 0);
    for (const { unit, total } of units) t.equal(total, '0', `${unit} ${at}`);
  }
  const { code, out } = await run('trial-balance');
  t.equal(code, 0);
  t.match(out, /\nliabilities:wallets:acme:held +-7 {2}credits\n/);
  t.match(out, /\ntotal +0 {2}USD\n/);
});

t.test('every event of a wallet is explained: price, lots, cost, and the balance after it', async (t) => {
  const { events: all, differences } = await json('explain', 'acme');
  t.same(differences, []);
  t.same(
    all.map(({ type }: { type: string }) => type),
    ['AccountOpened', 'TopUp', 'UsageCharged', 'HoldPlaced', 'CreditsAdjusted'],
  );
  t.match(all[2], {
    entry_id: 'wallet-acme:2',
    position: positionOf(2),
    moves: [{ lot: 'lot-1', from: 'free', to: 'spent', credits: '5.3841' }],
    cost: { amount: '0.0411', currency: 'USD' },
    after: { available: '94.6159', held: '0' },
  });
  const { out } = await run('explain', 'acme');
  t.match(out, /3 calls at 0\.0137 USD per 1, markup 0\.31, a credit at 0\.01 USD = 5\.3841 credits\n/);
  t.match(out, /5\.38\d+ rounded up to a multiple of 0\.000001 = 5\.3841 credits\n/);
  t.match(out, /cost 0\.0411 USD, supplier Maker & Co\n/);
  t.match(out, / {2}posts -90\.5 USD to liabilities:deferred-revenue\n/);
  t.match(out, / {2}after: 94\.6159 credits available, 0 held\n/);
});

t.test('what quotas paid is explained beside what credits paid, and is in the books', async (t) => {
  const { out, code, said } = await run('explain', 'payer');
  t.match({ code, said }, { code: 0, said: '' });
  t.match(
    out,
    /\n {2}Subscribed to basic, version 1: period .*, 12 credits; quota-2: 5 calls of plain until /,
  );
  t.match(out, /\n {2}quota-2: 5 calls granted -> free, 9\.6 paid for them\n/);
  t.match(out, /\n {2}Usage u1, plain, 7 calls charged 3 credits; 5 calls covered by quota-2\n/);
  t.match(out, /\n {2}2 x overage 1\.5 \(basic:1\) = 3 credits\n/);
  t.match(out, /\n {2}quota-2: 5 calls free -> used, 9\.6 paid for them\n/);
  t.notMatch(out, /posts -?\d+ calls/);
  const wallet = await json('balance', 'liabilities:wallets:payer');
  t.match(
    wallet.accounts.map(
      ({ account, unit, balance }: Record<string, string>) => `${account} ${balance} ${unit}`,
    ),
    ['liabilities:wallets:payer:available -35 credits', 'liabilities:wallets:payer:quotas 0 calls'],
  );
  t.match(await json('balance', 'equity:quotas'), {
    accounts: [
      { account: 'equity:quotas:granted', unit: 'calls', balance: '5' },
      { account: 'equity:quotas:used', unit: 'calls', balance: '-5' },
    ],
  });
  const { units } = await json('trial-balance');
  t.ok(units.some(({ unit, total }: Unit) => unit === 'calls' && total === '0'));
});

t.test('an explanation may begin later, with the balance before it, and end earlier', async (t) => {
  const { events: part } = await json('explain', 'acme', '--from', positionOf(2), '--at', positionOf(3));
  t.same(
    part.map(({ entry_id }: { entry_id: string }) => entry_id),
    ['wallet-acme:2', 'wallet-acme:3'],
  );
  const { out } = await run('explain', 'acme', '--from', new Date(charged + 1).toISOString());
  t.match(out, /^before: 94\.6159 credits available, 0 held\n\nwallet-acme:3 /);
  t.same(await json('explain', 'acme', '--from', '2026-10-01'), {
    events: [],
    difference_count: 0,
    differences: [],
  });
  t.match(await run('explain', 'nobody'), { code: 2, said: /no account nobody/ });
});

t.test('an export goes to standard output or to a file, whole or not at all', async (t) => {
  const { code, out, said } = await run('export', '--format', 'hledger');
  t.match({ code, said }, { code: 0, said: '' });
  t.match(out, /\(wallet-acme:2\) Usage u1 from gateway, maker\/costly, 3 calls charged/);
  const file = join(folder, 'journal.csv');
  t.match(await run('export', '--format', 'csv', '--output', file), { code: 0, out: '', said: /bytes$/ });
  t.match(readFileSync(file, 'utf8'), /^entry_id,position,/);
  t.match(await json('export', '--format', 'csv', '--output', file), {
    file,
    bytes: readFileSync(file).length,
  });
  t.same(readdirSync(folder), ['journal.csv']);
  const lines = await run('export', '--format', 'jsonl', '--account', 'acme', '--to', '2099-01-01');
  t.equal(lines.out.trimEnd().split('\n').length, 4);
});

const ENDS = /^ledger: .*: the ledger ends at position \d+, recorded at 2026-03-\d\d.*Z$/;

t.test('what is asked wrongly ends with 2, and names what is wrong', async (t) => {
  for (const [args, said] of [
    [['balance'], /missing required argument/],
    [['balance', 'no such id!'], /a wallet's id/],
    [['balance', 'assets'], /no account assets/],
    [['balance', 'liabilities:a b;'], /nothing was ever posted/],
    [['balance', 'acme', '--at', 'yesterday'], /a position, a time .* or a day/],
    [['balance', 'acme', '--at', '2026-02-30'], /a position, a time .* or a day/],
    [['balance', 'acme', '--at', '2026-01-01T12:00:00'], /the zone is missing/],
    [['balance', 'acme', '--at', '2099-01-01'], ENDS],
    [['balance', 'acme', '--at', '99999'], ENDS],
    [['balance', 'income:', '--at', '99999'], ENDS],
    [['trial-balance', '--at', '2099-01-01T00:00:00Z'], ENDS],
    [['trial-balance', '--at', '99999'], ENDS],
    [['explain', 'acme', '--from', '99999'], ENDS],
    [['explain', 'acme', '--at', '2099-01-01'], ENDS],
    [['explain', 'acme', '--from', '8', '--at', '7'], /--from must not be after --at/],
    [['explain', 'acme', '--from', '2026-03-02', '--at', '2026-03-01'], /--from must not be after --at/],
    [['export', '--format', 'csv', '--account', 'nobody'], /there is no account nobody/],
    [['balance', 'acme', '--at', '1000000000000000007'], /another epoch/],
    [['trial-balance', '--at', '-1'], /a position, a time .* or a day/],
    [['explain', 'income:usage:x'], /a wallet's id/],
    [['explain', 'acme', '--from', 'x'], /a position, a time .* or a day/],
    [['export'], /--format/],
    [['export', '--format', 'xls'], /hledger, beancount, csv, jsonl/],
    [['export', '--format', 'csv', '--from', '17'], /a time .* or a day/],
    [['export', '--format', 'csv', '--from', '2026-02-01', '--to', '2026-02-01'], /before --to/],
    [['export', '--format', 'csv', '--account', ':'], /a wallet's id/],
    [['export', '--format', 'csv', '--json'], /--output/],
    [['export', '--format', 'csv', '--output', join(folder, 'no', 'such')], /cannot be written: ENOENT/],
  ] as const) {
    t.match(await run(...args), { code: 2, out: '', said }, args.join(' '));
  }
});

t.test('a reader who has seen enough ends any command without a word', async (t) => {
  const main = fileURLToPath(new URL('./main.ts', import.meta.url));
  for (const args of [
    ['export', '--format', 'jsonl'],
    ['trial-balance', '--json'],
  ]) {
    const child = spawn(process.execPath, [main, ...args], {
      env: { ...process.env, ...environment },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const said: Buffer[] = [];
    child.stderr.on('data', (chunk: Buffer) => said.push(chunk));
    child.stdout.destroy();
    const [code] = await once(child, 'exit');
    t.equal(code, 0, args.join(' '));
    t.equal(Buffer.concat(said).toString(), '');
  }
});
