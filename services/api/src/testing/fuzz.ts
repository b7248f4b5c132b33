/** One round of fuzzing: bursts of requests, sent at once so that they meet, until one answer is wrong or all are right. */
import fc from 'fast-check';
import type { FuzzLedger } from './fuzz-ledger.ts';
import { type FuzzedDocument, type FuzzRequest, requestsOf } from './fuzz-requests.ts';

export interface Round {
  readonly seed: number;
  readonly bursts: number;
}

/** Requests that are sent together, at most. */
const BURST = 6;

/**
 * Null where every answer was right; else what was wrong, and the smallest burst that shows it. The ledger remembers what
 * was sent before, so a burst that is right alone may have been wrong only then: the seed finds it again.
 */
export async function fuzzRound(ledger: FuzzLedger, { seed, bursts }: Round): Promise<string | null> {
  const world = await ledger.refresh();
  const requests = requestsOf(ledger.document as unknown as FuzzedDocument, world, ledger.keys);
  const crashes = watchProcess();
  try {
    const property = fc.asyncProperty(
      fc.array(fc.oneof(...requests.values()), { minLength: 1, maxLength: BURST }),
      async (burst) => {
        const faults = await Promise.all(burst.map((request) => ledger.send(request)));
        const index = faults.findIndex((fault) => fault !== null);
        if (index >= 0) throw new Error(`${faults[index]}\n  to ${describe(burst[index])}`);
        const [crash] = crashes.seen;
        if (crash !== undefined) throw new Error(`nobody caught ${crash.stack}`);
      },
    );
    const { failed, errorInstance, counterexample, counterexamplePath } = await fc.check(property, {
      seed,
      numRuns: bursts,
    });
    if (!failed) return null;
    const burst = counterexample?.[0].map(describe).join('\n  ');
    return `seed ${seed}, path ${counterexamplePath}: ${errorInstance instanceof Error ? errorInstance.message : errorInstance}\nsent together:\n  ${burst}`;
  } finally {
    crashes.stop();
  }
}

/** As it can be read, and sent by hand; long ones are cut. */
function describe(request: FuzzRequest | undefined): string {
  if (request === undefined) return '';
  const { method, url, headers, body } = request;
  const shown = {
    ...headers,
    ...(headers.authorization === undefined ? {} : { authorization: headers.authorization.slice(0, 16) }),
  };
  const text = `${method} ${JSON.stringify(url)} ${JSON.stringify(shown)} ${body === null ? '' : JSON.stringify(body.toString())}`;
  return text.length > 2_000 ? `${text.slice(0, 2_000)} … (${text.length})` : text;
}

/** Rejections and exceptions that nobody catches, while it watches. */
function watchProcess(): { readonly seen: readonly Error[]; stop(): void } {
  const seen: Error[] = [];
  const note = (error: unknown): void =>
    void seen.push(error instanceof Error ? error : new Error(String(error)));
  process.on('unhandledRejection', note).on('uncaughtException', note);
  return { seen, stop: () => void process.off('unhandledRejection', note).off('uncaughtException', note) };
}
