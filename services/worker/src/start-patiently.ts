/**
 * Starts the worker as soon as it can be: the database, or Redis, may be away for a moment, and nothing is lost meanwhile,
 * since whatever command comes next carries out what is due first (billing rule 13).
 */
import { setTimeout as pause } from 'node:timers/promises';
import { BadSettings } from '@tallystick/connect';
import { ForeignWebhooks } from '@tallystick/webhooks';
import { ForeignReactions } from './reactors/follow.ts';
import { startWorker, type Worker, type WorkerParts } from './worker.ts';

const RETRY_MS = 1_000;
const PERMANENT = [BadSettings, ForeignWebhooks, ForeignReactions];

/**
 * @returns null where `signal` ends the waiting
 * @throws what no waiting mends: wrong settings, tables of another store
 */
export async function startWorkerPatiently(parts: WorkerParts, signal: AbortSignal): Promise<Worker | null> {
  let told = '';
  while (!signal.aborted) {
    try {
      return await startWorker(parts);
    } catch (err) {
      if (PERMANENT.some((fault) => err instanceof fault)) throw err;
      const message = String(err);
      if (message !== told) parts.log.warn({ err }, 'the worker waits to start');
      told = message;
      await pause(RETRY_MS, undefined, { signal }).catch(() => undefined);
    }
  }
  return null;
}
