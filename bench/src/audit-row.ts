/**
 * Row 8: `ledger verify` over a ledger of a million events, against a bare reading of the same table. The ledger is made
 * through the front door, in arrays, because every event must be as the ledger writes it; then it is left in peace
 * until everything is projected and sealed, so that the audit finds all of it and meets nobody.
 */
import { setTimeout as pause } from 'node:timers/promises';
import { bareRead } from './bare-read.ts';
import { startChild } from './children.ts';
import { cpuOf } from './cpu.ts';
import {
  drain,
  type Ledger,
  onPostgres,
  postgresVersion,
  prepare,
  readBooks,
  startLedger,
} from './ledger.ts';
import { runLedgerTool } from './ledger-tool.ts';
import type { LoadJob, LoadReport } from './load.ts';
import { costOf, interleave, type Run, type Side } from './measure.ts';
import { compare, type Done } from './results.ts';
import { ARRAY_CONNECTIONS, ARRAY_ITEMS, newPrefix, type Plan, WALLETS } from './rows.ts';

/** Events per second. */
const AIM = 60_000;

/** @param events at least; a top-up and the account of each wallet, and the seals, come on top */
export async function auditRow(plan: Plan, folder: string, events: number): Promise<Done> {
  plan.tell('starting a ledger to be audited');
  const ledger = await startLedger({ folder, esdbUrl: null });
  try {
    await prepare(ledger, WALLETS);
    await checkBooks(ledger, await fill(ledger, events, plan.tell));
    const tool = (command: string) => runLedgerTool(command, folder, ledger.namespace);
    const peaks: number[] = [];
    const audit: Side = {
      name: `ledger verify, ${events.toLocaleString('en')} events`,
      run: () =>
        measure(ledger, async () => {
          const { answer, peakMb } = await tool('verify');
          const { events: items, seconds, count } = answer as Verdict;
          peaks.push(peakMb ?? 0);
          return { items, seconds, faults: count === 0 ? [] : [`${count} things differ in a sound ledger`] };
        }),
    };
    const read: Side = {
      name: 'bare read, page by page',
      run: () => measure(ledger, async () => ({ ...(await bareRead(ledger)), faults: [] })),
    };
    const measured = await interleave({ audit, read }, plan.rounds, plan.tell);
    plan.tell('ledger rebuild');
    const rebuilt = await tool('rebuild');
    const note =
      `${Math.max(...peaks)} MB of memory at most; ` +
      `rebuild, compare and switch: ${rebuilt.seconds.toFixed(0)} s with the start`;
    const ours = [audit.name, measured.audit] as const;
    const yardstick = [read.name, measured.read] as const;
    const results = [compare({ kind: 'rate', row: 8, ours, yardstick, aim: AIM, note })];
    return { results, version: await postgresVersion(ledger) };
  } finally {
    await ledger.stop();
  }
}

/** As `--json` gives it. */
interface Verdict {
  readonly events: number;
  readonly seconds: number;
  readonly count: number;
}

interface Measured {
  readonly items: number;
  readonly seconds: number;
  readonly faults: readonly string[];
}

/** Tool and yardstick are this process or its children; the ledger beside them has nothing to do. */
async function measure(ledger: Ledger, work: () => Promise<Measured>): Promise<Run> {
  const groups = { tool: [process.pid], postgres: [ledger.postgres.pid], ledger: [ledger.pid] };
  const before = cpuOf(groups);
  const { items, seconds, faults } = await work();
  const cost = costOf(before, cpuOf(groups), items);
  return { perSecond: items / seconds, cost, p50Ms: null, p99Ms: null, drainSeconds: null, faults };
}

/** Arrays between two words of progress. */
const SLICE = 50;

/** @returns whole credits that were charged */
async function fill(ledger: Ledger, events: number, tell: Plan['tell']): Promise<number> {
  const generator = startChild<LoadJob, LoadReport>('load.ts');
  try {
    let position = 0n;
    let credits = 0;
    for (let left = events; left > 0; ) {
      tell(`writing a ledger to be audited: ${left.toLocaleString('en')} events to go`);
      const report = await generator.ask({
        kind: 'array',
        url: ledger.url,
        key: ledger.key,
        prefix: newPrefix(),
        wallets: WALLETS,
        items: ARRAY_ITEMS,
        walletsPerArray: WALLETS,
        connections: ARRAY_CONNECTIONS,
        seconds: 600,
        requestsMax: Math.min(SLICE, Math.ceil(left / ARRAY_ITEMS)),
        status: 200,
      });
      if (report.failed > 0) throw new Error(`the ledger did not grow: ${report.firstFailure}`);
      left -= report.items;
      credits += report.credits;
      position = BigInt(report.position);
    }
    tell('waiting until everything is projected and sealed');
    for (let tries = 0; (await drain(ledger, position)) === null; tries += 1)
      if (tries > PATIENCE) throw new Error('the read models do not come to the end');
    await sealed(ledger);
    return credits;
  } finally {
    await generator.stop();
  }
}

/** Nothing is to be learnt from auditing a ledger that is not what was asked for. */
async function checkBooks(ledger: Ledger, credits: number): Promise<void> {
  const { unbalanced, charged } = await readBooks(ledger);
  if (unbalanced.length > 0 || charged !== credits)
    throw new Error(`${charged} credits are in the books, ${credits} were answered; not zero: ${unbalanced}`);
}

const PATIENCE = 60;
const LOOK_MS = 1_000;

/** Seals come by themselves, every minute. */
async function sealed(ledger: Ledger): Promise<void> {
  const { namespace } = ledger;
  await onPostgres(ledger, async (client) => {
    for (let tries = 0; tries < PATIENCE * 5; tries += 1) {
      const { rows } = await client.query<{ left: string }>(
        `select (select count(*) from ${namespace}_events.events where category not in ('seal', 'profile'))
           - (select coalesce(sum(events), 0) from ${namespace}_reads.seals) as left`,
      );
      if (rows[0]?.left === '0') return;
      await pause(LOOK_MS);
    }
    throw new Error('not everything is sealed');
  });
}
