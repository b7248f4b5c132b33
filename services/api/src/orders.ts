/** Hands commands to the runner and turns every way in which they can fail into a problem. */
import type {
  Catalogues,
  CommandKey,
  Decider,
  DomainEvent,
  Wallet,
  WalletCommand,
  WalletEvent,
} from '@tallystick/domain';
import { walletDecider } from '@tallystick/domain';
import type { Executed, StoredEvent } from '@tallystick/event-store';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Api } from './api.ts';
import { type Problem, type ProblemCode, problemOf, Refused, refuse } from './problems.ts';
import { causeOf } from './trace-requests.ts';

export type Done<S, E extends DomainEvent> = Extract<
  Executed<S, E, never>,
  { status: 'recorded' } | { status: 'unchanged' }
>;
export type Recorded<E extends DomainEvent> = Extract<Done<never, E>, { status: 'recorded' }>;

interface Coded {
  readonly code: ProblemCode;
}

/** Deciders do not repeat what they were asked for by its id; whoever reads a problem wants to see it. */
const MISSING: { readonly [C in ProblemCode]?: string } = {
  account_not_found: 'account',
  coupon_not_found: 'coupon',
};

/** What did not happen, as a problem; null where it did. @param id of the stream: an account's, or a coupon's code */
export function problemOfOutcome(
  outcome: Executed<unknown, DomainEvent, Coded>,
  id: string | null = null,
): Problem | null {
  switch (outcome.status) {
    case 'recorded':
    case 'unchanged':
      return null;
    case 'refused': {
      const { code, status, ...facts }: Coded & { readonly status?: unknown } = outcome.refusal;
      const missing = MISSING[code];
      const subject = missing === undefined || id === null ? {} : { [missing]: id };
      // A problem's own `status` is that of HTTP.
      return problemOf(code, {
        ...subject,
        ...facts,
        ...(status === undefined ? {} : { hold_status: status }),
      });
    }
    case 'conflict':
      return problemOf('idempotency_conflict');
    case 'unavailable':
      return problemOf(outcome.reason);
  }
}

/** Decides and records one command. Ends the request with a problem where it is refused or cannot be recorded. */
export async function order<S, C extends CommandKey, E extends DomainEvent, R extends Coded>(
  api: Api,
  request: FastifyRequest,
  decider: Decider<S, C, E, R, Catalogues>,
  id: string,
  command: C,
): Promise<Done<S, E>> {
  const executed = await api.runner.execute(
    decider,
    [{ id, command, cause: causeOf(request) }],
    api.realNow() + api.limits.deadlineMs,
  );
  if (executed === 'queue_full') return refuse('queue_full');
  const [outcome] = executed;
  if (outcome === undefined) throw new Error('an order without an outcome');
  const problem = problemOfOutcome(outcome, id);
  if (problem !== null) throw new Refused(problem);
  return outcome as Done<S, E>;
}

/** As `order`, for a wallet; and remembers what this process has acknowledged. */
export async function orderWallet(
  api: Api,
  request: FastifyRequest,
  account: string,
  command: WalletCommand,
): Promise<Done<Wallet, WalletEvent>> {
  const done = await order(api, request, walletDecider, account, command);
  if (done.status === 'recorded') noteRecorded(api, account, done.event);
  return done;
}

export function noteRecorded(api: Api, account: string, event: StoredEvent): void {
  api.acknowledged.note(account, { revision: event.revision + event.left });
}

/** For commands that always record an event; anything else is a bug. */
export function recordedBy<E extends DomainEvent>(done: Done<unknown, E>): Recorded<E> {
  if (done.status !== 'recorded') throw new Error('a command with a key changed nothing');
  return done;
}

/** 201 at first, 200 and a header when it is told again. */
export function firstOrAgain(reply: FastifyReply, { replayed }: { readonly replayed: boolean }): void {
  reply.code(replayed ? 200 : 201);
  if (replayed) reply.header('idempotent-replayed', 'true');
}

/** 200 at first as well: for commands that make nothing new. */
export function again(reply: FastifyReply, done: Done<unknown, DomainEvent>): void {
  if (done.status === 'recorded' && done.replayed) reply.header('idempotent-replayed', 'true');
}
