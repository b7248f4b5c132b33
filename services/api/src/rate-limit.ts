/**
 * Requests per minute of an account, by its plan: windows of a minute that begin with the first request in them, kept by
 * `rate-limiter-flexible` in this process, or in Redis for all processes together.
 * - a point is taken before the call is decided, so that no burst slips through between looking and taking
 * - it is given back where the call is refused for another reason, or is a hold that had been placed before
 * - where Redis is away each process counts for itself; nobody waits for it and nobody is turned away because of it
 *
 * Real time, whatever the ledger's clock says (billing rule 14). Accounts without such a limit are never asked about.
 */
import { Redis } from 'ioredis';
import { RateLimiterMemory, RateLimiterRedis, type RateLimiterRes } from 'rate-limiter-flexible';

export interface Rate {
  readonly allowed: boolean;
  readonly limit: number;
  readonly remaining: number;
  /** When the window ends; milliseconds since 1970, real time. */
  readonly resetsAt: number;
}

export interface RateLimits {
  /** Takes a point, if there is one. */
  take(account: string, limit: number): Promise<Rate>;
  /** How it stands; takes nothing. */
  look(account: string, limit: number): Promise<Rate>;
  /** A point that was taken, and was not needed. */
  giveBack(account: string, taken: Rate): Promise<void>;
  close(): void;
}

export interface RateLimitOptions {
  /** Null: this process counts for itself. */
  readonly redisUrl: string | null;
  /** Of the ledger: several may share a Redis. */
  readonly namespace: string;
  /** Told once for each outage of Redis. */
  readonly onWarning?: (message: string) => void;
}

const WINDOW_SECONDS = 60;
/** Plans differ in their limits, so the limiter only counts; what is too much is judged here. */
const NO_LIMIT = Number.MAX_SAFE_INTEGER;
/** A Redis that does not answer within this is away; */
const REDIS_MS = 100;
/** and is not asked again for so long: else every request would wait for one that says nothing. */
const AWAY_MS = 1_000;

type Limiter = RateLimiterMemory | RateLimiterRedis;
/** Asks whoever counts now. */
type Counting = <T>(ask: (limiter: Limiter) => Promise<T>) => Promise<T>;

export function createRateLimits({ redisUrl, namespace, onWarning }: RateLimitOptions): RateLimits {
  const terms = { points: NO_LIMIT, duration: WINDOW_SECONDS, keyPrefix: `${namespace}:requests` };
  const own = new RateLimiterMemory(terms);
  if (redisUrl === null)
    return countedBy(
      (ask) => ask(own),
      () => undefined,
    );
  const redis = connect(redisUrl);
  const shared = new RateLimiterRedis({ ...terms, storeClient: redis, rejectIfRedisNotReady: true });
  return countedBy(unlessAway(shared, own, onWarning ?? (() => undefined)), () => redis.disconnect());
}

function connect(url: string): Redis {
  const redis = new Redis(url, {
    enableOfflineQueue: false,
    maxRetriesPerRequest: 0,
    commandTimeout: REDIS_MS,
    connectTimeout: 2_000,
    retryStrategy: (times) => Math.min(100 * times, 2_000),
  });
  // Told of where it is needed; without a listener it would end the process.
  redis.on('error', () => undefined);
  return redis;
}

function unlessAway(shared: Limiter, own: Limiter, onWarning: (message: string) => void): Counting {
  let awayUntil = 0;
  let isTold = false;
  return async (ask) => {
    if (Date.now() < awayUntil) return ask(own);
    try {
      const counted = await ask(shared);
      isTold = false;
      return counted;
    } catch (error) {
      awayUntil = Date.now() + AWAY_MS;
      const reason = error instanceof Error ? error.message : String(error);
      if (!isTold) onWarning(`each process counts requests per minute for itself, Redis is away: ${reason}`);
      isTold = true;
      return ask(own);
    }
  };
}

function countedBy(counting: Counting, close: () => void): RateLimits {
  return {
    async take(account, limit) {
      const counted = await counting((limiter) => limiter.penalty(account));
      const rate = rateOf(counted, limit);
      if (counted.consumedPoints <= limit) return rate;
      // What is turned away takes nothing: else a point that is given back would be of no use to anyone.
      await counting((limiter) => limiter.reward(account));
      return { ...rate, allowed: false };
    },
    async look(account, limit) {
      const counted = await counting((limiter) => limiter.get(account));
      if (counted === null) return { allowed: true, limit, remaining: limit, resetsAt: Date.now() };
      const rate = rateOf(counted, limit);
      return { ...rate, allowed: rate.remaining > 0 };
    },
    async giveBack(account, { resetsAt }) {
      // A window that is over owes nothing to the next.
      if (resetsAt > Date.now()) await counting((limiter) => limiter.reward(account));
    },
    close,
  };
}

function rateOf({ consumedPoints, msBeforeNext }: RateLimiterRes, limit: number): Rate {
  const remaining = Math.max(0, limit - Math.max(0, consumedPoints));
  return { allowed: true, limit, remaining, resetsAt: Date.now() + Math.max(0, msBeforeNext) };
}
