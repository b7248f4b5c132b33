/** A Redis that may evict keys loses jobs, and half of a job's keys: it is said at the start, and where it changes. */
import type { Redis } from 'ioredis';

/** @returns resolves when the policy is known for the first time */
export function warnOfEviction(
  redis: Redis,
  onWarning: (message: string) => void,
  onError: (error: unknown) => void,
): Promise<void> {
  const known = Promise.withResolvers<void>();
  let told = 'noeviction';
  async function look(): Promise<void> {
    const policy = policyOf(await redis.info('memory'));
    if (policy !== null && policy !== told) {
      told = policy;
      if (policy !== 'noeviction')
        onWarning(
          `Redis has maxmemory-policy ${policy}: it may drop jobs, which then wait for the next sweep; set it to noeviction`,
        );
    }
    known.resolve();
  }
  redis.on('ready', () => void look().catch(onError));
  return known.promise;
}

function policyOf(info: string): string | null {
  return /^maxmemory_policy:(\S+)/m.exec(info)?.[1] ?? null;
}
