import { createMemoryStore, type EventStore } from '@tallystick/event-store';
import { charge, liveThrough, openTestLedger, type TestLedger, topUp } from '@tallystick/projections/testing';
import t from 'tap';
import { readAccountChoice } from '../account-name.ts';
import { readEvent } from '../event.ts';
import { scan } from '../scan.ts';
import { type ExportOptions, exportJournal } from './export.ts';
import { FORMATS } from './formats.ts';

const DAY = 24 * 3_600_000;

async function lived(): Promise<TestLedger> {
  const ledger = await openTestLedger(createMemoryStore());
  await liveThrough(ledger, { seed: 7, steps: 120 });
  return ledger;
}

async function textOf(store: EventStore, options: ExportOptions): Promise<string> {
  let text = '';
  for await (const chunk of exportJournal(store, options)) text += chunk;
  return text;
}

async function entriesOf(store: EventStore) {
  const events = [];
  for await (const page of scan(store)) events.push(...page.map(readEvent));
  return events.filter(({ entry }) => entry.length > 0);
}

interface Line {
  readonly entry_id: string;
  readonly recorded_at: string;
  readonly postings: readonly { account: string; unit: string; amount: string }[];
}
const linesOf = (text: string): Line[] =>
  text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line));

t.test('every entry is one line of JSON, its postings exactly as the event has them', async (t) => {
  const { store } = await lived();
  const lines = linesOf(await textOf(store, { format: 'jsonl', showPosition: (position) => `p${position}` }));
  const entries = await entriesOf(store);
  t.ok(entries.length > 50);
  t.strictSame(
    lines.map(({ entry_id, postings }) => ({ entry_id, postings })),
    entries.map(({ stream, revision, entry }) => ({ entry_id: `${stream}:${revision}`, postings: entry })),
  );
  t.match(lines[0], { position: /^p\d+$/, type: String, description: String });
});

t.test('CSV has a row for each posting, and no text that a spreadsheet takes for a formula', async (t) => {
  const ledger = await lived();
  const reason = '=HYPERLINK("http://x","y"), "quoted"\nand broken';
  await ledger.open('odd');
  await ledger.run('odd', { type: 'AdjustCredits', credits: 5n, reason, reference: 'r' });
  const rows = (await textOf(ledger.store, { format: 'csv' })).trimEnd().split('\n');
  t.equal(rows[0], 'entry_id,position,recorded_at,type,description,account,unit,amount');
  const postings = (await entriesOf(ledger.store)).flatMap(({ entry }) => entry);
  t.equal(rows.length - 1, postings.length);
  for (const row of rows) t.match(row, /^[a-z]/);
  t.match(rows.at(-1), /,"Adjustment of 0.000005 credits, reference r: =HYPERLINK\(""http:/);
});

t.test('a time takes what was recorded from its first instant on, and before its last', async (t) => {
  const { store } = await lived();
  const entries = await entriesOf(store);
  const at = (n: number): number => Date.parse(entries[n]?.recordedAt ?? '');
  const [from, to] = [at(20), at(60)];
  const lines = linesOf(await textOf(store, { format: 'jsonl', from, to }));
  const expected = entries.filter(
    ({ recordedAt }) => Date.parse(recordedAt) >= from && Date.parse(recordedAt) < to,
  );
  t.ok(expected.length > 10);
  t.same(
    lines.map(({ entry_id }) => entry_id),
    expected.map(({ stream, revision }) => `${stream}:${revision}`),
  );
});

t.test('an account takes the entries that touch it, whole', async (t) => {
  const { store } = await lived();
  const entries = await entriesOf(store);
  for (const [name, prefix] of [
    ['acme+1@example.org', 'liabilities:wallets:acme%2B1%40example.org:'],
    ['income:usage:maker/costly', 'income:usage:maker%2Fcostly'],
    ['expenses:', 'expenses:'],
  ] as const) {
    const account = readAccountChoice(name);
    if (account === null) throw new Error(`not a name: ${name}`);
    const lines = linesOf(await textOf(store, { format: 'jsonl', account }));
    const expected = entries.filter(({ entry }) => entry.some((leg) => leg.account.startsWith(prefix)));
    t.ok(expected.length > 0 && expected.length < entries.length, name);
    t.same(
      lines.map(({ postings }) => postings),
      expected.map(({ entry }) => entry),
      name,
    );
  }
});

t.test('days grow even where the clocks of writers differ around midnight', async (t) => {
  const ledger = await openTestLedger(createMemoryStore());
  await ledger.open('a');
  await ledger.open('b');
  ledger.advance(DAY / 2 - 1_000);
  await ledger.run('a', topUp('before', 100));
  ledger.advance(2_000);
  await ledger.run('a', charge('after', 1));
  ledger.advance(-1_500);
  // Another process, whose clock is behind: at its wall it is still yesterday.
  await ledger.run('b', topUp('late', 100));
  ledger.advance(DAY);
  await ledger.run('b', charge('much-later', 1));
  const text = await textOf(ledger.store, { format: 'hledger' });
  const dates = [...text.matchAll(/^(\d{4}-\d\d-\d\d) \* \((\S+)\)/gm)].map(([, date, id]) => [date, id]);
  t.same(dates, [
    ['2026-03-01', 'wallet-a:1'],
    ['2026-03-01', 'wallet-b:1'],
    ['2026-03-02', 'wallet-a:2'],
    ['2026-03-02', 'wallet-b:2'],
  ]);
});

t.test(
  'opening balances hold what was recorded before, and nothing is lost that comes too late for them',
  async (t) => {
    const ledger = await openTestLedger(createMemoryStore());
    await ledger.open('a');
    await ledger.open('b');
    await ledger.run('a', topUp('before', 100));
    const from = ledger.now() + 60_000;
    ledger.advance(120_000);
    await ledger.run('a', charge('after', 1));
    // A clock that is further behind than any may be.
    ledger.advance(-90_000);
    await ledger.run('b', topUp('late', 40));
    const text = await textOf(ledger.store, { format: 'hledger', from });
    const [head = '', ...transactions] = text.split(/^(?=\d{4}-)/m);
    t.match(head, /^account liabilities:wallets:a:available$/m);
    t.match(transactions[0], /Opening balances[\s\S]*available {2}-100 credits\n/);
    t.match(transactions[1], /\(wallet-a:2\)/);
    t.match(transactions[2], /\(wallet-b:1\)[\s\S]*available {2}-40 credits\n/);
    t.equal(transactions.length, 3);
  },
);

t.test('an empty ledger is an empty journal in every format', async (t) => {
  for (const format of FORMATS) {
    const text = await textOf(createMemoryStore(), { format, from: 0 });
    t.notMatch(text, /wallet|Opening/, format);
  }
});

t.test('what comes of a page is written before the next but one is read', async (t) => {
  const { store } = await lived();
  let reads = 0;
  const slow: EventStore = Object.assign(Object.create(store) as EventStore, {
    readAll: (options: Parameters<EventStore['readAll']>[0]) => {
      reads += 1;
      return store.readAll({ ...options, limit: 10 });
    },
  });
  const chunks = exportJournal(slow, { format: 'csv' });
  await chunks.next();
  await chunks.next();
  t.ok(reads <= 3, `${reads} pages were read for two chunks`);
  await chunks.return();
});
