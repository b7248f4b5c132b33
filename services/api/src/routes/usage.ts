/**
 * `POST /v1/usage`, the ledger's main job: one usage, or up to 5,000 of them. One call of the runner either way: an
 * array is admitted whole or not at all, and each item has a fate of its own.
 */
import {
  type Wallet,
  type WalletCommand,
  type WalletEvent,
  type WalletRefusal,
  walletDecider,
} from '@tallystick/domain';
import type { Executed, Order } from '@tallystick/event-store';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { Type } from 'typebox';
import { ChargedAnswer, UnpricedAnswer, usageAnswer } from '../answers.ts';
import type { Api, App } from '../api.ts';
import { firstOrAgain, noteRecorded, orderWallet, problemOfOutcome, recordedBy } from '../orders.ts';
import { malformed, Refused, refuse } from '../problems.ts';
import { type Replayed, replayedUsage, type UsageEvent } from '../replays.ts';
import { repriceCommand } from '../reprice-sweep.ts';
import { closed, Id, ProblemBody, problems, recorded } from '../schemas.ts';
import { causeOf } from '../trace-requests.ts';
import { type ReadItem, readUsageItem, UsageItem } from '../usage-item.ts';

export const BATCH_MAX = 5_000;

const RefusedItem = Type.Object({
  id: Type.String(),
  status: Type.Literal('refused'),
  problem: ProblemBody,
});
const Replayable = { replayed: Type.Optional(Type.Literal(true)) };
const Results = Type.Object({
  results: Type.Array(
    Type.Union([
      Type.Object({ ...ChargedAnswer.properties, ...Replayable }),
      Type.Object({ ...UnpricedAnswer.properties, ...Replayable }),
      RefusedItem,
    ]),
  ),
});

/** Built field by field from `answers.ts`, and held against this by tests. */
const Answers: Readonly<Record<string, unknown>> = {
  201: ChargedAnswer,
  200: Type.Union([ChargedAnswer, Results], {
    description: 'One usage that had been recorded before; or what became of each item of an array.',
  }),
  202: UnpricedAnswer,
  ...problems,
};

type Outcome = Executed<Wallet, WalletEvent, WalletRefusal>;

export function usageRoutes(app: App, api: Api): void {
  app.post(
    '/v1/usage',
    {
      config: { access: { scopes: ['usage'] } },
      bodyLimit: api.limits.batchBytes,
      schema: {
        tags: ['usage'],
        summary: 'Charge one usage, or an array of them',
        body: Type.Union([UsageItem, Type.Array(UsageItem, { maxItems: BATCH_MAX })]),
        response: Answers,
      },
      // Items are checked one by one, so that a bad one does not spoil the others.
      validatorCompiler: () => (value: unknown) => ({ value }),
      // The answers are built field by field; choosing among schemas would cost more than writing them.
      serializerCompiler: () => (answer) => JSON.stringify(answer),
    },
    async (request, reply) => {
      const body: unknown = request.body;
      if (Array.isArray(body)) return postMany(api, request, body);
      if (body === null || typeof body !== 'object') {
        throw new Refused(malformed({ field: 'body', rule: 'must be an object or an array of objects' }));
      }
      if (Number(request.headers['content-length'] ?? 0) > api.limits.bodyBytes)
        return refuse('payload_too_large');
      return postOne(api, request, reply, readUsageItem(body, api.now()));
    },
  );

  app.post(
    '/v1/accounts/:id/usage/:usage_id/reprice',
    {
      config: { access: { scopes: ['finance'] } },
      schema: {
        tags: ['usage'],
        summary: 'Charge a parked usage, now that it has a price',
        params: closed({ id: Id, usage_id: Id }),
        querystring: closed({ source: Type.Optional(Id) }),
        response: recorded(ChargedAnswer),
      },
    },
    async (request, reply) => {
      const { id: account, usage_id: id } = request.params;
      const { source = '' } = request.query;
      const command = repriceCommand(source, id);
      const { event, position, replayed } = recordedBy(await orderWallet(api, request, account, command));
      firstOrAgain(reply, { replayed });
      const answer = await answerOf(api, usageEvent(event), position, replayed);
      if (answer.status !== 'charged') throw new Error('a repriced usage is still parked');
      return answer;
    },
  );
}

