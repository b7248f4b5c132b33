/** What becomes of a hold: settled by the call that ran, void where it did not run, extended while it streams (L8). */

import { formatPosition } from '@tallystick/connect';
import {
  formatCredits,
  keys,
  type Wallet,
  type WalletCommand,
  type WalletEvent,
  type WalletEventOf,
  walletDecider,
  walletStream,
} from '@tallystick/domain';
import { getHold, listHolds } from '@tallystick/projections';
import { Type } from 'typebox';
import { pageOfAccount } from '../account-page.ts';
import { balanceOf, ChargedAnswer, QuotaParts, quotaParts, UnpricedAnswer } from '../answers.ts';
import type { Api, App } from '../api.ts';
import { HeldTerms } from '../authorize-answer.ts';
import { again, type Done, firstOrAgain, orderWallet, recordedBy } from '../orders.ts';
import { type Faults, moneyOf, settle, usageOf } from '../parse.ts';
import { refuse } from '../problems.ts';
import { reading } from '../reads.ts';
import {
  AccountPath,
  Balance,
  closed,
  Decimal,
  found,
  Id,
  MinPosition,
  MoneyBody,
  orNull,
  PageQuery,
  Position,
  pageOf,
  problems,
  shown,
  UsageBody,
} from '../schemas.ts';
import { usageFingerprint } from '../usage-item.ts';
import { ExpiresIn } from './authorize.ts';
import { answerOf, usageEvent } from './usage.ts';

const HoldPath = closed({ id: Id, hold: Id });
const ExtendAnswer = Type.Object({
  hold: HeldTerms,
  quota: QuotaParts,
  balance: Balance,
  position: Type.Optional(Position),
});
const VoidAnswer = Type.Object({
  id: Type.String(),
  status: Type.Union([Type.Literal('voided'), Type.Literal('expired')]),
  balance: Balance,
  position: Type.Optional(Position),
});
const HoldAnswer = Type.Object({
  id: Type.String(),
  account: Type.String(),
  status: Type.String(),
  purpose: Type.String(),
  model: Type.String(),
  estimate: Type.Record(Type.String(), Type.Number()),
  credits: Decimal,
  quota: QuotaParts,
  price_book: Type.Object({ name: Type.String(), version: Type.Integer() }),
  placed_at: Type.String(),
  expires_at: Type.String(),
  closed_at: orNull(Type.String()),
  closed_by: orNull(Type.String({ description: 'The entry that closed it.' })),
});

