/** May this call run, and at what price? With a hold the credits are reserved; without, the answer is advice (rule 1). */

import { formatPosition } from '@tallystick/connect';
import {
  adviseWallet,
  keys,
  type Usage,
  type Wallet,
  type WalletCommand,
  walletDecider,
} from '@tallystick/domain';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { type Static, Type } from 'typebox';
import type { Api, App } from '../api.ts';
import { fingerprint } from '../fingerprint.ts';
import { orderWallet, recordedBy } from '../orders.ts';
import { canonicalUsage, checkText, type Faults, settle, usageOf } from '../parse.ts';
import { Refused } from '../problems.ts';
import { closed, Decimal, found, Id, Model, Position, UsageBody } from '../schemas.ts';

/** The longest that credits may be held, in seconds: 30 days. */
export const EXPIRES_IN_MAX = 30 * 24 * 60 * 60;
export const ExpiresIn = Type.Integer({ minimum: 1, maximum: EXPIRES_IN_MAX, description: 'Seconds.' });

const AuthorizeBody = closed({
  account: Id,
  model: Model,
  estimate: UsageBody,
  hold: Type.Optional(closed({ id: Id, expires_in: ExpiresIn })),
});
type AuthorizeBody = Static<typeof AuthorizeBody>;

export const HeldTerms = Type.Object({ id: Type.String(), credits: Decimal, expires_at: Type.String() });
const AuthorizeAnswer = Type.Object({
  allowed: Type.Boolean(),
  credits: Type.Union([Decimal, Type.Null()], {
    description: 'The price of the estimate; null where it has none.',
  }),
  available: Decimal,
  reasons: Type.Array(Type.String(), { description: 'Codes of refusals; empty where it is allowed.' }),
  hold: Type.Optional(HeldTerms),
  position: Type.Optional(Position),
});
type AuthorizeAnswer = Static<typeof AuthorizeAnswer>;

/** Refusals that are an answer here: the call must not run. */
const REASONS = new Set<string>(['insufficient_credits', 'account_frozen', 'no_price']);

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

async function reserve(
  api: Api,
  request: FastifyRequest,
  reply: FastifyReply,
  body: AuthorizeBody,
  hold: NonNullable<AuthorizeBody['hold']>,
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
    if (replayed) reply.header('idempotent-replayed', 'true');
    const { credits, expires_at, after } = event.data;
    const held = { id: hold.id, credits, expires_at };
    const position = formatPosition(api.epoch, at);
    return { allowed: true, credits, available: after.available, reasons: [], hold: held, position };
  } catch (error) {
    if (!(error instanceof Refused) || !REASONS.has(error.problem.code)) throw error;
    api.countRefusal(error.problem.code);
    const now = await walletOf(api, request, account);
    return { ...judge(api, now, model, estimate), allowed: false, reasons: [error.problem.code] };
  }
}

async function advise(
  api: Api,
  request: FastifyRequest,
  { account, model, estimate }: AuthorizeBody,
): Promise<AuthorizeAnswer> {
  const wallet = await walletOf(api, request, account);
  const advice = judge(api, wallet, model, estimate);
  if (advice.credits !== null) return advice;
  // Perhaps its price was published a moment ago.
  await api.catalogue.fresh();
  return judge(api, wallet, model, estimate);
}

/** The account as it is known here; ends the request with 404 where there is none. */
async function walletOf(api: Api, request: FastifyRequest, account: string): Promise<Readonly<Wallet>> {
  const { state } = await api.runner.peek(walletDecider, account);
  if (state.opened) return state;
  // "There is none" is said at the stream's head only: another process may have opened it a moment ago (rule 1).
  await orderWallet(api, request, account, { type: 'CarryOutDues', key: null, fingerprint: null });
  return (await api.runner.peek(walletDecider, account)).state;
}

function judge(api: Api, wallet: Readonly<Wallet>, model: string, estimate: Usage): AuthorizeAnswer {
  const advice = adviseWallet(wallet, { model, estimate }, api.now(), api.catalogue.current());
  return { ...advice, reasons: [...advice.reasons] };
}
