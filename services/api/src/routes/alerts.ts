/**
 * Warnings: what an account wants to be told of, where to, and what it has been told. The wallet decides when; an address
 * is personal data and stands in the account's profile (rule 17).
 */
import {
  type AlertTerms,
  type AlertThreshold,
  DEFAULT_ALERTS,
  formatCredits,
  isMailAddress,
  MAIL_ADDRESS_MAX,
  type ProfileSet,
  profileDecider,
} from '@tallystick/domain';
import { decodeEvent } from '@tallystick/event-store';
import { listAlerts } from '@tallystick/projections';
import { type Static, Type } from 'typebox';
import { setProfile } from '../account-now.ts';
import { pageOfAccount } from '../account-page.ts';
import type { Api, App } from '../api.ts';
import { orderWallet } from '../orders.ts';
import { creditsOf, type Faults, settle } from '../parse.ts';
import { reading } from '../reads.ts';
import {
  AccountPath,
  Amount,
  closed,
  Decimal,
  MinPosition,
  orNull,
  PageQuery,
  pageOf,
  shown,
} from '../schemas.ts';
import { walletNow } from '../wallet-now.ts';

const THRESHOLDS_MAX = 20;
/** What settings show of the past; the rest is a list of its own. */
const LATEST = 10;

const Percent = Type.Integer({
  minimum: 1,
  maximum: 100,
  description: 'Of what was granted in a window: used, or held by calls under way.',
});
const ThresholdBody = Type.Union([
  closed({ on: Type.Literal('quota', { description: 'A quota is running out.' }), percent: Percent }),
  closed({
    on: Type.Literal('balance', { description: 'Credits are running out.' }),
    credits: {
      ...Amount,
      description:
        'Told when fewer become available, not where there are fewer already; again only after credits came in.',
    },
  }),
  closed({
    on: Type.Literal('daily_spend', { description: 'A day is dear.' }),
    credits: { ...Amount, description: "Told when usage costs more in a day of the account's time zone." },
  }),
]);
type ThresholdBody = Static<typeof ThresholdBody>;
const Threshold = Type.Union([
  Type.Object({ on: Type.Literal('quota'), percent: Type.Integer() }),
  Type.Object({
    on: Type.Union([Type.Literal('balance'), Type.Literal('daily_spend')]),
    credits: Decimal,
  }),
]);
const SetBody = closed({
  thresholds: Type.Array(ThresholdBody, {
    maxItems: THRESHOLDS_MAX,
    description: 'All that is wanted, none twice. Until they are set: 80 % of every quota.',
  }),
  enabled: Type.Optional(Type.Boolean({ description: 'Left out: true.' })),
  email: Type.Optional(
    orNull(
      Type.String({
        maxLength: MAIL_ADDRESS_MAX,
        description: 'One address that warnings are mailed to; null: none. Left out: as before.',
      }),
    ),
  ),
});

const told = {
  threshold: Type.String({ description: 'That was crossed: percent of a quota, else credits.' }),
  key: Type.String({ description: 'No two are the same.' }),
};
const when = {
  effective_at: Type.String({ description: 'When it was crossed.' }),
  raised_at: Type.String({ description: 'When it was recorded.' }),
};
const RaisedAlert = Type.Union([
  Type.Object({
    alert: Type.Literal('quota'),
    ...told,
    unit: Type.Union([Type.Literal('calls'), Type.Literal('tokens')]),
    model: Type.String({ description: 'A model, or `*` for all.' }),
    granted: Type.String({ description: 'In the window, in whole units; `used` and `held` of it.' }),
    used: Type.String(),
    held: Type.String({ description: 'By calls under way.' }),
    period_start: Type.String({ description: 'Of the window.' }),
    period_end: Type.String(),
    ...when,
  }),
  Type.Object({ alert: Type.Literal('balance'), ...told, available: Decimal, ...when }),
  Type.Object({
    alert: Type.Literal('daily_spend'),
    ...told,
    spent: Decimal,
    day: Type.String({ description: '`2026-01-31`' }),
    ...when,
  }),
]);
const Settings = Type.Object({
  enabled: Type.Boolean(),
  thresholds: Type.Array(Threshold),
  by_default: Type.Boolean({ description: 'Nobody has set them.' }),
  email: orNull(Type.String({ description: 'Where they are mailed to.' })),
  raised: Type.Array(RaisedAlert, { description: `The latest ${LATEST}.` }),
});

