/** May this call run, and at what price? With a hold the credits are reserved; without, the answer is advice (rule 1). */

import { formatPosition } from '@tallystick/connect';
import {
  type Advice,
  type AuthorizeReason,
  adviseWallet,
  isInForce,
  keys,
  planLimits,
  type Wallet,
  type WalletCommand,
  walletAfterDues,
  walletDecider,
  walletStream,
} from '@tallystick/domain';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { type Static, Type } from 'typebox';
import { quotaParts } from '../answers.ts';
import type { Api, App } from '../api.ts';
import { AuthorizeAnswer, authorizeAnswer, planPart } from '../authorize-answer.ts';
import { fingerprint } from '../fingerprint.ts';
import { orderWallet, recordedBy } from '../orders.ts';
import { canonicalUsage, checkText, type Faults, settle, usageOf } from '../parse.ts';
import { Refused } from '../problems.ts';
import type { Rate } from '../rate-limit.ts';
import { closed, found, Id, Model, UsageBody } from '../schemas.ts';

/** The longest that credits may be held, in seconds: 30 days. */
export const EXPIRES_IN_MAX = 30 * 24 * 60 * 60;
export const ExpiresIn = Type.Integer({
  minimum: 1,
  maximum: EXPIRES_IN_MAX,
  description: 'Seconds; then it is let go.',
});

const AuthorizeBody = closed({
  account: Id,
  model: Model,
  estimate: UsageBody,
  hold: Type.Optional(
    closed(
      {
        id: { ...Id, description: 'Of the call, by you: settled or voided under it.' },
        expires_in: ExpiresIn,
      },
      { description: 'Reserves what would pay for it. Left out: the answer is advice.' },
    ),
  ),
});
type AuthorizeBody = Static<typeof AuthorizeBody>;
type Hold = NonNullable<AuthorizeBody['hold']>;

const REPLAYED = 'idempotent-replayed';

/** Refusals that are an answer here: the call must not run. */
const REASONS: ReadonlySet<string> = new Set<AuthorizeReason>([
  'insufficient_credits',
  'account_frozen',
  'no_price',
  'quota_exhausted',
  'cap_reached',
  'model_not_allowed',
  'too_many_concurrent',
]);

export function authorizeRoutes(app: App, api: Api): void {
  app.post(
    '/v1/authorize',
    {
      config: { access: { scopes: ['usage'] } },
      schema: {
        tags: ['usage'],
        summary: 'Ask whether a call may run, and hold its credits',
        body: AuthorizeBody,
        response: found(AuthorizeAnswer),
      },
    },
    async (request, reply): Promise<AuthorizeAnswer> => {
      const { body } = request;
      const faults: Faults = [];
      checkText(body.model, 'model', faults);
      usageOf(body.estimate, 'estimate', faults);
      settle(faults);
      return body.hold === undefined
        ? advise(api, request, body)
        : reserve(api, request, reply, body, body.hold);
    },
  );
}

/** Places the hold. The requests of a plan that limits them are counted around it. */
async function reserve(
  api: Api,
  request: FastifyRequest,
  reply: FastifyReply,
  body: AuthorizeBody,
  hold: Hold,
): Promise<AuthorizeAnswer> {
  const { account } = body;
  const wallet = walletAfterDues(await inMemory(api, account), api.now(), api.catalogue.current());
  const limit = requestsPerMinute(wallet);
  if (limit === null) return place(api, request, reply, body, hold, null);
  const taken = await api.rateLimits.take(account, limit);
  // A hold that was placed before is answered as it was, however busy the account is.
  if (!taken.allowed && !(await isPlaced(api, wallet, hold.id))) {
    api.countRefusal('rate_limited');
    const advice = judge(api, wallet, body);
    return authorizeAnswer(advice, [...advice.reasons, 'rate_limited'], taken, api);
  }
  const giveBack = (): Promise<void> =>
    taken.allowed ? api.rateLimits.giveBack(account, taken) : Promise.resolve();
  try {
    const answer = await place(api, request, reply, body, hold, taken);
    if (answer.allowed && !reply.hasHeader(REPLAYED)) return answer;
    await giveBack();
    const counted = answer.limits?.requests_per_minute;
    if (counted !== undefined && taken.allowed) counted.remaining += 1;
    return answer;
  } catch (error) {
    // Not where it may have been placed: the same hold again will find out, at no further cost.
    if (!(error instanceof Refused) || error.problem.code !== 'outcome_unknown') await giveBack();
    throw error;
  }
}

