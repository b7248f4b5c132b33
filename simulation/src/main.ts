/** `pnpm sim`: simulates many seeds until one fails, or one seed again, step by step. */
import { randomInt } from 'node:crypto';
import { parseArgs } from 'node:util';
import { startPostgres } from '@tallystick/event-store/testing';
import { startMeter } from './meter.ts';
import type { Run } from './simulate.ts';
import { findFailure, startWorker, type Worker } from './workers.ts';

const HELP = `pnpm sim [--seeds n] [--from seed] [--jobs n]     many worlds, until one is broken
pnpm sim --seed n [--log]                       one world again; --log prints its every step

Seeds are whole numbers; without --from they begin somewhere. Exit code 1 where a world is broken.`;

const SEED_MAX = 2 ** 31 - 1;
const SEEDS = 200;
const JOBS = 2;

interface Plan {
  readonly from: number;
  readonly count: number;
  readonly jobs: number;
  readonly log: boolean;
  readonly single: boolean;
}

/** Or what is wrong with the arguments, in a line. */
function readPlan(): Plan | 'help' | { readonly fault: string } {
  const values = readOptions();
  if ('fault' in values) return values;
  const { seed, log } = values;
  const from = Number(seed ?? values.from ?? randomInt(SEED_MAX - 1_000_000));
  const count = seed === undefined ? Number(values.seeds ?? SEEDS) : 1;
  const jobs = Math.min(Number(values.jobs ?? JOBS), count);
  const isNatural = [from, count, jobs].every((number) => Number.isSafeInteger(number) && number >= 0);
  if (values.help) return 'help';
  if (!isNatural || count === 0 || jobs === 0 || from + count > SEED_MAX)
    return { fault: `seeds and jobs are whole numbers above 0, and seeds end at ${SEED_MAX}` };
  return { from, count, jobs, log, single: seed !== undefined };
}

function readOptions() {
  try {
    return parseArgs({
      options: {
        seed: { type: 'string' },
        seeds: { type: 'string' },
        from: { type: 'string' },
        jobs: { type: 'string' },
        log: { type: 'boolean', default: false },
        help: { type: 'boolean', default: false },
      },
    }).values;
  } catch (error) {
    return { fault: error instanceof Error ? error.message : String(error) };
  }
}

async function main(): Promise<number> {
  const plan = readPlan();
  if (plan === 'help') {
    console.log(HELP);
    return 0;
  }
  if ('fault' in plan) {
    console.error(`pnpm sim: ${plan.fault}; --help tells what there is`);
    return 2;
  }
  const server = await startPostgres();
  const workers = await Promise.all(
    Array.from({ length: plan.jobs }, (_, index) => startWorker({ url: server.url, prefix: `sim${index}` })),
  );
  try {
    const failed = plan.single ? await runOne(workers, plan) : await runMany(workers, plan);
    return failed ? 1 : 0;
  } finally {
    await Promise.all(workers.map((worker) => worker.stop()));
    await server.stop();
  }
}

async function runOne([worker]: readonly Worker[], { from, log }: Plan): Promise<boolean> {
  const run = await worker?.simulate(from, log);
  if (run === undefined) throw new Error('no worker');
  for (const line of run.log) console.log(line);
  console.log(JSON.stringify(run.shape, null, 2));
  const { attempts, events, steps, crashes, digest } = run;
  console.log(
    `seed ${from}: ${attempts} attempts, ${events} events, ${crashes.length} crashes, ${steps} steps, digest ${digest}`,
  );
  console.log(run.failure ?? 'nothing is broken');
  return run.failure !== null;
}

async function runMany(workers: readonly Worker[], { from, count }: Plan): Promise<boolean> {
  console.log(`seeds ${from} to ${from + count - 1}`);
  const meter = startMeter(count);
  const sums = { seeds: 0, attempts: 0, events: 0, crashes: 0 };
  const failure = await findFailure(workers, { from, count }, (run) => {
    sums.seeds += 1;
    sums.attempts += run.attempts;
    sums.events += run.events;
    sums.crashes += run.crashes.length;
    meter.show(sums.seeds);
  });
  const perSecond = meter.stop(sums.seeds);
  console.log(
    `${sums.seeds} seeds, ${perSecond} a second: ${sums.attempts} attempts, ${sums.events} events, ${sums.crashes} crashes`,
  );
  if (failure === null) console.log('nothing is broken');
  else report(failure);
  return failure !== null;
}

function report({ seed, failure }: Run): void {
  console.log(`seed ${seed}: ${failure}`);
  console.log(`again, step by step: pnpm sim --seed ${seed} --log`);
}

process.exitCode = await main();
