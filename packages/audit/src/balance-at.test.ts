import { createMemoryStore } from '@tallystick/event-store';
import { liveThrough, openTestLedger, type TestLedger } from '@tallystick/projections/testing';
import t from 'tap';
import { isChosen, readAccountChoice } from './account-name.ts';
import { accountBalancesAt, walletBalanceAt } from './balance-at.ts';
import { stepsOf, textOf } from './decimal.ts';
import { type AuditedEvent, readEvent } from './event.ts';
import { explain, explainToFinance } from './explain.ts';
import { lineInCredits, roundingOf } from './explain-price.ts';
import { wordsOf } from './explain-words.ts';
import { trialBalanceAt } from './trial-balance.ts';

async function lived(seed: number): Promise<{ ledger: TestLedger; names: string[]; events: AuditedEvent[] }> {
  const ledger = await openTestLedger(createMemoryStore());
  const names = await liveThrough(ledger, { seed, steps: 200 });
  const { events } = await ledger.store.readAll({ after: null, limit: 100_000 });
  return { ledger, names, events: events.map(readEvent) };
}

t.test('a wallet has what its events say at every one of their positions', async (t) => {
  const { ledger, names, events } = await lived(41);
  for (const name of names) {
    for (const { position, data, stream } of events.filter((one) => one.stream === `wallet-${name}`)) {
      const { after } = data as { after?: { available: string; held: string } };
      if (after === undefined) continue;
      const found = await walletBalanceAt(ledger.store, name, { position });
      t.match(found, { ...after, findings: [] }, `${stream} at ${position}`);
    }
  }
});

t.test('a wallet has the numbers that the domain has folded', async (t) => {
  const { ledger, names } = await lived(42);
  for (const name of names) {
    const { totals } = (await ledger.wallet(name)).state;
    const found = await walletBalanceAt(ledger.store, name, null);
    for (const number of [
      'available',
      'held',
      'granted',
      'adjusted',
      'consumed',
      'expired',
      'withdrawn',
    ] as const)
      t.equal(stepsOf(found?.[number] ?? ''), totals[number] * 1_000n, `${name} ${number}`);
  }
  t.equal(await walletBalanceAt(ledger.store, 'nobody', null), null);
});

t.test('accounts come to the same whether asked one by one or all at once', async (t) => {
  const { ledger, events } = await lived(43);
  const at = Date.parse(events.at(-60)?.recordedAt ?? '');
  for (const asOf of [null, { at }, { position: 50n }]) {
    const all = await trialBalanceAt(ledger.store, asOf);
    t.equal(all.count, 0);
    for (const { unit, total } of all.units) t.equal(total, '0', unit);
    for (const root of ['assets', 'liabilities', 'equity', 'income', 'expenses']) {
      const choice = readAccountChoice(`${root}:`);
      if (choice === null) throw new Error(`not a name: ${root}`);
      const { accounts } = await accountBalancesAt(ledger.store, choice, asOf);
      const expected = all.units.flatMap(({ unit, accounts: of }) =>
        of.filter(({ account }) => account.startsWith(`${root}:`)).map((one) => ({ ...one, unit })),
      );
      const key = ({ account, unit }: { account: string; unit: string }) => `${account} ${unit}`;
      const byKey = (a: { account: string; unit: string }, b: { account: string; unit: string }) =>
        key(a) < key(b) ? -1 : 1;
      t.same(accounts.filter(({ balance }) => balance !== '0').sort(byKey), expected.sort(byKey), root);
    }
  }
});

t.test('an account is named by a wallet, by its whole name, or by where names begin', async (t) => {
  for (const [text, account, isIn] of [
    ['acme', 'liabilities:wallets:acme:available', true],
    ['acme', 'liabilities:wallets:acme2:available', false],
    ['a+b@c', 'liabilities:wallets:a%2Bb%40c:held', true],
    ['income:usage:gpt-4o', 'income:usage:gpt-4o', true],
    ['income:usage:gpt-4o', 'income:usage:gpt-4o-mini', false],
    ['income:usage:openai/gpt-4o', 'income:usage:openai%2Fgpt-4o', true],
    ['income:usage:openai%2Fgpt-4o', 'income:usage:openai%2Fgpt-4o', true],
    ['income:', 'income:breakage', true],
    ['income:usage:', 'income:usage:m', true],
  ] as const) {
    const choice = readAccountChoice(text);
    t.equal(choice !== null && isChosen(choice, account), isIn, `${text} and ${account}`);
  }
  for (const text of ['', ':', 'a b', 'wages:x', '-a', 'income::x', 'income:\ud800', 'a/b'])
    t.equal(readAccountChoice(text), null, JSON.stringify(text));
});

t.test('every event has an explanation, and the one for owners is blind to its facts', async (t) => {
  const { events } = await lived(44);
  for (const event of events.filter(({ stream }) => stream.startsWith('wallet-'))) {
    const own = explain(event);
    t.ok(own.what.length > 0 && !own.what.includes('undefined'), own.what);
    const { price, ...rest } = own;
    const { price: _, ...blind } = explain({ ...event, facts: {}, entry: [] });
    t.same(rest, blind);
    t.match(explainToFinance(event), rest);
    if (event.type === 'UsageCharged') t.notSame(price, null);
    t.notMatch(JSON.stringify(own), /USD|EUR|Maker & Co|0\.0137|0\.31/);
  }
});

t.test('a usage that was parked says by which version it was priced', async (t) => {
  const data = { usage_id: 'u1', source: '', model: 'm', usage: { calls: 1 }, credits: '2' };
  for (const [repriced, words] of [
    ['in_force', 'priced by the version in force'],
    ['later_version', 'priced by a later version'],
  ] as const) {
    const what = wordsOf({ stream: 'wallet-acme', type: 'UsageCharged', data: { ...data, repriced } });
    t.equal(what, `Usage u1, m, 1 call charged 2 credits; was parked before, ${words}`);
  }
});

t.test('the credits of a line and its price for so many agree exactly', async (t) => {
  const price = { cost: { amount: '0.1', currency: 'USD' }, markup: '0', per: 1000 };
  for (const [quantity, exact, credits] of [
    [500, '22/3', '44/3'],
    [7, '0.0007', '0.1'],
    [2.5, '1', '400'],
    [3, '1', '1000/3'],
    [1000, '0', '0'],
    [1_000_000_000_000, '10', '0.00000001'],
  ] as const) {
    const line = lineInCredits({ dimension: 'calls', quantity, exact, price });
    t.same(line.price, { credits, per: 1000 }, `${exact} for ${quantity}`);
  }
});

t.test('rounding is told as it was done: up, once, to a multiple', async (t) => {
  for (const [exact, round_to, rounded] of [
    ['7.5', '1', '8'],
    ['22/3', '0.01', '7.34'],
    ['8', '1', '8'],
    ['0', '1', '0'],
    ['0.0000001', '0.000001', '0.000001'],
  ] as const)
    t.match(roundingOf({ exact, round_to, lines: [] }), new RegExp(`= ${rounded} credits$`), exact);
  const { events } = await lived(45);
  for (const event of events.filter(({ type }) => type === 'UsageCharged')) {
    const { credits } = event.data as { credits: string };
    t.match(explainToFinance(event).formula.at(-1), new RegExp(`= ${textOf(stepsOf(credits))} credits$`));
  }
});