async function place(
  api: Api,
  request: FastifyRequest,
  reply: FastifyReply,
  body: AuthorizeBody,
  hold: Hold,
  rate: Rate | null,
): Promise<AuthorizeAnswer> {
  const { account, model, estimate } = body;
  const command: WalletCommand = {
    type: 'PlaceHold',
    key: keys.hold(hold.id),
    fingerprint: fingerprint({ model, estimate: canonicalUsage(estimate), expires_in: hold.expires_in }),
    hold: hold.id,
    model,
    estimate,
    expiresInMs: hold.expires_in * 1000,
  };
  try {
    const { event, position: at, replayed } = recordedBy(await orderWallet(api, request, account, command));
    if (event.type !== 'HoldPlaced') throw new Error(`an authorize made a ${event.type}`);
    if (replayed) reply.header(REPLAYED, 'true');
    const { credits, expires_at, after, covered, plan } = event.data;
    const held = { id: hold.id, credits, expires_at };
    const position = formatPosition(api.epoch, at);
    const answer = { allowed: true, credits, available: after.available, reasons: [], hold: held, position };
    if (plan === undefined && covered === undefined) return answer;
    const now = api.runner.glance(walletDecider, account);
    return {
      ...answer,
      ...(covered === undefined ? {} : { quota: quotaParts(covered) }),
      ...planPart(now === null ? null : planLimits(now), rate),
    };
  } catch (error) {
    if (!(error instanceof Refused) || !REASONS.has(error.problem.code)) throw error;
    api.countRefusal(error.problem.code);
    const advice = judge(api, await walletOf(api, request, account), body);
    return authorizeAnswer(advice, [error.problem.code], rate, api);
  }
}

async function isPlaced({ runner }: Api, wallet: Readonly<Wallet>, hold: string): Promise<boolean> {
  if (wallet.holds.has(hold)) return true;
  const key = keys.hold(hold);
  return (await runner.find(walletStream(wallet.account), [key])).has(key);
}

/** What may run takes a point, as a hold does; what may not takes none. */
async function advise(api: Api, request: FastifyRequest, body: AuthorizeBody): Promise<AuthorizeAnswer> {
  const wallet = await walletOf(api, request, body.account);
  let advice = judge(api, wallet, body);
  if (advice.reasons.includes('no_price')) {
    // Perhaps its price was published a moment ago.
    await api.catalogue.fresh();
    advice = judge(api, wallet, body);
  }
  const limit = advice.plan?.requestsPerMinute ?? null;
  if (limit === null) return authorizeAnswer(advice, advice.reasons, null, api);
  const { rateLimits } = api;
  const rate = await (advice.allowed
    ? rateLimits.take(body.account, limit)
    : rateLimits.look(body.account, limit));
  const reasons = rate.allowed ? advice.reasons : [...advice.reasons, 'rate_limited'];
  if (!rate.allowed) api.countRefusal('rate_limited');
  return authorizeAnswer(advice, reasons, rate, api);
}

/** The account as it is known here; ends the request with 404 where there is none. */
async function walletOf(api: Api, request: FastifyRequest, account: string): Promise<Readonly<Wallet>> {
  const state = await inMemory(api, account);
  if (state.opened) return state;
  // "There is none" is said at the stream's head only: another process may have opened it a moment ago (rule 1).
  await orderWallet(api, request, account, { type: 'CarryOutDues', key: null, fingerprint: null });
  return inMemory(api, account);
}

/** Nearly always at once; what is not there is loaded. */
function inMemory({ runner }: Api, account: string): Readonly<Wallet> | Promise<Readonly<Wallet>> {
  return (
    runner.glance(walletDecider, account) ?? runner.peek(walletDecider, account).then(({ state }) => state)
  );
}

function judge(api: Api, wallet: Readonly<Wallet>, { model, estimate }: AuthorizeBody): Advice {
  return adviseWallet(wallet, { model, estimate }, api.now(), api.catalogue.current());
}

function requestsPerMinute({ subscription }: Readonly<Wallet>): number | null {
  return isInForce(subscription) ? (subscription.terms.rate_limit_per_minute ?? null) : null;
}
