/**
 * `pnpm growth [--events 1000000] [--rounds 10]`: does a wallet with a long history cost more than one with a short one?
 * Compares, in one ledger, CPU and rate of charges and the time of a cold load, on wallets of 1,000 events and on one of
 * many. Exits 1 where the long one costs more than 1.2 times as much.
 */
import { mkdirSync, mkdtempSync, rmSync, statfsSync } from 'node:fs';
import { join } from 'node:path';
import { readArguments, refuseArguments } from './arguments.ts';
import { startChild } from './children.ts';
import { call, type Ledger, prepare, readBooks, startLedger, topUp } from './ledger.ts';
import type { LoadJob, LoadReport } from './load.ts';
import { comeToRest, grow, PREPARED_EVENTS, streamsOf } from './long-streams.ts';
import { type Generator, interleave, type Run, runCharges } from './measure.ts';
import { openProgress } from './progress.ts';
import { accountOf, MODEL } from './requests.ts';
import { CONNECTIONS, newPrefix } from './rows.ts';
import { median, pairwiseRatios, type Spread } from './statistics.ts';

const LIMIT = 1.2;
const SHORT_EVENTS = 1_000;
/** After the last snapshot, on every wallet alike: a cold load has something to read. */
const TAIL_EVENTS = 500;
/** Of one run: short, so that a short stream stays short. */
const CHARGES = 4_000;
const WARM_UP_CHARGES = 40_000;
const RESTARTS = 5;
/** Events, their indexes, the rows made of them, and the log of all that. */
const BYTES_PER_EVENT = 4_000;

/** Of charges that one top-up is sure to pay. */
const CHARGES_PER_TOP_UP = 6_000_000;

/** On the same disk as the checkout: a temporary folder may be in memory. */
const DATA = join(import.meta.dirname, '../.data');

const LONG = 0;
const WARM_UP = 1;
const FIRST_SHORT = 2;

const USAGE = `pnpm growth [--events ${SHORT_EVENTS} or more] [--rounds n]`;
const values = readArguments(USAGE, {
  events: { type: 'string', default: '1000000' },
  rounds: { type: 'string', default: '10' },
});
const events = Number(values.events);
const rounds = Number(values.rounds);
if (!(Number.isInteger(events) && events >= SHORT_EVENTS && Number.isInteger(rounds) && rounds > 0))
  refuseArguments(USAGE, `--events must be a whole number from ${SHORT_EVENTS} on, --rounds one from 1 on`);
const shorts = Array.from({ length: rounds }, (_, index) => FIRST_SHORT + index);
const wallets = [LONG, WARM_UP, ...shorts];
process.exitCode = (await main()) ? 0 : 1;

