/**
 * Quotas: what a plan includes and finance adds for a time, in their own units. What an account has now is told from its
 * wallet itself, with what has fallen due, and where its plan's caps stand; `all` lists every quota that there was, from the read models.
 */
import { formatPosition } from '@tallystick/connect';
import { type CapNow, capsNow, entryId, grantsQuota, keys, type Wallet, WINDOWS } from '@tallystick/domain';
import { listQuotas, type QuotaView } from '@tallystick/projections';
import { type Static, Type } from 'typebox';
import { pageOfAccount } from '../account-page.ts';
import type { Api, App } from '../api.ts';
import { fingerprint } from '../fingerprint.ts';
import { firstOrAgain, orderWallet, recordedBy } from '../orders.ts';
import { checkText, type Faults, instantOf, settle } from '../parse.ts';
import {
  AccountPath,
  Amount,
  closed,
  Id,
  Instant,
  MinPosition,
  Model,
  orNull,
  PageQuery,
  Position,
  pageOf,
  recorded,
  shown,
  Text,
} from '../schemas.ts';
import { walletNow } from '../wallet-now.ts';

const Unit = Type.Union([Type.Literal('calls'), Type.Literal('tokens')]);
const Whole = Type.String({ description: 'A whole number as text.' });
const QuotaAnswer = Type.Object({
  id: orNull(Type.String({ description: 'Null: a line of the plan without limit.' })),
  unit: Unit,
  model: Type.String({ description: 'A model, or `*` for all.' }),
  granted: Type.String({ description: 'A whole number as text, or `unlimited`.' }),
  used: orNull(Whole),
  held: orNull(Whole),
  remaining: Type.String({ description: 'A whole number as text, or `unlimited`.' }),
  period_start: Type.String(),
  period_end: Type.String(),
  source: Type.Union([Type.Literal('plan'), Type.Literal('expansion')]),
});
type QuotaAnswer = Static<typeof QuotaAnswer>;

const CapAnswer = Type.Object({
  unit: Unit,
  model: Type.String({ description: 'A model, or `*`: all of them together.' }),
  amount: Whole,
  per: Type.Enum([...WINDOWS], { description: '`period`: that of the subscription.' }),
  used: { ...Whole, description: 'In the window that is open, by whatever paid for it.' },
  held: { ...Whole, description: 'What calls under way may still use of it.' },
  resets_at: Type.String({ description: 'When the window ends.' }),
});
const Listed = Type.Object({
  ...pageOf(QuotaAnswer).properties,
  caps: Type.Optional(
    Type.Array(CapAnswer, {
      description: 'Where the limits of the plan in force stand; left out of the list of all quotas.',
    }),
  ),
});

const ExpandBody = closed({
  unit: Unit,
  model: Model,
  amount: Amount,
  expires_at: Type.String({ ...Instant, description: 'RFC 3339 with its zone; in the future.' }),
  reason: Text,
  reference: Id,
});
const ExpandAnswer = Type.Object({ entry_id: Type.String(), quota: QuotaAnswer, position: Position });

/** The most that one quota may be: sums of them stay inside Postgres' bigint. */
const WHOLE = /^[1-9][0-9]{0,14}$/;