export function holdsRoutes(app: App, api: Api): void {
  const usage = { access: { scopes: ['usage'] } } as const;
  const read = { access: { scopes: ['read'], ownAccount: 'path' } } as const;
  const tags = ['holds'];

  app.post(
    '/v1/accounts/:id/holds/:hold/settle',
    {
      config: usage,
      schema: {
        tags,
        summary: 'Settle a hold with the usage of the call that ran',
        params: HoldPath,
        body: closed({ usage: UsageBody, cost: Type.Optional(MoneyBody) }),
        response: { 201: ChargedAnswer, 200: ChargedAnswer, 202: UnpricedAnswer, ...problems },
      },
    },
    async (request, reply) => {
      const { id: account, hold } = request.params;
      const faults: Faults = [];
      const counted = usageOf(request.body.usage, 'usage', faults);
      const cost = moneyOf(request.body.cost, 'cost', faults);
      settle(faults);
      const model = await modelOf(api, account, hold);
      const command: WalletCommand = {
        type: 'SettleHold',
        key: keys.settle(hold),
        fingerprint: usageFingerprint({ id: hold, model, usage: counted, cost, hold, occurredAt: null }),
        hold,
        usage: counted,
        cost,
      };
      const { event, position, replayed } = recordedBy(await orderWallet(api, request, account, command));
      firstOrAgain(reply, { replayed });
      const answer = await answerOf(api, usageEvent(event), position, replayed);
      if (answer.status === 'unpriced') reply.code(202);
      return answer;
    },
  );

  app.post(
    '/v1/accounts/:id/holds/:hold/void',
    {
      config: usage,
      schema: {
        tags,
        summary: 'Void a hold whose call did not run',
        params: HoldPath,
        response: found(VoidAnswer),
      },
    },
    async (request, reply) => {
      const { id: account, hold } = request.params;
      const command: WalletCommand = { type: 'VoidHold', key: keys.void(hold), fingerprint: '1:', hold };
      const done = await orderWallet(api, request, account, command);
      again(reply, done);
      // Its time was over before: it has let go already, and void changes nothing (rule 20).
      if (done.status === 'unchanged')
        return { id: hold, status: 'expired' as const, balance: balanceNow(done.state) };
      const { after } = done.event.data as WalletEventOf<'HoldVoided'>['data'];
      const position = formatPosition(api.epoch, done.position);
      return { id: hold, status: 'voided' as const, balance: balanceOf(after), position };
    },
  );

  app.post(
    '/v1/accounts/:id/holds/:hold/extend',
    {
      config: usage,
      schema: {
        tags,
        summary: 'Extend a hold in time or credits',
        params: HoldPath,
        body: closed(
          { estimate: Type.Optional(UsageBody), expires_in: Type.Optional(ExpiresIn) },
          { minProperties: 1 },
        ),
        response: found(ExtendAnswer),
      },
    },
    async (request) => {
      const { id: account, hold } = request.params;
      const { estimate = null, expires_in } = request.body;
      const faults: Faults = [];
      if (estimate !== null) usageOf(estimate, 'estimate', faults);
      settle(faults);
      const expiresInMs = expires_in === undefined ? null : expires_in * 1000;
      const command: WalletCommand = {
        type: 'ExtendHold',
        key: null,
        fingerprint: null,
        hold,
        estimate,
        expiresInMs,
      };
      return extended(api, account, hold, await orderWallet(api, request, account, command));
    },
  );

  app.get(
    '/v1/accounts/:id/holds',
    {
      config: read,
      schema: {
        tags,
        summary: 'List the holds of an account',
        params: AccountPath,
        querystring: closed({ ...PageQuery, ...MinPosition, open: Type.Optional(Type.Boolean()) }),
        response: shown(pageOf(HoldAnswer)),
      },
    },
    async ({ params: { id: account }, query: { cursor, page_size: pageSize, min_position, open } }) => {
      const query = { account, now: api.now(), cursor, pageSize, open: open ?? false };
      const of = { account, cursor, minPosition: min_position };
      return pageOfAccount(api, of, () => listHolds(api.reads.queries, query));
    },
  );

  app.get(
    '/v1/accounts/:id/holds/:hold',
    {
      config: read,
      schema: {
        tags,
        summary: 'Read a hold',
        params: HoldPath,
        querystring: closed(MinPosition),
        response: shown(HoldAnswer),
      },
    },
    async ({ params: { id: account, hold }, query: { min_position } }) => {
      const view = await reading(api, { account, minPosition: min_position }, () =>
        getHold(api.reads.queries, account, hold, api.now()),
      );
      return view ?? refuse('hold_not_found', { hold });
    },
  );
}

async function extended(api: Api, account: string, hold: string, done: Done<Wallet, WalletEvent>) {
  if (done.status === 'recorded') {
    const { credits, expires_at, after } = done.event.data as WalletEventOf<'HoldExtended'>['data'];
    const position = formatPosition(api.epoch, done.position);
    const { state } = await api.runner.peek(walletDecider, account);
    return {
      hold: { id: hold, credits, expires_at },
      ...quotaHeld(state, hold),
      balance: balanceOf(after),
      position,
    };
  }
  const open = done.state.holds.get(hold);
  if (open === undefined) throw new Error('an extended hold is not open');
  return {
    hold: {
      id: hold,
      credits: formatCredits(open.credits),
      expires_at: new Date(open.expiresAt).toISOString(),
    },
    ...quotaHeld(done.state, hold),
    balance: balanceNow(done.state),
  };
}

/** What the hold has of quotas in all; of lines without limit nothing is held. */
function quotaHeld({ holds, quotas }: Readonly<Wallet>, hold: string) {
  const pins = holds.get(hold)?.quotaPins ?? [];
  if (pins.length === 0) return {};
  const held = pins.flatMap(({ quota: id, quantity }) => {
    const quota = quotas.find((candidate) => candidate.id === id);
    return quota === undefined
      ? []
      : [{ unit: quota.unit, model: quota.model, quantity: quantity.toString() }];
  });
  return { quota: quotaParts(held) };
}

function balanceNow({ totals }: Readonly<Wallet>) {
  return { available: formatCredits(totals.available), held: formatCredits(totals.held) };
}

/**
 * The model that the hold was placed for: a settle does not name it, but its fingerprint is that of the usage it stands
 * for. Empty where there is no such hold: the decider will say so.
 */
async function modelOf({ runner }: Api, account: string, hold: string): Promise<string> {
  const { state } = await runner.peek(walletDecider, account);
  const open = state.holds.get(hold);
  if (open !== undefined) return open.model;
  const found = await runner.find<WalletEventOf<'HoldPlaced'>>(walletStream(account), [keys.hold(hold)]);
  return found.get(keys.hold(hold))?.data.model ?? '';
}
