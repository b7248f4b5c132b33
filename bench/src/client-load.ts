/**
 * Load through the typed client, a process of its own: callers that each make one call per charge and await its answer
 * before the next. How many requests that becomes is the client's business.
 */
import { createClient } from '@tallystick/client';
import { serveJobs } from './children.ts';
import type { LoadJob, LoadReport } from './load.ts';
import { accountOf, MODEL } from './requests.ts';
import { percentile } from './statistics.ts';

/** `connections` is the number of callers; `kind`, `items` and `perSecond` of the job say nothing here. */
serveJobs(async (job: LoadJob): Promise<LoadReport> => {
  const client = createClient({ url: job.url, key: job.key });
  const next = usagesOf(job);
  const latenciesMs: number[] = [];
  let failed = 0;
  let firstFailure: string | null = null;
  let credits = 0;
  let highest = '';
  let left = job.requestsMax ?? Number.POSITIVE_INFINITY;
  const began = performance.now();
  const stopAt = began + job.seconds * 1_000;

  const caller = async (): Promise<void> => {
    for (let sentAt = began; sentAt < stopAt && left > 0; ) {
      left -= 1;
      try {
        const answer = await client.usage.charge(next());
        if (answer.status !== 'charged') throw new Error(JSON.stringify(answer));
        credits += Number(answer.credits);
        if (isHigher(answer.position, highest)) highest = answer.position;
        const now = performance.now();
        latenciesMs.push(now - sentAt);
        sentAt = now;
      } catch (error) {
        failed += 1;
        firstFailure ??= String(error).slice(0, 500);
        sentAt = performance.now();
      }
    }
  };
  await Promise.all(Array.from({ length: job.connections }, caller));
  const seconds = (performance.now() - began) / 1_000;
  await client.close();
  const measured = latenciesMs.length > 0;
  return {
    requests: latenciesMs.length + failed,
    items: latenciesMs.length,
    failed,
    firstFailure,
    seconds,
    p50Ms: measured ? percentile(latenciesMs, 50) : Number.NaN,
    p99Ms: measured ? percentile(latenciesMs, 99) : Number.NaN,
    credits,
    position: highest === '' ? '0' : highest,
    sent: [],
  };
});

/** Positions grow in their number of digits first: a BigInt for each answer would cost more than the rest. */
function isHigher(position: string, than: string): boolean {
  return position.length > than.length || (position.length === than.length && position > than);
}

/** As `requestsOf` varies them, as objects. */
function usagesOf({ prefix, wallets }: LoadJob) {
  const accounts = Array.from({ length: wallets }, (_, index) => accountOf(index));
  let made = 0;
  return () => {
    const turn = made++;
    return {
      id: `${prefix}-${turn}`,
      account: accounts[(turn * 7) % wallets] ?? '',
      model: MODEL,
      usage: { input_tokens: 200 + ((turn * 7919) % 4000), output_tokens: 10 + ((turn * 104_729) % 600) },
    };
  };
}