async function postOne(api: Api, request: FastifyRequest, reply: FastifyReply, item: ReadItem) {
  if (!item.ok) throw new Refused(item.problem);
  const { event, position, replayed } = recordedBy(
    await orderWallet(api, request, item.account, item.command),
  );
  firstOrAgain(reply, { replayed });
  const answer = await answerOf(api, usageEvent(event), position, replayed);
  if (answer.status === 'unpriced') reply.code(202);
  return answer;
}

/** The answer to a usage that was recorded now or, as a replay, before. */
export async function answerOf(api: Api, event: UsageEvent, position: bigint, replayed: boolean) {
  if (!replayed) return usageAnswer(event, position, api.epoch);
  const [answer] = await replayedUsage(api, event.stream, [{ event, position }]);
  if (answer === undefined) throw new Error('a replay without an answer');
  return answer;
}

export function usageEvent(event: { readonly type: string }): UsageEvent {
  if (event.type === 'UsageCharged' || event.type === 'UsageUnpriced') return event as UsageEvent;
  throw new Error(`a usage made a ${event.type}`);
}

async function postMany(api: Api, request: FastifyRequest, items: readonly unknown[]) {
  if (items.length > BATCH_MAX) return refuse('payload_too_large', { items_max: BATCH_MAX });
  const now = api.now();
  const read = items.map((item) => readUsageItem(item, now));
  const outcomes = await execute(api, request, read);
  const replays = await replaysOf(api, outcomes);
  let next = 0;
  const results = read.map((item, index) => {
    const outcome = item.ok ? outcomes[next++] : undefined;
    const problem = item.ok ? problemOfOutcome(known(outcome), item.account) : item.problem;
    if (problem !== null) {
      api.countRefusal(problem.code);
      return { id: idOf(items[index]), status: 'refused' as const, problem };
    }
    const done = recordedBy(known(outcome) as Extract<Outcome, { status: 'recorded' }>);
    const again = replays.get(done);
    return again === undefined
      ? usageAnswer(usageEvent(done.event), done.position, api.epoch)
      : { ...again, replayed: true };
  });
  return { results };
}

async function execute(
  api: Api,
  request: FastifyRequest,
  read: readonly ReadItem[],
): Promise<readonly Outcome[]> {
  const cause = causeOf(request);
  const orders: Order<WalletCommand>[] = [];
  for (const item of read) if (item.ok) orders.push({ id: item.account, command: item.command, cause });
  if (orders.length === 0) return [];
  const executed = await api.runner.execute(walletDecider, orders, api.realNow() + api.limits.deadlineMs);
  if (executed === 'queue_full') return refuse('queue_full');
  executed.forEach((outcome, index) => {
    const account = orders[index]?.id;
    if (outcome.status === 'recorded' && account !== undefined) noteRecorded(api, account, outcome.event);
  });
  // Part of it may be recorded; sent again whole, that part is a replay and the rest is done then.
  // What the store can never take is no reason to send the others again: it is told of its item alone.
  const unknown = executed.find(
    (outcome) => outcome.status === 'unavailable' && outcome.reason !== 'append_rejected',
  );
  if (unknown?.status === 'unavailable') refuse(unknown.reason, { detail: 'send it again whole' });
  return executed;
}

/** Answers to those that had been recorded before: one question per account. */
async function replaysOf(api: Api, outcomes: readonly Outcome[]) {
  const byStream = new Map<string, (Replayed & { readonly outcome: Outcome })[]>();
  for (const outcome of outcomes) {
    if (outcome.status !== 'recorded' || !outcome.replayed) continue;
    const event = usageEvent(outcome.event);
    const replay = { event, position: outcome.position, outcome };
    const others = byStream.get(event.stream);
    if (others === undefined) byStream.set(event.stream, [replay]);
    else others.push(replay);
  }
  const answers = new Map<Outcome, Awaited<ReturnType<typeof replayedUsage>>[number]>();
  for (const [stream, replays] of byStream) {
    const read = await replayedUsage(api, stream, replays);
    replays.forEach(({ outcome }, index) => {
      const answer = read[index];
      if (answer !== undefined) answers.set(outcome, answer);
    });
  }
  return answers;
}

function known(outcome: Outcome | undefined): Outcome {
  if (outcome === undefined) throw new Error('an item without an outcome');
  return outcome;
}

/** As the item says it, so that its caller finds it again; empty where it says none. */
function idOf(item: unknown): string {
  const id = item !== null && typeof item === 'object' ? (item as { id?: unknown }).id : undefined;
  return typeof id === 'string' ? id.slice(0, 128) : '';
}
