/**
 * `pnpm demo [trace.csv …]`: posts the calls of a trace over HTTP as usage of 200 accounts and shows what came of it.
 * The traces name no customers: call n belongs to account n modulo 200, on every run.
 */
import { parseArgs } from 'node:util';
import { Presets, SingleBar } from 'cli-progress';
import { Ledger } from './ledger.ts';
import { startServer } from './server.ts';
import { printSummary, type TrialBalance } from './summary.ts';
import { readTraces, type TracedCall } from './trace.ts';

const ACCOUNTS = 200;
const CONNECTIONS = 64;
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
  const { positionals } = parseArgs({ allowPositionals: true });
  const { calls, from } = await readTraces(positionals);
  console.log(`${calls.length.toLocaleString('en')} calls from ${from}, as usage of ${ACCOUNTS} accounts\n`);
  const server = await startServer();
  const ledger = new Ledger(server.url, server.key, CONNECTIONS);
  try {
    await prepare(ledger);
    const seconds = await postAll(ledger, calls);
    const trial = await caughtUp(ledger, calls);
    if (!printSummary(trial, calls.length, seconds)) process.exitCode = 1;
  } finally {
    await ledger.close();
    await server.stop();
  }
}

async function prepare(ledger: Ledger): Promise<void> {
  // In force since before the traces were recorded: the price time of a call is when it happened.
  await ledger.send('PUT', '/v1/price-books/default', {
    ...PRICE_BOOK,
    effective_from: '2023-01-01T00:00:00Z',
  });
  const accounts = Array.from({ length: ACCOUNTS }, (_, index) => accountOf(index));
  await inParallel(accounts, async (id) => {
    await ledger.post('/v1/accounts', { id, name: `Customer ${id}` });
    await ledger.post(`/v1/accounts/${id}/top-ups`, {
      credits: '100000',
      paid: { amount: '10', currency: 'USD' },
      source: 'demo',
      reference: 'first',
    });
  });
}

let lastPosition = 0n;

async function postAll(ledger: Ledger, calls: readonly TracedCall[]): Promise<number> {
  const bar = process.stdout.isTTY
    ? new SingleBar(
        { format: '  {bar} {percentage}% | {value}/{total} calls | {rate} per second', hideCursor: true },
        Presets.shades_classic,
      )
    : null;
  bar?.start(calls.length, 0, { rate: '-' });
  const started = performance.now();
  let done = 0;
  await inParallel(calls, async (call, index) => {
    const { position } = await ledger.post<{ position: string }>('/v1/usage', {
      id: call.id,
      account: accountOf(index),
      model: MODEL,
      usage: { input_tokens: call.inputTokens, output_tokens: call.outputTokens },
      // A demo charges what has run, whatever the trace asks of an account.
      mode: 'record',
      occurred_at: call.occurredAt,
      source: 'demo',
    });
    if (BigInt(position) > lastPosition) lastPosition = BigInt(position);
    done += 1;
    if (done % 100 === 0)
      bar?.update(done, { rate: Math.round(done / ((performance.now() - started) / 1000)) });
  });
  const seconds = (performance.now() - started) / 1000;
  bar?.update(done, { rate: Math.round(done / seconds) });
  bar?.stop();
  return seconds;
}

/** The trial balance, once the read models hold the last charge. */
async function caughtUp(ledger: Ledger, calls: readonly TracedCall[]): Promise<TrialBalance> {
  for (let tries = 0; ; tries += 1) {
    try {
      const account = accountOf(calls.length - 1);
      await ledger.send('GET', `/v1/accounts/${account}/balance?min_position=${lastPosition}`);
      return await ledger.send('GET', '/v1/trial-balance');
    } catch (error) {
      if (tries === 100) throw error;
    }
  }
}

async function inParallel<T>(
  items: readonly T[],
  work: (item: T, index: number) => Promise<void>,
): Promise<void> {
  let next = 0;
  const worker = async (): Promise<void> => {
    for (let index = next++; index < items.length; index = next++) await work(items[index] as T, index);
  };
  await Promise.all(Array.from({ length: CONNECTIONS }, worker));
}

await main();
