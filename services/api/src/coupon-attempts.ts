/**
 * Codes of coupons are short: whoever may guess often enough finds one (billing rule 18). An account has so many refused
 * codes in a minute; what is accepted costs nothing. Each process counts for itself, in real time.
 */
import { RateLimiterMemory } from 'rate-limiter-flexible';
import type { Api } from './api.ts';
import { Refused, refuse } from './problems.ts';

export const ATTEMPTS_MAX = 10;
const MINUTE_SECONDS = 60;

const limiters = new WeakMap<Api, RateLimiterMemory>();

function limiterOf(api: Api): RateLimiterMemory {
  const found = limiters.get(api);
  if (found !== undefined) return found;
  const limiter = new RateLimiterMemory({ points: ATTEMPTS_MAX, duration: MINUTE_SECONDS });
  limiters.set(api, limiter);
  return limiter;
}

/** Runs what takes a code that a customer has typed; counts it where the code is refused. */
export async function attempt<T>(api: Api, account: string, run: () => Promise<T>): Promise<T> {
  const limiter = limiterOf(api);
  // Counted before it is tried, and given back where it was no guess: of many at once only so many get through.
  const { consumedPoints } = await limiter.penalty(account);
  if (consumedPoints > ATTEMPTS_MAX) return refuse('too_many_attempts');
  try {
    const result = await run();
    await limiter.reward(account);
    return result;
  } catch (error) {
    const isGuess = error instanceof Refused && error.problem.code.startsWith('coupon_');
    if (!isGuess) await limiter.reward(account);
    throw error;
  }
}