export function alertsRoutes(app: App, api: Api): void {
  const tags = ['alerts'];

  app.put(
    '/v1/accounts/:id/alerts',
    {
      config: { access: { scopes: ['usage', 'manage'], ownAccount: 'path' } },
      schema: {
        tags,
        summary: 'Say what an account wants to be warned of',
        params: AccountPath,
        body: SetBody,
        response: shown(Settings),
      },
    },
    async (request) => {
      const { id } = request.params;
      const { email, enabled = true } = request.body;
      const faults: Faults = [];
      const terms: AlertTerms = { enabled, thresholds: thresholdsOf(request.body.thresholds, faults) };
      if (email != null && !isMailAddress(email))
        faults.push({ field: 'email', rule: 'must be one address like owner@example.com' });
      settle(faults);
      // The wallet first: without one there is nobody to warn. The same call again does what a crash left out.
      await orderWallet(api, request, id, { type: 'SetAlerts', key: null, fingerprint: null, terms });
      if (email !== undefined) await setProfile(api, request, id, { email });
      return settingsOf(api, id);
    },
  );

  app.get(
    '/v1/accounts/:id/alerts',
    {
      config: { access: { scopes: ['read'], ownAccount: 'path' } },
      schema: {
        tags,
        summary: 'Read what an account is warned of, and what it was told last',
        params: AccountPath,
        response: shown(Settings),
      },
    },
    ({ params: { id } }) => settingsOf(api, id),
  );

  app.get(
    '/v1/accounts/:id/alerts/raised',
    {
      config: { access: { scopes: ['read'], ownAccount: 'path' } },
      schema: {
        tags,
        summary: 'List the warnings that were raised, the latest first',
        params: AccountPath,
        querystring: closed({ ...PageQuery, ...MinPosition }),
        response: shown(pageOf(RaisedAlert)),
      },
    },
    ({ params: { id: account }, query: { cursor, page_size: pageSize, min_position: minPosition } }) =>
      pageOfAccount(api, { account, cursor, minPosition }, () =>
        listAlerts(api.reads.queries, { account, cursor, pageSize }),
      ),
  );
}

/** In one order and one way of writing, so that the same settings again are seen to be the same. */
function thresholdsOf(bodies: readonly ThresholdBody[], faults: Faults): readonly AlertThreshold[] {
  const thresholds = bodies.map((body, index): AlertThreshold => {
    if (body.on === 'quota') return { on: 'quota', percent: body.percent };
    const credits = creditsOf(body.credits, `thresholds.${index}.credits`, 'not_negative', faults);
    return { on: body.on, credits: formatCredits(credits) };
  });
  const seen = new Set<string>();
  for (const [index, threshold] of thresholds.entries()) {
    const name = nameOf(threshold);
    if (seen.has(name) && faults.length === 0)
      faults.push({ field: `thresholds.${index}`, rule: 'must not be there twice' });
    seen.add(name);
  }
  return inOrder(thresholds);
}

export function inOrder(thresholds: readonly AlertThreshold[]): readonly AlertThreshold[] {
  return [...thresholds].sort((a, b) => (nameOf(a) < nameOf(b) ? -1 : 1));
}

const nameOf = (threshold: AlertThreshold): string =>
  threshold.on === 'quota'
    ? `quota ${threshold.percent.toString().padStart(3, '0')}`
    : `${threshold.on} ${threshold.credits}`;

async function settingsOf(api: Api, account: string) {
  const { alerts } = await walletNow(api, account);
  const { enabled, thresholds } = alerts.terms ?? DEFAULT_ALERTS;
  const [email, raised] = await Promise.all([
    emailNow(api, account),
    reading(api, { account }, () => listAlerts(api.reads.queries, { account, pageSize: LATEST })),
  ]);
  return { enabled, thresholds, by_default: alerts.terms === null, email, raised: raised.data };
}

/** As the profile's stream says it now, whichever process wrote last. */
export async function emailNow({ runner, store }: Api, account: string): Promise<string | null> {
  const { state, revision } = await runner.peek(profileDecider, account);
  const profile = profileDecider.fork(state);
  const tail = await store.readStream(`profile-${account}`, { from: revision + 1, limit: PROFILE_TAIL });
  for (const event of tail) profileDecider.evolve(profile, decodeEvent<ProfileSet>(event), event.revision);
  return profile.email;
}

/** More than this behind is nobody's case; the next look would be nearer. */
const PROFILE_TAIL = 1_000;