async function main(): Promise<boolean> {
  mkdirSync(DATA, { recursive: true });
  const { bavail, bsize } = statfsSync(DATA);
  if (bavail * bsize < events * BYTES_PER_EVENT) {
    console.error(
      `${events} events need about ${gb(events * BYTES_PER_EVENT)}, and ${gb(bavail * bsize)} are free`,
    );
    return false;
  }
  const folder = mkdtempSync(join(DATA, 'growth-'));
  const generator = startChild<LoadJob, LoadReport>('load.ts');
  const progress = openProgress();
  let ledger = await startLedger({ folder, esdbUrl: null });
  try {
    let credits = await load(ledger, generator, progress.tell);
    const cold: { short: number[]; long: number[] } = { short: [], long: [] };
    for (let start = 0; start < RESTARTS; start += 1) {
      progress.tell(`cold loads, start ${start + 1} of ${RESTARTS}`);
      await ledger.stop();
      ledger = await startLedger({ folder, esdbUrl: null, again: ledger });
      const times = await coldLoads(ledger);
      cold.short.push(median(times.short));
      cold.long.push(times.long);
    }
    const streams = await streamsOf(ledger, [LONG, FIRST_SHORT]);
    const runs = await chargeInTurn(ledger, generator, progress.tell, (charged) => {
      credits += charged;
    });
    progress.end();
    console.log(
      `streams of ${streams.map((stream) => stream.events).join(' and ')} events; a cold load reads a snapshot and ${streams.map(({ tail }) => tail).join(' and ')} of them`,
    );
    return [
      tell('CPU per charge, µs, ledger and Postgres', cpuOf(runs.short), cpuOf(runs.long)),
      tell('time per charge, µs', timeOf(runs.short), timeOf(runs.long)),
      tell('cold load, ms', cold.short, cold.long),
      await booksAgree(ledger, credits),
      noFaults([...runs.short, ...runs.long]),
    ].every((fine) => fine);
  } finally {
    progress.end();
    await generator.stop();
    await ledger.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}

/** @returns whole credits that were charged */
async function load(ledger: Ledger, generator: Generator, say: (what: string) => void): Promise<number> {
  await prepare(ledger, wallets.length);
  for (let paid = CHARGES_PER_TOP_UP; paid < events; paid += CHARGES_PER_TOP_UP)
    await topUp(ledger, accountOf(LONG), `after-${paid}`);
  let credits = 0;
  let position = 0n;
  for (const wallet of wallets) {
    const wanted = (wallet === LONG ? events : SHORT_EVENTS) - PREPARED_EVENTS;
    const grown = await grow({ ledger, generator, tell: say }, wallet, wanted);
    credits += grown.credits;
    position = grown.position;
  }
  say('coming to rest');
  await comeToRest(ledger, wallets, position);
  for (const wallet of wallets) {
    const grown = await grow({ ledger, generator, tell: say }, wallet, TAIL_EVENTS);
    credits += grown.credits;
    position = grown.position;
  }
  await comeToRest(ledger, wallets, position);
  return credits;
}

/** Milliseconds of the first question to each wallet in a new process; half of the short ones compile the code. */
async function coldLoads(ledger: Ledger): Promise<{ short: readonly number[]; long: number }> {
  const half = Math.ceil(shorts.length / 2);
  for (const wallet of [WARM_UP, ...shorts.slice(0, half)]) await askTime(ledger, wallet);
  const before: number[] = [];
  for (const wallet of shorts.slice(half)) before.push(await askTime(ledger, wallet));
  return { short: before, long: await askTime(ledger, LONG) };
}

/** Advice is asked of the wallet in memory; there is none yet, so it is loaded. */
async function askTime(ledger: Ledger, wallet: number): Promise<number> {
  const began = performance.now();
  await call(ledger, 'POST', '/v1/authorize', {
    account: accountOf(wallet),
    model: MODEL,
    estimate: { input_tokens: 100 },
  });
  return performance.now() - began;
}

async function chargeInTurn(
  ledger: Ledger,
  generator: Generator,
  say: (what: string) => void,
  onCharged: (credits: number) => void,
): Promise<Record<'short' | 'long', Run[]>> {
  const groups = { ledger: [ledger.pid], postgres: [ledger.postgres.pid], load: [generator.pid] };
  const charge = (wallet: number, requestsMax = CHARGES): Promise<Run> => {
    const job: LoadJob = {
      kind: 'charge',
      url: ledger.url,
      key: ledger.key,
      prefix: newPrefix(),
      wallets: 1,
      firstWallet: wallet,
      items: 1,
      walletsPerArray: 1,
      connections: CONNECTIONS,
      seconds: 600,
      requestsMax,
      status: 201,
    };
    return runCharges(ledger, generator, job, groups, ({ credits }) => onCharged(credits));
  };
  say('warming up');
  await charge(WARM_UP, WARM_UP_CHARGES);
  let next = 0;
  return interleave(
    {
      short: { name: `${SHORT_EVENTS} events`, run: () => charge(shorts[next++] ?? FIRST_SHORT) },
      long: { name: `${events} events`, run: () => charge(LONG) },
    },
    rounds,
    say,
  );
}

/** Of those two processes only: the generator's own is the same on both sides. */
function cpuOf(runs: readonly Run[]): number[] {
  return runs.flatMap(({ cost }) => (cost === null ? [] : [(cost.ledger ?? 0) + (cost.postgres ?? 0)]));
}

function timeOf(runs: readonly Run[]): number[] {
  return runs.map(({ perSecond }) => 1e6 / perSecond);
}

function tell(what: string, short: readonly number[], long: readonly number[]): boolean {
  if (short.length === 0) {
    console.log(`${what}: unknown on this system`);
    return true;
  }
  const ratio = pairwiseRatios(long, short);
  const fine = ratio.median <= LIMIT;
  console.log(
    `${what.padEnd(42)}${median(short).toFixed(2).padStart(9)} ${median(long).toFixed(2).padStart(9)}   ${spread(ratio)}, at most ${LIMIT}: ${fine ? 'met' : 'MISSED'}`,
  );
  return fine;
}

function spread({ median: middle, min, max }: Spread): string {
  return `${middle.toFixed(2)} (${min.toFixed(2)} to ${max.toFixed(2)})`;
}

async function booksAgree(ledger: Ledger, credits: number): Promise<boolean> {
  const { unbalanced, charged } = await readBooks(ledger);
  const fine = unbalanced.length === 0 && charged === credits;
  if (!fine)
    console.log(
      `${charged} credits are in the books, ${credits} were answered; not at zero: ${unbalanced.join(', ')}`,
    );
  return fine;
}

function noFaults(runs: readonly Run[]): boolean {
  const faults = runs.flatMap((run) => run.faults);
  for (const fault of faults) console.log(fault);
  return faults.length === 0;
}

function gb(bytes: number): string {
  return `${(bytes / 1e9).toFixed(1)} GB`;
}
