/** How webhooks fare: what came of each attempt in this process, and what waits to be sent, of all processes. */
import { type Meter, nowAndThen, SECONDS } from '@tallystick/connect';
import { isDelivered, type SendFault, type Sent, type Webhooks } from '@tallystick/webhooks';
import { isGone } from './outcome.ts';

/** `refused`: an answer that is neither 2xx nor 410. `untried`: it could not be made, through no fault of the receiver. */
export type AttemptOutcome = 'delivered' | 'refused' | 'gone' | Exclude<SendFault, 'unresolved'> | 'untried';

/** Told of each attempt; null where there was none. */
export type OnAttempt = (sent: Sent | null) => void;

/** A scrape waits no longer; without an answer these are left out of it. */
const PATIENCE_MS = 1_000;
const FRESH_MS = 5_000;

export function measureAttempts(meter: Meter): OnAttempt {
  const seconds = meter.histogram(
    'tallystick_webhook_attempt_seconds',
    'An attempt to hand a message over, by what came of it.',
    SECONDS,
    ['outcome'],
  );
  return (sent) => seconds({ outcome: outcomeOf(sent) }).observe((sent?.tookMs ?? 0) / 1_000);
}

export function outcomeOf(sent: Sent | null): AttemptOutcome {
  if (sent === null) return 'untried';
  if (sent.kind === 'unanswered') return sent.fault === 'unresolved' ? 'untried' : sent.fault;
  if (isDelivered(sent)) return 'delivered';
  return isGone(sent) ? 'gone' : 'refused';
}

export function measureBacklog(meter: Meter, webhooks: Webhooks, now: () => number = Date.now): void {
  const backlog = nowAndThen(() => readBacklog(webhooks, now()), FRESH_MS, PATIENCE_MS);
  const of = (name: keyof Backlog) => async () => (await backlog())?.[name] ?? null;
  meter.read(
    'gauge',
    'tallystick_webhooks_waiting',
    'Messages that have not arrived and are not given up.',
    of('waiting'),
  );
  meter.read(
    'gauge',
    'tallystick_webhooks_overdue_seconds',
    'How long the oldest message has been due that nothing keeps back.',
    of('overdueSeconds'),
  );
  meter.read(
    'gauge',
    'tallystick_webhook_endpoints',
    'Endpoints by whether they are sent to.',
    async () => {
      const found = await backlog();
      if (found === null) return null;
      const { open, resting, paused } = found;
      return Object.entries({ open, resting, paused }).map(([state, count]) => [{ state }, count] as const);
    },
    ['state'],
  );
}

export interface Backlog {
  readonly waiting: number;
  /** 0 where nothing is due. */
  readonly overdueSeconds: number;
  /** Endpoints. */
  readonly open: number;
  readonly resting: number;
  readonly paused: number;
}

/** One look into an index for each endpoint, and a count over the index of what waits. */
export async function readBacklog({ pool, schema }: Webhooks, now: number): Promise<Backlog> {
  const { rows } = await pool.query<Omit<Backlog, 'overdueSeconds'> & { due_at: Date | null }>(
    `with known as materialized (
       select e.id, case when e.paused is not null then 'paused' when e.open_until > $1 then 'resting'
         else 'open' end as state
       from ${schema}.endpoints e where e.status = 'open')
     select
       (select count(*)::integer from ${schema}.deliveries where status = 'pending') as waiting,
       count(*) filter (where state = 'open')::integer as open,
       count(*) filter (where state = 'resting')::integer as resting,
       count(*) filter (where state = 'paused')::integer as paused,
       (select min(first.next_attempt_at) from known k cross join lateral (
          select d.next_attempt_at from ${schema}.deliveries d
          where d.endpoint = k.id and d.status = 'pending' order by d.next_attempt_at limit 1) first
        where k.state = 'open') as due_at
     from known`,
    [new Date(now)],
  );
  const [row] = rows;
  if (row === undefined) throw new Error('a count has no row');
  const { due_at, ...counts } = row;
  return { ...counts, overdueSeconds: due_at === null ? 0 : Math.max(0, now - due_at.getTime()) / 1_000 };
}
