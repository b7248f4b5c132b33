/** Accounts: opened, changed, frozen, listed. */
import { type AccountTerms, formatCredits, keys, type WalletCommand } from '@tallystick/domain';
import { getAccount, getAccountFull, listAccounts } from '@tallystick/projections';
import { type Static, Type } from 'typebox';
import { accountNow, setProfile, settleProfile } from '../account-now.ts';
import type { Api, App } from '../api.ts';
import { seesMoney } from '../auth.ts';
import { fingerprint } from '../fingerprint.ts';
import { again, firstOrAgain, orderWallet, recordedBy } from '../orders.ts';
import { ACCOUNT_METADATA_MAX, checkText, creditsOf, type Faults, metadataOf, settle } from '../parse.ts';
import { Refused, refuse } from '../problems.ts';
import { reading } from '../reads.ts';
import {
  AccountPath,
  Amount,
  Currency,
  closed,
  Decimal,
  found,
  Id,
  Metadata,
  MinPosition,
  orNull,
  PageQuery,
  pageOf,
  recorded,
  shown,
  Text,
} from '../schemas.ts';

/** As the account's owner sees it. */
const OwnAccount = Type.Object({
  id: Type.String(),
  name: orNull(Type.String()),
  status: Type.Union([Type.Literal('active'), Type.Literal('frozen')]),
  price_book: orNull(Type.String({ description: 'Null: "default" is used.' })),
  overdraft_limit: Decimal,
  time_zone: Type.String(),
  freezes: Type.Array(Type.Object({ reason: Type.String(), reference: Type.String() })),
  created_at: Type.String(),
});
/** For finance. Gateways put what they like into the metadata, costs too, so nobody else sees it (P8). */
const FullAccount = Type.Object({
  ...OwnAccount.properties,
  currency: orNull(Type.String()),
  metadata: orNull(Metadata),
});
/** The fuller shape stands first: the serialiser takes the first that fits. */
const EitherAccount = Type.Union([FullAccount, OwnAccount]);

const Terms = {
  price_book: Type.Optional(
    Type.Union([Id, Type.Null()], {
      description:
        'Null: "default" is used. It may be named before it is published; until then usage has no price (202 `unpriced`).',
    }),
  ),
  overdraft_limit: Type.Optional({ ...Amount, description: 'How many credits it may owe. Left out: 0.' }),
  time_zone: Type.Optional(
    Type.String({ minLength: 1, maxLength: 64, description: 'Of the IANA: days and months. Left out: UTC.' }),
  ),
  currency: Type.Optional(orNull(Currency)),
};
const Profile = { name: Type.Optional(orNull(Text)), metadata: Type.Optional(orNull(Metadata)) };
const OpenBody = closed({
  id: Type.Optional({
    ...Id,
    description: 'Left out: one is made, and the same request again makes another account.',
  }),
  ...Profile,
  ...Terms,
});
const ChangeBody = closed({ ...Profile, ...Terms }, { minProperties: 1 });
type ChangeBody = Static<typeof ChangeBody>;

