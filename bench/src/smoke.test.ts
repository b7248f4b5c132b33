/** The bench itself against a real ledger, small: what it says about the books must be true before its rates are believed. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import type { BareInsertJob, BareReport } from './bare-insert.ts';
import { bareRead } from './bare-read.ts';
import type { BareRouteJob } from './bare-route.ts';
import { startChild } from './children.ts';
import { type Ledger, prepare, readBooks, startLedger, usageSchema } from './ledger.ts';
import { runLedgerTool } from './ledger-tool.ts';
import type { LoadJob, LoadReport } from './load.ts';
import { runCharges } from './measure.ts';

const folder = mkdtempSync(join(tmpdir(), 'tallystick-bench-'));
const generator = startChild<LoadJob, LoadReport>('load.ts');
const ledger: Ledger = await startLedger({ folder, esdbUrl: null });
t.teardown(async () => {
  await generator.stop();
  await ledger.stop();
  rmSync(folder, { recursive: true, force: true });
});
await prepare(ledger, 10);

const job: LoadJob = {
  kind: 'charge',
  url: ledger.url,
  key: ledger.key,
  prefix: 'smoke',
  wallets: 10,
  items: 50,
  walletsPerArray: 10,
  connections: 8,
  seconds: 30,
  requestsMax: 200,
  status: 201,
};

t.test('200 charges and two arrays are answered, projected, and in the books to the credit', async (t) => {
  const groups = { ledger: [ledger.pid], postgres: [ledger.postgres.pid] };
  let charged = 0;
  const count = ({ credits }: LoadReport): void => {
    charged += credits;
  };
  const singles = await runCharges(ledger, generator, job, groups, count);
  t.same(singles.faults, []);
  t.ok(singles.perSecond > 0);
  const arrays: LoadJob = {
    ...job,
    kind: 'array',
    prefix: 'smokes',
    requestsMax: 2,
    connections: 1,
    status: 200,
  };
  t.same((await runCharges(ledger, generator, arrays, groups, count)).faults, []);
  t.ok(charged > 0);
  t.same(await readBooks(ledger), { unbalanced: [], charged });
});

t.test('callers through the typed client are answered, projected, and in the books as well', async (t) => {
  const callers = startChild<LoadJob, LoadReport>('client-load.ts');
  t.teardown(() => callers.stop());
  const before = await readBooks(ledger);
  let charged = 0;
  const groups = { ledger: [ledger.pid], postgres: [ledger.postgres.pid] };
  const through = await runCharges(
    ledger,
    callers,
    { ...job, prefix: 'client' },
    groups,
    ({ items, credits }) => {
      t.equal(items, 200);
      charged += credits;
    },
  );
  t.same(through.faults, []);
  t.same(await readBooks(ledger), { unbalanced: [], charged: before.charged + charged });
  const refused = await callers.ask({ ...job, key: 'a-wrong-key', prefix: 'wrong', requestsMax: 5 });
  t.match(refused, { requests: 5, items: 0, failed: 5, firstFailure: /^LedgerRefused: unauthorized/ });
});

t.test('wrong answers are counted and the first is told', async (t) => {
  const report = await generator.ask({ ...job, key: 'a-wrong-key', prefix: 'wrong', requestsMax: 5 });
  t.match(report, { requests: 5, items: 0, failed: 5, firstFailure: /^401 / });
});

t.test('at a given rate as many are sent as are due', async (t) => {
  const { requestsMax: _, ...atRate } = { ...job, prefix: 'rate', seconds: 0.5, perSecond: 100, trace: true };
  const report = await generator.ask(atRate);
  t.match(report, { requests: 50, items: 50, failed: 0 });
  t.equal(report.sent.length, 50);
});

t.test('the bare route takes the same body by the same schema, and refuses another', async (t) => {
  const route = startChild<BareRouteJob, string>('bare-route.ts');
  t.teardown(() => route.stop());
  const url = await route.ask({ schema: await usageSchema(ledger) });
  t.match(await generator.ask({ ...job, url, prefix: 'bare' }), { items: 200, failed: 0 });
  const refused = await fetch(`${url}/v1/usage`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ id: 'x', account: 'y', model: 'z', usage: { steps: 1 } }),
  });
  t.equal(refused.status, 400);
});

t.test('the bare insert writes rows as the ledger does, into a copy of its table', async (t) => {
  const inserter = startChild<BareInsertJob, BareReport>('bare-insert.ts');
  t.teardown(() => inserter.stop());
  const insert: BareInsertJob = {
    postgresUrl: ledger.postgres.url,
    schema: `${ledger.namespace}_events`,
    rows: 100,
    seconds: 0.05,
  };
  const first = await inserter.ask(insert);
  t.ok(first.items >= 100);
  t.ok((await inserter.ask(insert)).items >= 100, 'and again, after what is there');
});

t.test('the audit finds every event that a bare read finds, and nothing wrong', async (t) => {
  const { answer, peakMb } = await runLedgerTool('verify', folder, ledger.namespace);
  const { items } = await bareRead(ledger);
  t.match(answer, { events: items, count: 0 });
  t.ok(items > 200);
  t.ok(peakMb === null || peakMb > 10);
});