export function quotasRoutes(app: App, api: Api): void {
  const read = { access: { scopes: ['read'], ownAccount: 'path' } } as const;
  const tags = ['quotas'];

  app.get(
    '/v1/accounts/:id/quotas',
    {
      config: read,
      schema: {
        tags,
        summary: 'List the quotas of an account',
        params: AccountPath,
        querystring: closed({
          ...PageQuery,
          ...MinPosition,
          all: Type.Optional(
            Type.Boolean({ description: 'Also those whose time is over. Left out: what there is now.' }),
          ),
        }),
        response: shown(Listed),
      },
    },
    async ({ params: { id: account }, query: { cursor, page_size: pageSize, min_position, all } }) => {
      // All that there is now fits one page: it is bounded, and told whole.
      if (all !== true) {
        const [wallet, now] = [await walletNow(api, account), api.now()];
        return { data: quotasNow(wallet, now), next_cursor: null, caps: capsNow(wallet, now).map(capOf) };
      }
      const of = { account, cursor, minPosition: min_position };
      const query = { account, now: api.now(), cursor, pageSize };
      const page = await pageOfAccount(api, of, () => listQuotas(api.reads.queries, query));
      return { ...page, data: page.data.map(answerOf) };
    },
  );

  app.post(
    '/v1/accounts/:id/quotas',
    {
      config: { access: { scopes: ['finance'] } },
      schema: {
        tags,
        summary: 'Give an account more for a time',
        params: AccountPath,
        body: ExpandBody,
        response: recorded(ExpandAnswer),
      },
    },
    async (request, reply) => {
      const { unit, model, amount, reason, reference } = request.body;
      const faults: Faults = [];
      if (!WHOLE.test(amount))
        faults.push({ field: 'amount', rule: 'must be a whole number from 1 to 999999999999999' });
      const expiresAt = instantOf(request.body.expires_at, 'expires_at', faults) ?? 0;
      checkText(model, 'model', faults);
      checkText(reason, 'reason', faults);
      settle(faults);
      const done = await orderWallet(api, request, request.params.id, {
        type: 'ExpandQuota',
        key: keys.expandQuota(reference),
        fingerprint: fingerprint({ unit, model, amount, expires_at: expiresAt, reason }),
        unit,
        model,
        amount: BigInt(amount),
        expiresAt,
        reason,
        reference,
      });
      const { event, position, replayed } = recordedBy(done);
      if (event.type !== 'QuotaExpanded') throw new Error(`an expansion made a ${event.type}`);
      const [born] = event.data.quotas?.granted ?? [];
      if (born === undefined) throw new Error('an expansion without a quota');
      firstOrAgain(reply, { replayed });
      return {
        entry_id: entryId(event.stream, event.revision),
        quota: {
          id: born.quota,
          unit: born.unit,
          model: born.model,
          granted: born.quantity,
          used: '0',
          held: '0',
          remaining: born.quantity,
          period_start: born.starts_at,
          period_end: born.expires_at,
          source: 'expansion' as const,
        },
        position: formatPosition(api.epoch, position),
      };
    },
  );
}

/** The plan's lines without limit first, then what counts, in the order in which it ends. */
function quotasNow(wallet: Readonly<Wallet>, now: number): QuotaAnswer[] {
  const { subscription } = wallet;
  const unlimited: QuotaAnswer[] = [];
  if (subscription !== null && grantsQuota(subscription)) {
    for (const { unit, model, amount } of subscription.terms.included) {
      if (amount !== 'unlimited') continue;
      unlimited.push({
        id: null,
        unit,
        model,
        granted: amount,
        used: null,
        held: null,
        remaining: amount,
        period_start: subscription.now.period_start,
        period_end: subscription.now.period_end,
        source: 'plan',
      });
    }
  }
  const counted = wallet.quotas
    .filter(({ expiresAt, pinned }) => expiresAt > now || pinned > 0n)
    .sort((a, b) => a.expiresAt - b.expiresAt || a.born - b.born);
  return [
    ...unlimited,
    ...counted.map(
      (quota): QuotaAnswer => ({
        id: quota.id,
        unit: quota.unit,
        model: quota.model,
        granted: quota.quantity.toString(),
        used: quota.used.toString(),
        held: quota.pinned.toString(),
        remaining: quota.free.toString(),
        period_start: new Date(quota.startsAt).toISOString(),
        period_end: new Date(quota.expiresAt).toISOString(),
        source: quota.origin.kind,
      }),
    ),
  ];
}

function capOf({ unit, model, amount, per, used, held, resetsAt }: CapNow): Static<typeof CapAnswer> {
  const counts = { amount: amount.toString(), per, used: used.toString(), held: held.toString() };
  return { unit, model, ...counts, resets_at: new Date(resetsAt).toISOString() };
}

function answerOf(view: QuotaView): QuotaAnswer {
  const { unit, model, granted, used, held, remaining, period_start, period_end } = view;
  const source = view.origin.kind;
  return { id: view.quota, unit, model, granted, used, held, remaining, period_start, period_end, source };
}
