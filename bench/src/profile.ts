/**
 * `node bench/src/profile.ts [seconds] [charge|array|authorize|hold|balance] [plan]`: where the ledger's own process spends
 * its time under full load, by part and by function; how many round trips; what Postgres' processes cost. With `plan` the
 * wallets are those of row 9.
 */
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import pg from 'pg';
import { type Child, startChild } from './children.ts';
import { parseStat } from './cpu.ts';
import { drain, type Ledger, prepare, startLedger } from './ledger.ts';
import type { LoadJob, LoadReport } from './load.ts';
import { PLAN_WALLET, subscribeAll } from './plan-rows.ts';
import type { Kind } from './requests.ts';
import { ARRAY_CONNECTIONS, ARRAY_ITEMS, CONNECTIONS, WALLETS } from './rows.ts';

const [secondsText = '8', kindText = 'charge', planText] = process.argv.slice(2);
const kind = kindText as Kind;
const hasPlan = planText === 'plan';
const DATA = join(import.meta.dirname, '../.data');

interface Profile {
  readonly nodes: readonly {
    readonly id: number;
    readonly children?: readonly number[];
    readonly callFrame: { readonly functionName: string; readonly url: string; readonly lineNumber: number };
  }[];
  readonly endTime: number;
  readonly startTime: number;
  readonly samples: readonly number[];
  readonly timeDeltas: readonly number[];
}

