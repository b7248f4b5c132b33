/** What can go wrong, as its caller sees it: the ledger said no, or nothing of the ledger's came through. */
import type { Fault, Problem } from './shapes.ts';

/** The ledger's own answer: an RFC 9457 problem. A refusal uses up no id. */
export class LedgerRefused extends Error {
  override readonly name = 'LedgerRefused';
  readonly problem: Problem;
  /** Stable; what to tell refusals apart by. */
  readonly code: string;
  readonly status: number;
  /** Fields and the rules that they break. */
  readonly errors: readonly Fault[];
  /** What `Retry-After` asks for; null where it was not sent. */
  readonly retryAfterMs: number | null;

  constructor(problem: Problem, retryAfterMs: number | null = null) {
    const faults = (problem.errors ?? []).map(({ field, rule }) => `${field} ${rule}`).join(', ');
    super(`${problem.code}: ${problem.title}${faults === '' ? '' : ` (${faults})`}`);
    this.problem = problem;
    this.code = problem.code;
    this.status = problem.status;
    this.errors = problem.errors ?? [];
    this.retryAfterMs = retryAfterMs;
  }
}

/**
 * No answer of the ledger's: the network failed, the time was over, or something in between answered. A command may have
 * been recorded all the same: the same id finds out.
 */
export class LedgerUnreachable extends Error {
  override readonly name = 'LedgerUnreachable';
  /** Of what answered in the ledger's place; null where nothing did. */
  readonly status: number | null;
  readonly retryAfterMs: number | null;

  constructor(
    message: string,
    options: {
      readonly cause?: unknown;
      readonly status?: number;
      readonly retryAfterMs?: number | null;
    } = {},
  ) {
    super(message, 'cause' in options ? { cause: options.cause } : {});
    this.status = options.status ?? null;
    this.retryAfterMs = options.retryAfterMs ?? null;
  }
}

/** Too many charges wait in this process: this one was not sent, and may be tried again under the same id. */
export class QueueFull extends Error {
  override readonly name = 'QueueFull';
  readonly code = 'queue_full';

  constructor(waitingMax: number) {
    super(`queue_full: ${waitingMax} charges are without an answer already; this one was not sent`);
  }
}

/** The client takes no more charges: `close()` was called. */
export class ClientClosed extends Error {
  override readonly name = 'ClientClosed';

  constructor() {
    super('the client has been closed; this charge was not sent');
  }
}

/** Nothing came, or a success that is cut off or not the answer to this request: what was done is not known. */
export function isAnswerLost({ status }: LedgerUnreachable): boolean {
  return status === null || status < 300;
}

/** Failures that a later try of the same request may not meet. */
const PASSING: ReadonlySet<number> = new Set([429, 502, 503, 504]);

export function isPassing(error: unknown): error is LedgerRefused | LedgerUnreachable {
  if (error instanceof LedgerRefused) return PASSING.has(error.status);
  return error instanceof LedgerUnreachable && (isAnswerLost(error) || PASSING.has(error.status ?? 0));
}
