/**
 * What the ledger does by itself, on a connected ledger: a list of parts that start in order and stop the other way round.
 * A queue is a handler in a file of its own and one line here.
 */
import {
  type Catalogue,
  type Connected,
  followCatalogue,
  type Log,
  type Meter,
  type Settings,
  type Tracing,
} from '@tallystick/connect';
import type { Catalogues } from '@tallystick/domain';
import {
  createRunner,
  observeStore,
  type Runner,
  StoreUnavailable,
  traceAppends,
  traceRounds,
} from '@tallystick/event-store';
import { createJobs, type Jobs, onceInAWhile } from '@tallystick/jobs';
import { openReads } from '@tallystick/projections';
import { webhooksSchema } from '@tallystick/webhooks';
import { startDroppingWakes } from './dead-wakes.ts';
import { measureLags } from './lag.ts';
import { startAlertMails } from './mail/start.ts';
import { measureJobs, measureQueues } from './metrics.ts';
import { couponReactor } from './reactors/coupons.ts';
import { CATEGORIES as REACTED, reactionsSchema, startReactors } from './reactors/follow.ts';
import { measureSetAside } from './reactors/metrics.ts';
import { referralReactor } from './reactors/referrals.ts';
import { startSweep } from './sweep.ts';
import { WAKE, WAKE_OPTIONS, wakeHandler } from './wake.ts';
import { startWebhooks } from './webhooks/start.ts';
import { CATEGORIES as TOLD } from './webhooks/telling.ts';

export interface WorkerParts {
  readonly settings: Pick<
    Settings,
    'namespace' | 'redisUrl' | 'referralPercent' | 'referralDays' | 'webhooks' | 'mail' | 'dataDir'
  >;
  readonly ledger: Connected;
  /** Of the ledger's database: jobs are kept there where there is no Redis, and dead letters always. */
  readonly postgresUrl: string;
  readonly log: Log;
  readonly meter: Meter;
  readonly tracer: Tracing['tracer'] | null;
  /** What decides in this process already: two would hold every wallet twice, and stand in each other's way. */
  readonly decides?: Decides;
}

export interface Decides {
  readonly runner: Runner<Catalogues>;
  readonly catalogue: Pick<Catalogue, 'current' | 'fresh'>;
}

export interface Worker {
  readonly jobs: Jobs;
  /** Ends what is under way, within a bound. The ledger stays connected. */
  close(): Promise<void>;
}

export async function startWorker(parts: WorkerParts): Promise<Worker> {
  const { settings, ledger, postgresUrl, log, meter } = parts;
  const { store, pool, schema, testClock } = ledger;
  const now = (): number => ledger.clock.now();
  const isPaused = (): boolean => testClock !== null && testClock.state.underWay !== null;
  const warned = (what: string) => onceInAWhile((err) => log.warn({ err }, what));
  // What has been opened, to be closed the other way round, also where the start breaks off half-way.
  const closers: (() => Promise<void> | void)[] = [];
  const close = async (): Promise<void> => {
    for (let next = closers.pop(); next !== undefined; next = closers.pop()) await next();
  };
  try {
    const { runner } = parts.decides ?? (await openDecides(parts, closers));

    const { namespace, referralPercent: percent, referralDays: days } = settings;
    const alertMails = await startAlertMails({
      ...{ store, pool, namespace, now },
      settings: { ...settings.mail, dataDir: settings.dataDir },
      onError: warned('mails have to wait'),
    });
    closers.push(() => alertMails.stop());
    const reactors = [couponReactor(runner), referralReactor(runner, { percent, days }), alertMails.reactor];
    const onReactionError = warned('what follows from events has to wait');
    const reactions = await startReactors({
      ...{ store, pool, namespace, reactors, onError: onReactionError },
      onSetAside: (aside) => log.error(aside, 'what follows from this event is not possible, and set aside'),
    });
    closers.push(() => reactions.stop());
    measureSetAside(meter, pool, reactionsSchema(namespace));

    const webhooks = await startWebhooks({
      ledger,
      namespace,
      runner,
      settings: settings.webhooks,
      meter,
      onError: warned('webhooks have to wait'),
    });
    closers.push(webhooks);
    measureLags(meter, { store, pool, now }, [
      { name: 'webhooks', schema: `"${webhooksSchema(namespace)}"`, categories: TOLD },
      { name: 'reactions', schema: reactionsSchema(namespace), categories: REACTED },
    ]);

    const jobs = await createJobs({
      namespace: settings.namespace,
      redisUrl: settings.redisUrl,
      postgresUrl,
      onDone: measureJobs(meter),
      onError: warned('the jobs engine is in trouble'),
      onWarning: (message) => log.warn(message),
    });
    closers.push(() => jobs.close());

    await jobs.work(WAKE, wakeHandler({ runner, isPaused }), WAKE_OPTIONS);
    measureQueues(meter, jobs, [WAKE]);

    const queries = openReads(pool, schema);
    closers.push(
      startSweep({ jobs, queries, now, isPaused, onError: warned('what is due cannot be put in now') }),
    );
    closers.push(startDroppingWakes({ jobs, queries, onError: warned('dead letters have to wait') }));
    return { jobs, close };
  } catch (error) {
    await close();
    throw error;
  }
}

/** A runner and its catalogues, for a process that has none. */
async function openDecides(parts: WorkerParts, closers: (() => Promise<void> | void)[]): Promise<Decides> {
  const { ledger, log } = parts;
  const onError = onceInAWhile((err) => log.warn({ err }, 'the catalogue cannot be read'));
  const catalogue = followCatalogue({ store: ledger.store, onError });
  closers.push(() => catalogue.close());
  await catalogue.fresh();
  const { keyIndex, snapshots, clock } = ledger;
  const onOutage = onceInAWhile((err) => log.warn({ err }, 'decisions have to wait'));
  const runner = createRunner<Catalogues>({
    ...watchedStore(parts),
    now: () => clock.now(),
    realNow: Date.now,
    keyIndex,
    snapshots,
    catalogue,
    onError(err, stream) {
      if (err instanceof StoreUnavailable) onOutage(err);
      else log.error({ err, stream }, 'a decision failed');
    },
  });
  closers.push(() => runner.close());
  return { runner, catalogue };
}

/** The store as the runner sees it: traced where traces are on. */
function watchedStore({ ledger: { store }, tracer }: Pick<WorkerParts, 'ledger' | 'tracer'>) {
  if (tracer === null) return { store };
  return {
    store: observeStore(store, { onAppend: traceAppends(tracer) }),
    aroundRound: traceRounds(tracer),
  };
}
