/**
 * The load generator, a process of its own. In a closed loop each connection sends when it has been answered; at a given
 * rate requests are due at fixed times, and one that finds no free connection waits with its clock running.
 */
import { serveJobs } from './children.ts';
import { type Answer, Connection } from './connection.ts';
import { requestsOf, type Sending } from './requests.ts';
import { percentile } from './statistics.ts';

export interface LoadJob extends Sending {
  readonly url: string;
  readonly connections: number;
  /** Sending stops after so long, or after so many requests; what is in flight is waited for. */
  readonly seconds: number;
  readonly requestsMax?: number;
  /** Requests per second; left out: as fast as the answers come. */
  readonly perSecond?: number;
  /** Answers with this status are right. */
  readonly status: number;
  /** Tell when each charge was sent, and its position. */
  readonly trace?: boolean;
}

export interface LoadReport {
  readonly requests: number;
  /** Usages, authorizations or balances that were answered as they should be. */
  readonly items: number;
  readonly failed: number;
  readonly firstFailure: string | null;
  /** From the first request to the last answer. */
  readonly seconds: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  /** Sum over all charges, in whole credits. */
  readonly credits: number;
  /** Highest position that was acknowledged; "0" where answers have none. */
  readonly position: string;
  /** By `trace`: milliseconds since 1970, and position. */
  readonly sent: readonly [atMs: number, position: number][];
}

class Tally {
  readonly latenciesMs: number[] = [];
  readonly sent: [number, number][] = [];
  items = 0;
  failed = 0;
  firstFailure: string | null = null;
  credits = 0;
  position = 0n;

  fail(what: string): void {
    this.failed += 1;
    this.firstFailure ??= what.slice(0, 500);
  }

  /** Positions are compared as text first: a BigInt for each answer would cost more than the rest. */
  #highest = '';
  reached(position: string): void {
    const longer = position.length - this.#highest.length;
    if (longer < 0 || (longer === 0 && position <= this.#highest)) return;
    this.#highest = position;
    this.position = BigInt(position);
  }
}

serveJobs(run);

async function run(job: LoadJob): Promise<LoadReport> {
  const tally = new Tally();
  const lost = (error: Error): void => tally.fail(error.message);
  const connections = await Promise.all(
    Array.from({ length: job.connections }, () => Connection.open(job.url, lost)),
  );
  const began = performance.now();
  await (job.perSecond === undefined
    ? closedLoop(job, connections, tally)
    : atRate(job, job.perSecond, connections, tally));
  const seconds = (performance.now() - began) / 1_000;
  for (const connection of connections) connection.close();
  const measured = tally.latenciesMs.length > 0;
  return {
    requests: tally.latenciesMs.length,
    items: tally.items,
    failed: tally.failed,
    firstFailure: tally.firstFailure,
    seconds,
    p50Ms: measured ? percentile(tally.latenciesMs, 50) : Number.NaN,
    p99Ms: measured ? percentile(tally.latenciesMs, 99) : Number.NaN,
    credits: tally.credits,
    position: tally.position.toString(),
    sent: tally.sent,
  };
}

/** A server that goes away in the middle must not hang the bench: whoever has failed sends no more. */
const GRACE_MS = 20_000;

async function closedLoop(job: LoadJob, connections: readonly Connection[], tally: Tally): Promise<void> {
  const next = requestsOf(job);
  const stopAt = performance.now() + job.seconds * 1_000;
  let left = job.requestsMax ?? Number.POSITIVE_INFINITY;
  let busy = connections.length;
  const { promise, resolve } = Promise.withResolvers<void>();
  for (const connection of connections) {
    let sentAt = 0;
    const send = (): void => {
      sentAt = performance.now();
      if (sentAt >= stopAt || left <= 0) {
        busy -= 1;
        if (busy === 0) resolve();
        return;
      }
      left -= 1;
      connection.send(next(), answered);
    };
    const answered = (answer: Answer): void => {
      record(job, tally, answer, sentAt, sentAt);
      send();
    };
    send();
  }
  await within(promise, job.seconds * 1_000 + GRACE_MS, tally);
}

/** Timers fire every millisecond at best, so what is due since the last one goes together. */
async function atRate(
  job: LoadJob,
  perSecond: number,
  connections: readonly Connection[],
  tally: Tally,
): Promise<void> {
  const next = requestsOf(job);
  const free = [...connections];
  const began = performance.now();
  const total = Math.floor(job.seconds * perSecond);
  let due = 0;
  let sent = 0;
  let answered = 0;
  const dueAt: number[] = [];
  const { promise, resolve } = Promise.withResolvers<void>();
  const pump = (): void => {
    while (sent < due) {
      const connection = free.pop();
      if (connection === undefined) return;
      const since = dueAt[sent] ?? 0;
      const sentAt = performance.now();
      sent += 1;
      connection.send(next(), (answer) => {
        record(job, tally, answer, since, sentAt);
        free.push(connection);
        answered += 1;
        if (answered === total) resolve();
        else if (sent < due) pump();
      });
    }
  };
  const timer = setInterval(() => {
    const now = performance.now();
    const target = Math.min(total, Math.floor(((now - began) / 1_000) * perSecond));
    for (; due < target; due += 1) dueAt.push(now);
    pump();
    if (due === total) clearInterval(timer);
  }, 1);
  await within(promise, job.seconds * 1_000 + GRACE_MS, tally);
  clearInterval(timer);
}

async function within(work: Promise<void>, ms: number, tally: Tally): Promise<void> {
  const { promise: late, resolve } = Promise.withResolvers<void>();
  const timer = setTimeout(() => {
    tally.fail('requests were left without an answer');
    resolve();
  }, ms);
  await Promise.race([work, late]);
  clearTimeout(timer);
}

function record(job: LoadJob, tally: Tally, { status, body }: Answer, since: number, sentAt: number): void {
  tally.latenciesMs.push(performance.now() - since);
  if (status !== job.status) {
    tally.fail(`${status} ${body}`);
    return;
  }
  if (job.kind === 'array') recordArray(tally, body);
  else tally.items += 1;
  if (job.kind !== 'charge') return;
  tally.credits += Number(textOf(body, '"credits":"'));
  const position = textOf(body, '"position":"');
  if (position === '') return;
  tally.reached(position);
  if (job.trace === true) tally.sent.push([performance.timeOrigin + sentAt, Number(position)]);
}

/** Up to the next quote; the first of its name in an answer is the answer's own. */
function textOf(body: string, name: string): string {
  const start = body.indexOf(name);
  return start < 0 ? '' : body.slice(start + name.length, body.indexOf('"', start + name.length));
}

interface ArrayAnswer {
  readonly results: readonly {
    readonly status: string;
    readonly credits?: string;
    readonly position?: string;
  }[];
}

function recordArray(tally: Tally, body: string): void {
  for (const result of (JSON.parse(body) as ArrayAnswer).results) {
    if (result.status !== 'charged') {
      tally.fail(JSON.stringify(result));
      continue;
    }
    tally.items += 1;
    tally.credits += Number(result.credits);
    tally.reached(result.position ?? '');
  }
}
