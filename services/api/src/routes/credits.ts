/** Credits in and corrections: top-ups, grants, adjustments, reversals. For finance. */
import { DEFAULT_PRIORITY, keys, parseEntryId, walletStream } from '@tallystick/domain';
import { Type } from 'typebox';
import {
  AdjustmentAnswer,
  adjustmentAnswer,
  CreditsAnswer,
  creditsAnswer,
  ReversalAnswer,
  reversalAnswer,
} from '../answers.ts';
import type { Api, App } from '../api.ts';
import { fingerprint } from '../fingerprint.ts';
import { firstOrAgain, orderWallet, recordedBy } from '../orders.ts';
import { checkText, creditsOf, type Faults, instantOf, moneyOf, settle } from '../parse.ts';
import { refuse } from '../problems.ts';
import { AccountPath, Amount, closed, Id, Instant, MoneyBody, Priority, recorded, Text } from '../schemas.ts';

const ExpiresAt = Type.String({
  ...Instant,
  description: 'RFC 3339 with its zone; in the future when it is first recorded.',
});
const Marks = { expires_at: Type.Optional(ExpiresAt), priority: Type.Optional(Priority) };
const TopUpBody = closed({
  credits: Amount,
  paid: Type.Optional({ ...MoneyBody, description: 'What the customer paid for them. Left out: not known.' }),
  source: { ...Id, description: 'Where the money came in; with `reference` it names the top-up.' },
  reference: { ...Id, description: 'Of the payment.' },
  ...Marks,
});
const GrantBody = closed({
  credits: Amount,
  kind: { ...Id, description: 'What for; with `reference` it names the grant.' },
  reference: Id,
  ...Marks,
});
const AdjustmentBody = closed({ credits: Amount, reason: Text, reference: Id });
const ReversalBody = closed({
  reason: Text,
  allow_debt: Type.Optional(
    Type.Boolean({ description: 'Takes back credits that were spent already, into debt.' }),
  ),
});
const EntryPath = closed({ id: Id, entry_id: Type.String({ maxLength: 200 }) });

export function creditsRoutes(app: App, api: Api): void {
  const finance = { access: { scopes: ['finance'] } } as const;
  const tags = ['credits'];

  app.post(
    '/v1/accounts/:id/top-ups',
    {
      config: finance,
      schema: {
        tags,
        summary: 'Add credits that were paid for',
        params: AccountPath,
        body: TopUpBody,
        response: recorded(CreditsAnswer),
      },
    },
    async (request, reply) => {
      const { body } = request;
      const faults: Faults = [];
      const credits = creditsOf(body.credits, 'credits', 'positive', faults);
      const paid = moneyOf(body.paid, 'paid', faults);
      const marks = marksOf(body, faults);
      settle(faults);
      const { source, reference } = body;
      const done = await orderWallet(api, request, request.params.id, {
        type: 'TopUpCredits',
        key: keys.topUp(source, reference),
        fingerprint: fingerprint({ credits: `${credits}`, paid: paid ?? undefined, ...sentMarks(marks) }),
        credits,
        paid,
        source,
        reference,
        ...marks,
      });
      const { event, position, replayed } = recordedBy(done);
      if (event.type !== 'TopUp') throw new Error(`a top-up made a ${event.type}`);
      firstOrAgain(reply, { replayed });
      return creditsAnswer(event, position, api.epoch);
    },
  );

  app.post(
    '/v1/accounts/:id/grants',
    {
      config: finance,
      schema: {
        tags,
        summary: 'Give credits away',
        params: AccountPath,
        body: GrantBody,
        response: recorded(CreditsAnswer),
      },
    },
    async (request, reply) => {
      const { body } = request;
      const faults: Faults = [];
      const credits = creditsOf(body.credits, 'credits', 'positive', faults);
      const marks = marksOf(body, faults);
      settle(faults);
      const { kind, reference } = body;
      const done = await orderWallet(api, request, request.params.id, {
        type: 'GrantCredits',
        key: keys.grant(kind, reference),
        fingerprint: fingerprint({ credits: `${credits}`, ...sentMarks(marks) }),
        credits,
        kind,
        reference,
        ...marks,
      });
      const { event, position, replayed } = recordedBy(done);
      if (event.type !== 'CreditsGranted') throw new Error(`a grant made a ${event.type}`);
      firstOrAgain(reply, { replayed });
      return creditsAnswer(event, position, api.epoch);
    },
  );

  app.post(
    '/v1/accounts/:id/adjustments',
    {
      config: finance,
      schema: {
        tags,
        summary: 'Correct the credits of an account, up or down',
        params: AccountPath,
        body: AdjustmentBody,
        response: recorded(AdjustmentAnswer),
      },
    },
    async (request, reply) => {
      const { reason, reference } = request.body;
      const faults: Faults = [];
      const credits = creditsOf(request.body.credits, 'credits', 'not_zero', faults);
      checkText(reason, 'reason', faults);
      settle(faults);
      const done = await orderWallet(api, request, request.params.id, {
        type: 'AdjustCredits',
        key: keys.adjust(reference),
        fingerprint: fingerprint({ credits: `${credits}`, reason }),
        credits,
        reason,
        reference,
      });
      const { event, position, replayed } = recordedBy(done);
      if (event.type !== 'CreditsAdjusted') throw new Error(`an adjustment made a ${event.type}`);
      firstOrAgain(reply, { replayed });
      return adjustmentAnswer(event, position, api.epoch);
    },
  );

  app.post(
    '/v1/accounts/:id/entries/:entry_id/reversal',
    {
      config: finance,
      schema: {
        tags,
        summary: 'Take an entry back',
        params: EntryPath,
        body: ReversalBody,
        response: recorded(ReversalAnswer),
      },
    },
    async (request, reply) => {
      const { id, entry_id } = request.params;
      const { reason, allow_debt: allowDebt = false } = request.body;
      const faults: Faults = [];
      checkText(reason, 'reason', faults);
      settle(faults);
      const entry = parseEntryId(entry_id);
      if (entry === undefined || entry.stream !== walletStream(id)) return refuse('entry_not_found');
      const { revision } = entry;
      const done = await orderWallet(api, request, id, {
        type: 'ReverseEntry',
        key: keys.reverse(revision),
        fingerprint: fingerprint({ reason, allow_debt: allowDebt }),
        revision,
        reason,
        allowDebt,
      });
      const { event, position, replayed } = recordedBy(done);
      if (event.type !== 'EntryReversed') throw new Error(`a reversal made a ${event.type}`);
      firstOrAgain(reply, { replayed });
      return reversalAnswer(event, position, api.epoch);
    },
  );
}

interface MarksBody {
  readonly expires_at?: string;
  readonly priority?: number;
}
interface MarksRead {
  readonly expiresAt: number | null;
  readonly priority: number;
}

/** An expiry in the past is the decider's to refuse: the same top-up sent again a year later is still the same. */
function marksOf(body: MarksBody, faults: Faults): MarksRead {
  return {
    expiresAt: instantOf(body.expires_at, 'expires_at', faults),
    priority: body.priority ?? DEFAULT_PRIORITY,
  };
}

/** For the fingerprint: a default that is spelled out is the same as one that is left out. */
function sentMarks({ expiresAt, priority }: MarksRead): object {
  return {
    expires_at: expiresAt ?? undefined,
    priority: priority === DEFAULT_PRIORITY ? undefined : priority,
  };
}
