/**
 * `pnpm demo [trace.csv …]`: posts the calls of a trace over HTTP as usage of 200 accounts and shows what came of it.
 * The traces name no customers: call n belongs to account n modulo 200, on every run. Exits 2 where the trace or a
 * setting is bad (nothing was posted then), 1 where it failed, a call was not charged or the books do not agree.
 */
import { parseArgs } from 'node:util';
import { type Client, createClient, type TrialBalance } from '@tallystick/client';
import { Presets, SingleBar } from 'cli-progress';
import { BadInput } from './bad-input.ts';
import { startServer } from './server.ts';
import { isWhole, summaryLines, type Tally } from './summary.ts';
import { readTraces, type TracedCall } from './trace.ts';

const ACCOUNTS = 200;
/** Calls that wait for their charge at once. The client gathers them into arrays. */
const CALLERS = 2_000;
/** Preparations that are under way at once, each a request of its own. */
const CONNECTIONS = 64;
/** A ledger that restarts in the middle is waited for. */
const WITHIN_MS = 30_000;
const MODEL = 'gpt-4o';

/** What a call costs us, and 35 % on top; a credit is worth a hundredth of a cent. Rounded up to whole credits. */
const PRICE_BOOK = {
  credit_value: { amount: '0.0001', currency: 'USD' },
  models: {
    [MODEL]: {
      supplier: 'openai',
      prices: {
        input_tokens: { cost: { amount: '2.50', currency: 'USD' }, per: 1_000_000, markup: '0.35' },
        output_tokens: { cost: { amount: '10.00', currency: 'USD' }, per: 1_000_000, markup: '0.35' },
      },
    },
  },
};

const accountOf = (index: number): string => `demo-${String(index % ACCOUNTS).padStart(3, '0')}`;

async function main(): Promise<void> {
  const { calls, from } = await readTraces(filesNamed());
  console.log(`${calls.length.toLocaleString('en')} calls from ${from}, as usage of ${ACCOUNTS} accounts`);
  const server = await startServer();
  const ledger = createClient({ url: server.url, key: server.key, withinMs: WITHIN_MS });
  try {
    await prepare(ledger);
    const tally = await postAll(ledger, calls);
    const trial = await caughtUp(ledger);
    console.log(['', ...summaryLines(trial, tally)].join('\n'));
    if (!isWhole(trial, tally)) process.exitCode = 1;
  } finally {
    await ledger.close();
    await server.stop();
  }
}

function filesNamed(): string[] {
  try {
    return parseArgs({ allowPositionals: true }).positionals;
  } catch (error) {
    throw new BadInput(messageOf(error));
  }
}

async function prepare(ledger: Client): Promise<void> {
  // In force since before any call can have happened, which is when it is priced. And the same for all
  // traces, so that a ledger that has seen the demo before keeps the version it has.
  await ledger.priceBooks.publish('default', { ...PRICE_BOOK, effective_from: '1970-01-01T00:00:00Z' });
  const accounts = Array.from({ length: ACCOUNTS }, (_, index) => accountOf(index));
  await inParallel(CONNECTIONS, accounts, async (id) => {
    await ledger.accounts.open({ id, name: `Customer ${id}` });
    await ledger.credits.topUp(id, {
      credits: '100000',
      paid: { amount: '10', currency: 'USD' },
      source: 'demo',
      reference: 'first',
    });
  });
}

let lastPosition = 0n;

async function postAll(ledger: Client, calls: readonly TracedCall[]): Promise<Tally> {
  const answers = new Map<string, number>();
  const started = performance.now();
  const elapsed = (): number => (performance.now() - started) / 1000;
  const bar = startBar(calls.length);
  let done = 0;
  try {
    await inParallel(CALLERS, calls, async (call, index) => {
      const { status, position } = await chargeOne(ledger, call, accountOf(index));
      answers.set(status, (answers.get(status) ?? 0) + 1);
      if (BigInt(position) > lastPosition) lastPosition = BigInt(position);
      done += 1;
      if (done % 100 === 0) bar?.update(done, { rate: Math.round(done / elapsed()) });
    });
    const seconds = elapsed();
    bar?.update(done, { rate: Math.round(done / seconds) });
    return { answers, seconds };
  } finally {
    // Also after a failure: the bar hides the cursor of the terminal.
    bar?.stop();
  }
}

/** Null, and not even a blank line, where nobody watches. */
function startBar(calls: number): SingleBar | null {
  if (!process.stdout.isTTY) return null;
  const format = '  {bar} {percentage}% | {value}/{total} calls | {rate} per second';
  const bar = new SingleBar({ format, hideCursor: true }, Presets.shades_classic);
  console.log();
  bar.start(calls, 0, { rate: '-' });
  return bar;
}

function chargeOne(ledger: Client, call: TracedCall, account: string) {
  return ledger.usage.charge({
    id: call.id,
    account,
    model: MODEL,
    usage: { input_tokens: call.inputTokens, output_tokens: call.outputTokens },
    // A demo charges what has run, whatever the trace asks of an account.
    mode: 'record',
    occurred_at: call.occurredAt,
    source: 'demo',
  });
}

/** The trial balance, once the read models hold the last charge. */
function caughtUp(ledger: Client): Promise<TrialBalance> {
  return ledger.books.trialBalance({ min_position: lastPosition.toString() });
}

async function inParallel<T>(
  workers: number,
  items: readonly T[],
  work: (item: T, index: number) => Promise<void>,
): Promise<void> {
  let next = 0;
  const worker = async (): Promise<void> => {
    for (let index = next++; index < items.length; index = next++) await work(items[index] as T, index);
  };
  await Promise.all(Array.from({ length: workers }, worker));
}

function messageOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  // A connection that was refused at several addresses has no message of its own, only a code.
  return error.message || ('code' in error ? String(error.code) : error.name);
}

try {
  await main();
} catch (error) {
  console.error(`demo: ${messageOf(error)}`);
  process.exitCode = error instanceof BadInput ? 2 : 1;
}