export function accountsRoutes(app: App, api: Api): void {
  const finance = { access: { scopes: ['finance'] } } as const;
  const tags = ['accounts'];

  app.post(
    '/v1/accounts',
    {
      config: finance,
      schema: { tags, summary: 'Open an account', body: OpenBody, response: recorded(FullAccount) },
    },
    async (request, reply) => {
      const { body } = request;
      const { name = null, metadata = null } = body;
      const id = body.id ?? `acct_${crypto.randomUUID().replaceAll('-', '')}`;
      const terms: AccountTerms = {
        price_book: null,
        overdraft_limit: '0',
        time_zone: 'UTC',
        currency: null,
        ...readTerms(body),
      };
      const profile = { name, metadata };
      const command: WalletCommand = {
        type: 'OpenAccount',
        key: keys.open,
        // Whether there is a profile, not what it says: that may be deleted one day, this stays for ever (rule 17).
        fingerprint: fingerprint({ ...terms, profile: name !== null || metadata !== null }),
        terms,
      };
      const { event, replayed } = recordedBy(
        await orderWallet(api, request, id, command).catch((error: unknown) => otherContent(error)),
      );
      // The second stream: where a crash came between, the same call again does the rest.
      if (replayed) await settleProfile(api, request, id, profile);
      else if (name !== null || metadata !== null) await setProfile(api, request, id, profile);
      firstOrAgain(reply, { replayed });
      const created_at = new Date(event.recordedAt).toISOString();
      return { id, ...profile, status: 'active' as const, ...terms, freezes: [], created_at };
    },
  );

  app.patch(
    '/v1/accounts/:id',
    {
      config: finance,
      schema: {
        tags,
        summary: 'Change terms or profile of an account',
        params: AccountPath,
        body: ChangeBody,
        response: found(FullAccount),
      },
    },
    async (request) => {
      const { id } = request.params;
      const { name, metadata } = request.body;
      const command: WalletCommand = {
        type: 'ChangeAccount',
        key: null,
        fingerprint: null,
        terms: readTerms(request.body),
      };
      await orderWallet(api, request, id, command);
      await setProfile(api, request, id, {
        ...(name === undefined ? {} : { name }),
        ...(metadata === undefined ? {} : { metadata }),
      });
      return accountNow(api, id);
    },
  );

  app.post(
    '/v1/accounts/:id/freeze',
    {
      config: finance,
      schema: {
        tags,
        summary: 'Freeze an account, for one more reason',
        params: AccountPath,
        body: closed({ reason: Text, reference: Id }),
        response: found(FullAccount),
      },
    },
    async (request, reply) => {
      const { id } = request.params;
      const { reason, reference } = request.body;
      const faults: Faults = [];
      checkText(reason, 'reason', faults);
      settle(faults);
      const command = { type: 'FreezeAccount', key: null, fingerprint: null, reason, reference } as const;
      again(reply, await orderWallet(api, request, id, command));
      return accountNow(api, id);
    },
  );

  app.post(
    '/v1/accounts/:id/unfreeze',
    {
      config: finance,
      schema: {
        tags,
        summary: 'Lift one reason of a freeze',
        params: AccountPath,
        body: closed({ reference: Id }),
        response: found(FullAccount),
      },
    },
    async (request, reply) => {
      const { id } = request.params;
      const { reference } = request.body;
      const command = { type: 'UnfreezeAccount', key: null, fingerprint: null, reference } as const;
      again(reply, await orderWallet(api, request, id, command));
      return accountNow(api, id);
    },
  );

  app.get(
    '/v1/accounts/:id',
    {
      config: { access: { scopes: ['read'], ownAccount: 'path' } },
      schema: {
        tags,
        summary: 'Read an account',
        params: AccountPath,
        querystring: closed(MinPosition),
        response: shown(EitherAccount),
      },
    },
    async ({ principal, params: { id }, query: { min_position: minPosition } }) => {
      const view = await reading(api, { account: id, minPosition }, () =>
        (seesMoney(principal) ? getAccountFull : getAccount)(api.reads.queries, id),
      );
      if (view === null) return refuse('account_not_found', { account: id });
      return seesMoney(principal) ? view : ownView(view);
    },
  );

  app.get(
    '/v1/accounts',
    {
      config: { access: { scopes: ['read'] } },
      schema: {
        tags,
        summary: 'List accounts',
        querystring: closed({ ...PageQuery, ...MinPosition }),
        response: shown(pageOf(EitherAccount)),
      },
    },
    async ({ principal, query: { cursor, page_size: pageSize, min_position: minPosition } }) => {
      const page = await reading(api, { minPosition }, () =>
        listAccounts(api.reads.queries, { cursor, pageSize }),
      );
      return seesMoney(principal) ? page : { ...page, data: page.data.map(ownView) };
    },
  );
}

function ownView(view: Static<typeof OwnAccount> | object): Static<typeof OwnAccount> {
  const { id, name, status, price_book, overdraft_limit, time_zone, freezes, created_at } = view as Static<
    typeof OwnAccount
  >;
  return { id, name, status, price_book, overdraft_limit, time_zone, freezes, created_at };
}

/** What is said of the terms and the profile; ends the request with 422 where a value breaks a rule. */
function readTerms(body: ChangeBody): Partial<AccountTerms> {
  const faults: Faults = [];
  const terms: { -readonly [K in keyof AccountTerms]?: AccountTerms[K] } = {};
  if (body.price_book !== undefined) terms.price_book = body.price_book;
  if (body.overdraft_limit !== undefined) {
    const limit = creditsOf(body.overdraft_limit, 'overdraft_limit', 'not_negative', faults);
    terms.overdraft_limit = formatCredits(limit);
  }
  if (body.time_zone !== undefined) {
    if (!isTimeZone(body.time_zone))
      faults.push({ field: 'time_zone', rule: 'must be a time zone of the IANA' });
    terms.time_zone = body.time_zone;
  }
  if (body.currency !== undefined) terms.currency = body.currency;
  checkText(body.name, 'name', faults);
  metadataOf(body.metadata, 'metadata', ACCOUNT_METADATA_MAX, faults);
  settle(faults);
  return terms;
}

export function isTimeZone(name: string): boolean {
  try {
    new Intl.DateTimeFormat('en', { timeZone: name });
    return true;
  } catch {
    return false;
  }
}

function otherContent(error: unknown): never {
  if (error instanceof Refused && error.problem.code === 'idempotency_conflict')
    return refuse('account_exists');
  throw error;
}