async function main(): Promise<void> {
  mkdirSync(DATA, { recursive: true });
  const folder = mkdtempSync(join(DATA, 'profile-'));
  const profiles = join(folder, 'profiles');
  const generator = startChild<LoadJob, LoadReport>('load.ts');
  try {
    const flags = ['--cpu-prof', `--cpu-prof-dir=${profiles}`, '--cpu-prof-interval=500'];
    const ledger = await startLedger({ folder: join(folder, 'postgres'), esdbUrl: null, flags });
    let loaded: { readonly items: number; readonly began: number };
    try {
      loaded = await loadAndCount(ledger, generator);
    } finally {
      await ledger.stop();
    }
    const underLoadMs = performance.now() - loaded.began;
    for (const name of readdirSync(profiles)) printProfile(join(profiles, name), underLoadMs, loaded.items);
  } finally {
    await generator.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}

async function loadAndCount(
  ledger: Ledger,
  generator: Child<LoadJob, LoadReport>,
): Promise<{ items: number; began: number }> {
  await prepare(ledger, WALLETS);
  if (hasPlan) await subscribeAll(ledger);
  const job: LoadJob = {
    kind,
    url: ledger.url,
    key: ledger.key,
    prefix: 'warm-up',
    wallets: WALLETS,
    firstWallet: hasPlan ? PLAN_WALLET : 0,
    items: ARRAY_ITEMS,
    walletsPerArray: WALLETS,
    connections: kind === 'array' ? ARRAY_CONNECTIONS : CONNECTIONS,
    seconds: Number(secondsText),
    status: kind === 'charge' ? 201 : 200,
  };
  // Code is compiled for a good 30,000 charges: until then each costs up to half as much again.
  await drain(ledger, BigInt((await generator.ask(job)).position));
  const client = new pg.Client({ connectionString: ledger.postgres.url });
  await client.connect();
  const before = await countersOf(client);
  const backendsBefore = await backendsOf(client);
  const began = performance.now();
  const report = await generator.ask({ ...job, prefix: 'profile' });
  await drain(ledger, BigInt(report.position));
  const { items, seconds, failed, firstFailure } = report;
  console.log(`${items} in ${seconds.toFixed(1)} s: ${Math.round(items / seconds)} per second`);
  if (firstFailure !== null) console.log(`wrong answers: ${failed}, the first ${firstFailure}`);
  const metrics = await fetch(`${ledger.url}/metrics`, {
    headers: { authorization: `Bearer ${ledger.key}` },
  });
  console.log(
    (await metrics.text())
      .split('\n')
      .filter((line) => /^tallystick_runner_/.test(line))
      .join('\n'),
  );
  printCounters(await countersOf(client), before, items);
  printBackends(await backendsOf(client), backendsBefore, items);
  await client.end();
  return { items, began };
}

type Counters = Record<string, number>;

/** Transactions, rows and WAL: what the server counts by itself, without an extension. */
async function countersOf(client: pg.Client): Promise<Counters> {
  const { rows } = await client.query<Counters>(
    `select d.xact_commit::float8 as transactions, d.tup_inserted::float8 as inserted, d.tup_updated::float8 as updated,
       d.tup_fetched::float8 as fetched, w.wal_bytes::float8 as wal_bytes, w.wal_records::float8 as wal_records,
       w.wal_fpi::float8 as wal_full_pages
     from pg_stat_database d, pg_stat_wal w where d.datname = current_database()`,
  );
  return rows[0] ?? {};
}

function printCounters(after: Counters, before: Counters, items: number): void {
  console.log('\nPostgres, per item');
  for (const [name, value] of Object.entries(after)) {
    console.log(`  ${name.padEnd(16)}${((value - (before[name] ?? 0)) / items).toFixed(3).padStart(12)}`);
  }
}

type Backends = Record<string, number>;

/** CPU in µs of each server process, by what it works for. */
async function backendsOf(client: pg.Client): Promise<Backends> {
  const { rows } = await client.query<{ pid: number; name: string }>(
    `select pid, coalesce(nullif(application_name, ''), backend_type) || ' ' || pid as name from pg_stat_activity`,
  );
  return Object.fromEntries(
    rows.map(({ pid, name }) => [name, parseStat(readFileSync(`/proc/${pid}/stat`, 'latin1'))?.us ?? 0]),
  );
}

function printBackends(after: Backends, before: Backends, items: number): void {
  console.log('\nCPU of Postgres processes, µs per item');
  for (const [name, us] of Object.entries(after).sort((a, b) => b[1] - a[1])) {
    console.log(`  ${((us - (before[name] ?? 0)) / items).toFixed(2).padStart(8)}  ${name}`);
  }
}

function printProfile(path: string, underLoadMs: number, items: number): void {
  const { nodes, samples, timeDeltas, startTime, endTime } = JSON.parse(
    readFileSync(path, 'utf8'),
  ) as Profile;
  const names = new Map(nodes.map(({ id, callFrame }) => [id, nameOf(callFrame)]));
  const parents = new Map(
    nodes.flatMap(({ id, children = [] }) => children.map((child) => [child, id] as const)),
  );
  const own = new Map<string, number>();
  const whole = new Map<string, number>();
  const areas = new Map<string, number>();
  const add = (times: Map<string, number>, name: string, us: number): void => {
    times.set(name, (times.get(name) ?? 0) + us);
  };
  // Starting and preparing are not what is asked about.
  const from = endTime - underLoadMs * 1_000;
  let at = startTime;
  samples.forEach((id, index) => {
    const us = timeDeltas[index + 1] ?? 0;
    at += timeDeltas[index] ?? 0;
    if (at < from) return;
    add(own, names.get(id) ?? '', us);
    const callers = new Set<string>();
    for (let node: number | undefined = id; node !== undefined; node = parents.get(node))
      callers.add(names.get(node) ?? '');
    for (const name of callers) add(whole, name, us);
    add(areas, areaOf([...callers]), us);
  });
  print('by part, µs per item', areas, items, 20);
  print('own time by function, µs per item', own, items, 45);
  print('with what it calls, µs per item', whole, items, 70);
}

/** The first part that a stack has a function of. What the driver and HTTP do by themselves comes last. */
const AREAS: readonly (readonly [part: string, files: RegExp])[] = [
  ['projector', / projections\//],
  ['store: append', /event-store\/src\/(postgres|append|binary)/],
  ['domain', /packages\/domain\//],
  ['runner and codec', /packages\/event-store\//],
  ['Postgres driver, answers', / pg(-protocol|-pool|-types)?\//],
  ['HTTP answer', /fastify\/lib\/(reply|wrap-thenable)/],
  ['API', / services\/api\//],
  ['HTTP', /fastify|node:_http|find-my-way|secure-json-parse|light-my-request/],
  ['sockets', /node:net|stream_base_commons|node:internal\/streams/],
];

function areaOf(callers: readonly string[]): string {
  for (const [part, files] of AREAS) if (callers.some((name) => files.test(name))) return part;
  return callers[0]?.trim() ?? '';
}

function nameOf({ functionName, url, lineNumber }: Profile['nodes'][number]['callFrame']): string {
  const file = fileOf(url);
  return `${functionName || '(anonymous)'}  ${file}${file === '' ? '' : `:${lineNumber + 1}`}`;
}

/** `node_modules/x/y.js` or the path below the checkout; empty for what is built in. */
function fileOf(url: string): string {
  const packaged = url.lastIndexOf('/node_modules/');
  if (packaged >= 0) return url.slice(packaged + '/node_modules/'.length);
  if (url.startsWith('file://')) return url.replace(/^.*?\/(?=packages\/|services\/|projections\/)/, '');
  return url;
}

function print(title: string, times: ReadonlyMap<string, number>, items: number, lines: number): void {
  console.log(`\n${title}`);
  for (const [name, us] of [...times].sort((a, b) => b[1] - a[1]).slice(0, lines)) {
    console.log(`  ${(us / items).toFixed(2).padStart(8)}  ${name}`);
  }
}

await main();
