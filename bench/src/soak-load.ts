/** The soak's load, a process of its own: acts at a given rate, or as fast as the answers come. */
import { serveJobs } from './children.ts';
import { type Answer, Connection } from './connection.ts';
import { type Acting, actsOf, type Step } from './soak-acts.ts';
import { percentile } from './statistics.ts';

export interface SoakJob extends Acting {
  readonly url: string;
  readonly connections: number;
  readonly seconds: number;
  /** Acts per second; null: as fast as the answers come. */
  readonly perSecond: number | null;
}

export interface SoakReport {
  readonly acts: number;
  readonly requests: number;
  readonly failed: number;
  readonly firstFailure: string | null;
  readonly seconds: number;
  /** Of single requests, from when they were due. */
  readonly p50Ms: number;
  readonly p99Ms: number;
  /** Sum of what was charged, in whole credits. */
  readonly credits: number;
  /** The highest that was told; "0" where none was. */
  readonly position: string;
}

interface Tally {
  readonly latenciesMs: number[];
  acts: number;
  failed: number;
  firstFailure: string | null;
  credits: number;
  position: number;
}

serveJobs(run);

async function run(job: SoakJob): Promise<SoakReport> {
  const tally: Tally = { latenciesMs: [], acts: 0, failed: 0, firstFailure: null, credits: 0, position: 0 };
  const next = actsOf(job);
  const began = performance.now();
  const stopAt = began + job.seconds * 1_000;
  // Each act has a time at which it is due; who is late goes on with its clock running.
  let due = 0;
  const dueAt = (): number =>
    job.perSecond === null ? performance.now() : began + (due++ * 1_000) / job.perSecond;
  await Promise.all(
    Array.from({ length: job.connections }, async () => {
      const { promise: gone, resolve: lose } = Promise.withResolvers<null>();
      const connection = await Connection.open(job.url, (error) => {
        fail(tally, error.message);
        lose(null);
      });
      for (let alive = true; alive; ) {
        const at = dueAt();
        if (at >= stopAt) break;
        const early = at - performance.now();
        if (early > 0) await new Promise((resolve) => setTimeout(resolve, early));
        alive = await act(connection, gone, next(), at, tally);
      }
      connection.close();
    }),
  );
  return {
    acts: tally.acts,
    requests: tally.latenciesMs.length,
    failed: tally.failed,
    firstFailure: tally.firstFailure,
    seconds: (performance.now() - began) / 1_000,
    p50Ms: percentile(tally.latenciesMs, 50),
    p99Ms: percentile(tally.latenciesMs, 99),
    credits: tally.credits,
    position: String(tally.position),
  };
}

/** @returns whether the connection is still there */
async function act(
  connection: Connection,
  gone: Promise<null>,
  steps: readonly Step[],
  dueAtMs: number,
  tally: Tally,
): Promise<boolean> {
  let since = dueAtMs;
  for (const step of steps) {
    const answered = new Promise<Answer>((resolve) => connection.send(step.request, resolve));
    const answer = await Promise.race([answered, gone]);
    if (answer === null) return false;
    const now = performance.now();
    tally.latenciesMs.push(now - since);
    since = now;
    tally.position = Math.max(tally.position, positionIn(answer.body));
    if (answer.status !== step.status)
      fail(tally, `${answer.status} instead of ${step.status}: ${answer.body}`);
    else if (step.counts) tally.credits += creditsIn(answer.body);
  }
  tally.acts += 1;
  return true;
}

function fail(tally: Tally, what: string): void {
  tally.failed += 1;
  tally.firstFailure ??= what.slice(0, 500);
}

/** The last that it tells: of an array, that of the last item. */
function positionIn(body: string): number {
  const at = body.lastIndexOf('"position":"');
  return at < 0 ? 0 : Number.parseInt(body.slice(at + '"position":"'.length), 10);
}

interface Charged {
  readonly credits?: string;
  readonly results?: readonly Charged[];
}

function creditsIn(body: string): number {
  const { credits, results } = JSON.parse(body) as Charged;
  return results === undefined
    ? Number(credits)
    : results.reduce((sum, { credits = '0' }) => sum + Number(credits), 0);
}
