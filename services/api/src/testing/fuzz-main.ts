/**
 * `pnpm fuzz [--seconds 60] [--seed n]`: rounds of fuzzing with one seed after the other, until the time is over or an
 * answer is wrong. Then the books are audited, and memory must have stayed flat. Exits 1 where anything is wrong.
 */
import { parseArgs } from 'node:util';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { fuzzRound } from './fuzz.ts';
import { type FuzzLedger, startFuzzLedger } from './fuzz-ledger.ts';

const BURSTS = 200;
/** Until code is compiled and caches are full. */
const WARM_UP_ROUNDS = 5;
/** Beyond this, and what the catalogues hold, the heap must not grow, however many rounds there are. */
const GROWTH_BYTES_MAX = 16 * 1024 * 1024;
/** Price books and API keys are in memory by design: compiled, several times what their events take. */
const CATALOGUE_FACTOR = 8;

interface Sample {
  readonly heapBytes: number;
  readonly catalogueBytes: number;
}

const HELP = `pnpm fuzz [--seconds 60] [--seed n]

Rounds of generated requests until the time is over. Exit code 1 where an answer, the books or memory is wrong.`;

const { seconds, seed } = readOptions();
const ledger = await startFuzzLedger();
try {
  process.exitCode = (await run(ledger)) ? 0 : 1;
} finally {
  await ledger.stop();
}

function readOptions(): { readonly seconds: number; readonly seed: number } {
  try {
    const { values } = parseArgs({
      options: {
        seconds: { type: 'string', default: '60' },
        seed: { type: 'string' },
        help: { type: 'boolean', default: false },
      },
    });
    if (values.help) {
      console.log(HELP);
      process.exit(0);
    }
    const seconds = Number(values.seconds);
    const seed = Number(values.seed ?? Math.trunc(Math.random() * 2 ** 31));
    if (!(seconds > 0)) throw new Error('--seconds must be a number above 0');
    if (!Number.isInteger(seed)) throw new Error('--seed must be a whole number');
    return { seconds, seed };
  } catch (error) {
    console.error(`pnpm fuzz: ${error instanceof Error ? error.message : error}; --help tells what there is`);
    process.exit(2);
  }
}

async function run(ledger: FuzzLedger): Promise<boolean> {
  console.log(`seed ${seed}`);
  const stopAt = performance.now() + seconds * 1_000;
  let first: Sample | null = null;
  let round = 0;
  for (; performance.now() < stopAt || first === null; round += 1) {
    const fault = await fuzzRound(ledger, { seed: seed + round, bursts: BURSTS });
    if (fault !== null) {
      console.log(
        `round ${round + 1}: ${fault}\nagain: pnpm fuzz --seed ${seed} --seconds ${Math.ceil(seconds)}\nan answer is wrong`,
      );
      return false;
    }
    if (round + 1 === WARM_UP_ROUNDS) first = await sample(ledger);
  }
  const last = await sample(ledger);
  tellStatuses(ledger);
  const faults = [...(await ledger.audit()), ...growthOf(first, last)];
  console.log(
    `${round} rounds of ${BURSTS} bursts; heap ${inMb(first.heapBytes)} after ${WARM_UP_ROUNDS}, ${inMb(last.heapBytes)} at the end`,
  );
  for (const fault of faults) console.log(fault);
  console.log(
    faults.length === 0
      ? 'nothing is wrong: every answer was one that the API promises, the books agree, memory is flat'
      : `${faults.length} ${faults.length === 1 ? 'thing is' : 'things are'} wrong`,
  );
  return faults.length === 0;
}

async function sample(ledger: FuzzLedger): Promise<Sample> {
  setFlagsFromString('--expose-gc');
  const collect: () => void = runInNewContext('gc');
  collect();
  // Finalizers run between two turns; what they let go is gone with the second collection.
  await new Promise((resolve) => setTimeout(resolve, 50));
  collect();
  return { heapBytes: process.memoryUsage().heapUsed, catalogueBytes: await ledger.catalogueBytes() };
}

function growthOf(first: Sample, last: Sample): readonly string[] {
  const allowed = GROWTH_BYTES_MAX + CATALOGUE_FACTOR * (last.catalogueBytes - first.catalogueBytes);
  const grown = last.heapBytes - first.heapBytes;
  return grown <= allowed ? [] : [`the heap grew by ${inMb(grown)}, and ${inMb(allowed)} were allowed`];
}

function tellStatuses({ statuses }: FuzzLedger): void {
  for (const [operation, counts] of [...statuses].sort()) {
    const sorted = [...counts].sort(([a], [b]) => a - b);
    console.log(
      `${operation.padEnd(58)}${sorted.map(([status, count]) => `${status} x ${count}`).join('  ')}`,
    );
  }
}

function inMb(bytes: number): string {
  return `${(bytes / 2 ** 20).toFixed(1)} MB`;
}
