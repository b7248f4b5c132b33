/**
 * `pnpm soak [--minutes 10] [--rate n]`: the standalone under mixed load at half of what it can, or at a given rate, and a line every half minute. At the
 * end it says whether memory stayed flat and the books are in order, and exits 1 where not.
 */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { readArguments, refuseArguments } from './arguments.ts';
import { startChild } from './children.ts';
import { drain, type Ledger, prepare, readBooks, startLedger } from './ledger.ts';
import { newPrefix } from './rows.ts';
import type { SoakJob, SoakReport } from './soak-load.ts';
import { type Reading, readLedger, slopePerMinute } from './soak-memory.ts';

const WALLETS = 500;
const CONNECTIONS = 32;
const WINDOW_SECONDS = 30;
const TOP_RATE_SECONDS = 10;
const SAMPLE_MS = 1_000;
const REST_MS = 250;
const REST_TRIES = 40;
const COLLECTING = ['--expose-gc', `--import=${import.meta.resolve('./soak-collect.ts')}`];
/** Compiled code, full caches and queues: this share of the time is not judged. */
const WARM_UP = 1 / 3;
/** Of the heap, beyond what the wallets in memory account for. */
const GROWTH_MB_PER_MINUTE_MAX = 2;
const MB = 2 ** 20;
/** On the same disk as the checkout: a temporary folder may be in memory. */
const DATA = join(import.meta.dirname, '../.data');

const USAGE = 'pnpm soak [--minutes 10] [--rate acts-per-second]; at least 2 minutes';
const values = readArguments(USAGE, {
  minutes: { type: 'string', default: '10' },
  rate: { type: 'string' },
});
const minutes = Number(values.minutes);
if (!(minutes >= 2) || !(Number(values.rate ?? 1) > 0))
  refuseArguments(USAGE, '--minutes must be 2 or more, --rate above 0');
process.exitCode = (await main()) ? 0 : 1;

async function main(): Promise<boolean> {
  mkdirSync(DATA, { recursive: true });
  const folder = mkdtempSync(join(DATA, 'soak-'));
  const generator = startChild<SoakJob, SoakReport>('soak-load.ts');
  const ledger = await startLedger({ folder, esdbUrl: null, flags: COLLECTING });
  try {
    await prepare(ledger, WALLETS);
    const reports: SoakReport[] = [];
    const send = async (seconds: number, perSecond: number | null): Promise<SoakReport> => {
      const { url, key } = ledger;
      const prefix = newPrefix();
      const job = { url, key, prefix, wallets: WALLETS, connections: CONNECTIONS, seconds, perSecond };
      const report = await generator.ask(job);
      reports.push(report);
      return report;
    };
    await send(TOP_RATE_SECONDS, null);
    const top = await send(TOP_RATE_SECONDS, null);
    const perSecond = Number(values.rate ?? Math.round(top.acts / top.seconds / 2));
    console.log(
      `${Math.round(top.acts / top.seconds)} acts a second at most; ${minutes} minutes at ${perSecond}`,
    );
    const windows: Reading[] = [];
    for (let index = 0; index < (minutes * 60) / WINDOW_SECONDS; index += 1) {
      const [report, lagMs] = await Promise.all([
        send(WINDOW_SECONDS, perSecond),
        longestLag(ledger, WINDOW_SECONDS),
      ]);
      const reading = await atRest(ledger);
      windows.push(reading);
      console.log(lineOf(index, report, { ...reading, lagMs }));
    }
    const judged = windows.slice(Math.ceil(windows.length * WARM_UP));
    return [isFlat(judged), ...wrongAnswers(reports), await booksAgree(ledger, reports)].every(
      (fine) => fine,
    );
  } finally {
    await generator.stop();
    await ledger.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Between two windows, with no load and nothing left to project: what stays when garbage is collected is what is kept. */
async function atRest(ledger: Ledger): Promise<Reading> {
  for (let tries = 0; tries < REST_TRIES && (await readLedger(ledger)).lagMs > 0; tries += 1)
    await pause(REST_MS);
  const readings: Reading[] = [];
  for (let look = 0; look < 3; look += 1) {
    process.kill(ledger.pid, 'SIGUSR2');
    await pause(REST_MS);
    readings.push(await readLedger(ledger));
  }
  return readings.reduce((low, reading) => (reading.heapBytes < low.heapBytes ? reading : low));
}

/** The longest that was seen in so many seconds. */
async function longestLag(ledger: Ledger, seconds: number): Promise<number> {
  const until = performance.now() + seconds * 1_000;
  let longestMs = 0;
  while (performance.now() < until) {
    longestMs = Math.max(longestMs, (await readLedger(ledger)).lagMs);
    await pause(SAMPLE_MS);
  }
  return longestMs;
}

function lineOf(index: number, report: SoakReport, reading: Reading): string {
  const mb = (bytes: number): string => `${Math.round(bytes / MB)} MB`;
  return [
    `${(((index + 1) * WINDOW_SECONDS) / 60).toFixed(1).padStart(5)} min`,
    `${Math.round(report.requests / report.seconds)} requests/s`,
    `p50 ${report.p50Ms.toFixed(1)} ms, p99 ${report.p99Ms.toFixed(1)} ms`,
    `heap ${mb(reading.heapBytes)}, of it wallets ${mb(reading.walletBytes)} (${reading.wallets})`,
    `RSS ${mb(reading.rssBytes)}`,
    `Postgres ${reading.postgresBytes === null ? 'unknown' : mb(reading.postgresBytes)}`,
    `lag ${Math.round(reading.lagMs)} ms`,
  ].join('  ');
}

function isFlat(judged: readonly Reading[]): boolean {
  const minutesOf = (index: number): number => (index * WINDOW_SECONDS) / 60;
  const slope = slopePerMinute(
    judged.map(({ heapBytes, walletBytes }, index) => [minutesOf(index), (heapBytes - walletBytes) / MB]),
  );
  const fine = slope <= GROWTH_MB_PER_MINUTE_MAX;
  console.log(
    `heap without the wallets in memory: ${slope.toFixed(2)} MB a minute, at most ${GROWTH_MB_PER_MINUTE_MAX}: ${fine ? 'flat' : 'NOT FLAT'}`,
  );
  return fine;
}

function wrongAnswers(reports: readonly SoakReport[]): boolean[] {
  return reports.map(({ failed, firstFailure }) => {
    if (failed > 0) console.log(`${failed} wrong answers, the first: ${firstFailure}`);
    return failed === 0;
  });
}

async function booksAgree(ledger: Ledger, reports: readonly SoakReport[]): Promise<boolean> {
  const last = reports.reduce(
    (highest, { position }) => (BigInt(position) > highest ? BigInt(position) : highest),
    0n,
  );
  if ((await drain(ledger, last)) === null) console.log('the read models did not come to the last charge');
  const answered = reports.reduce((sum, { credits }) => sum + credits, 0);
  const { unbalanced, charged } = await readBooks(ledger);
  const fine = unbalanced.length === 0 && charged === answered;
  console.log(
    fine
      ? `books: every unit comes to zero, and the ${charged} credits that were answered are in them`
      : `books: ${charged} credits are in them, ${answered} were answered; not at zero: ${unbalanced.join(', ') || 'none'}`,
  );
  return fine;
}
