/**
 * Whether one picture of a subscription follows from the one before: a period begins where the last one ended, what is
 * paid is what was burned, what has ended stays so. Nothing here counts months: windows stand in the events.
 */
import { stepsOf, textOf } from '../decimal.ts';
import type { AuditedEvent, MoveText } from '../event.ts';
import type { Name } from './finding.ts';
import type { Picture, Subscribed, ToldData } from './picture.ts';

type Differ = (what: string, expected: string | null, found: string | null) => void;

export function checkStep(
  before: Subscribed | null,
  event: AuditedEvent,
  now: Picture,
  hadTrial: boolean,
  name: Name,
): void {
  const differ: Differ = (what, expected, found) => {
    if (expected !== found) name(`the subscription ${now.id}: ${what}`, expected ?? 'none', found ?? 'none');
  };
  checkPicture(now, differ);
  checkGraceQuota(before, now, event, differ);
  const data = event.data as ToldData;
  if (event.type === 'SubscriptionStarted') {
    if (before !== null && before.now.ended_at === null)
      differ('it starts while another is in force', `${before.now.id} to end first`, now.id);
    differ('it is not named after its event', `sub-${event.revision}`, now.id);
    differ('its first period begins elsewhere than it', now.anchor_at, now.period_start);
    if (now.status === 'trialing') differ('the period is not the trial', now.trial_end, now.period_end);
    if (now.trial_end !== null && hadTrial) differ('it is a second trial', 'one for an account', 'another');
  } else if (before === null || before.now.id !== now.id) {
    differ('it was never started', before?.now.id ?? null, now.id);
    return;
  } else {
    for (const mark of KEPT) differ(`its ${mark} changes`, text(before.now[mark]), text(now[mark]));
    checkType(before.now, now, event, data, differ);
  }
  checkPayment(before, now, event, differ);
  checkGraceSpent(before, now, event, differ);
}

/** Who leaves a grace with quota unpaid is remembered for it, until that very period is paid after all. */
function checkGraceSpent(
  before: Subscribed | null,
  now: Picture,
  { type, data }: AuditedEvent,
  differ: Differ,
): void {
  const was = before?.now;
  const isPaidLate =
    type === 'SubscriptionPaymentRecorded' ||
    (type === 'SubscriptionRenewed' && (data as ToldData).effective_at === undefined);
  const leaves = type === 'SubscriptionEnded' && (was?.grace_quota ?? 'none') !== 'none';
  const owed = was?.grace_spent ?? null;
  const isPaid = isPaidLate && owed === `${now.id} ${now.period_start}`;
  const due = leaves ? `${now.id} ${now.period_start}` : isPaid ? null : owed;
  differ('a grace that was left unpaid', due, now.grace_spent ?? null);
}

/** Of one payment: what is refunded goes to the last ones first. */
const PAID_FROM_MAX = 100;
const KEPT = ['pay', 'time_zone', 'trial_end'] as const;
const text = (value: string | boolean | null): string | null => (value === null ? null : String(value));

function checkPicture(now: Picture, differ: Differ): void {
  if (Date.parse(now.period_end) <= Date.parse(now.period_start))
    differ('its period ends before it begins', `after ${now.period_start}`, now.period_end);
  const paid = now.paid_from.reduce((sum, { credits }) => sum + stepsOf(credits), 0n);
  // Of very many lots the picture names the last ones.
  const isWhole = now.paid_from.length < PAID_FROM_MAX || paid > stepsOf(now.period_credits);
  if (isWhole) differ('the lots that paid do not come to what was paid', now.period_credits, textOf(paid));
  if (now.status === 'past_due') {
    differ('it is past due and paid', 'false', String(now.period_paid));
    differ('it is past due without a grace', 'a time', now.grace_ends_at === null ? null : 'a time');
  } else {
    differ(`it has a grace and is ${now.status}`, null, now.grace_ends_at);
    differ(`it has a grace's quota and is ${now.status}`, null, now.grace_quota ?? null);
  }
  const hasEnded = now.status === 'canceled' || now.status === 'lapsed';
  differ(
    `it is ${now.status}`,
    hasEnded ? 'ended' : 'not ended',
    now.ended_at === null ? 'not ended' : 'ended',
  );
}

/**
 * A grace grants by the plan's word, but nothing in a first period, nor of a plan that was not that of the period before:
 * who has never paid for it would have it for nothing. Nor to whom has left one unpaid.
 */
function checkGraceQuota(
  before: Subscribed | null,
  now: Picture,
  { type, data }: AuditedEvent,
  differ: Differ,
): void {
  if (now.status !== 'past_due') return;
  const was = before?.now.id === now.id ? before : null;
  const begins = type === 'SubscriptionStarted' || type === 'SubscriptionPastDue';
  const terms = (data as ToldData).terms ?? was?.terms;
  const { days = 0, quota = 'none' } = terms?.grace ?? {};
  const mayHave = was !== null && was.now.plan === now.plan && now.grace_spent === undefined && days > 0;
  const word = mayHave ? quota : 'none';
  const due = begins ? word : (was?.now.grace_quota ?? null);
  differ('its grace grants another quota', due, now.grace_quota ?? null);
  if (due !== 'none') return;
  // A window may go on from the period that was paid; none begins.
  const begun = now.next_grants.find((at) => at !== null && was?.now.next_grants.includes(at) !== true);
  differ('an unpaid period grants quota', null, begun ?? null);
}

function checkType(was: Picture, now: Picture, { type }: AuditedEvent, data: ToldData, differ: Differ): void {
  const { effective_at = null } = data;
  const samePeriod = (): void => {
    for (const edge of ['period_start', 'period_end'] as const)
      differ(`its ${edge} changes`, was[edge], now[edge]);
  };
  const nextPeriod = (): void => {
    differ('a period begins elsewhere than where the last one ended', was.period_end, now.period_start);
    differ('it is carried out as of another time', was.period_end, effective_at);
    if (was.pending_plan !== null && now.plan !== was.plan)
      differ('its plan is not the one that waited', was.pending_plan, now.plan);
    if (was.pending_plan === null) differ('its plan changes', was.plan, now.plan);
  };
  if (type !== 'SubscriptionPaymentRecorded')
    differ('something happens to it after its end', null, was.ended_at);
  switch (type) {
    case 'SubscriptionRenewed':
      differ('it is renewed without being paid', 'active and paid', stateOf(now));
      if (effective_at !== null) {
        nextPeriod();
        return;
      }
      differ('a period is paid late that was not past due', 'past_due', was.status);
      samePeriod();
      return;
    case 'SubscriptionPastDue':
      if (was.status === 'past_due') differ('it is past due twice', was.period_start, now.period_start);
      differ('it becomes past due and is not', 'past_due', now.status);
      nextPeriod();
      return;
    case 'SubscriptionChanged':
      differ('its status changes', was.status, now.status);
      samePeriod();
      checkChange(was, now, data, differ);
      return;
    case 'SubscriptionEnded':
      samePeriod();
      differ('it has ended at another time', effective_at, now.ended_at);
      if (
        data.reference === undefined &&
        now.ended_at !== was.period_end &&
        now.ended_at !== was.grace_ends_at
      )
        differ(
          'it ends neither with its period nor with its grace',
          was.grace_ends_at ?? was.period_end,
          now.ended_at,
        );
      differ('its quotas go on after its end', null, now.next_grants.find((at) => at !== null) ?? null);
      return;
    case 'SubscriptionPaymentRecorded':
      differ('a payment was applied to a period that was paid', 'false', String(was.period_paid));
      differ('a payment was applied to another period', now.period_start, data.period_start ?? null);
      differ('a payment was applied and does not count', 'active and paid', stateOf(now));
      samePeriod();
      return;
    case 'QuotaGranted':
      for (const mark of ['status', 'plan', 'period_start', 'period_end', 'period_credits'] as const)
        differ(`its ${mark} changes with a grant`, was[mark], now[mark]);
      now.next_grants.forEach((at, line) => {
        const due = was.next_grants[line] ?? null;
        if (at !== due && (due === null || at === null || Date.parse(at) <= Date.parse(due)))
          differ(`the next grant of line ${line} is not later`, due, at);
      });
  }
}

const stateOf = ({ status, period_paid }: Picture): string =>
  `${status} and ${period_paid ? 'paid' : 'unpaid'}`;

function checkChange(
  was: Picture,
  now: Picture,
  { change, lines = [], terms }: ToldData,
  differ: Differ,
): void {
  const charged = lines.reduce((sum, { credits }) => sum + stepsOf(credits), 0n);
  const paid = stepsOf(now.period_credits) - stepsOf(was.period_credits);
  differ('the lines of a change are not what was paid more', textOf(paid), textOf(charged));
  if (change !== 'upgraded')
    differ('what is only scheduled changes its grants', String(was.next_grants), String(now.next_grants));
  switch (change) {
    case 'upgraded':
      differ('it is upgraded without terms', 'terms', terms === undefined ? null : 'terms');
      differ('a plan still waits after an upgrade', null, now.pending_plan);
      return;
    case 'plan_change_scheduled':
      differ('no plan waits', 'a plan', now.pending_plan === null ? null : 'a plan');
      differ('its plan changes before the period ends', was.plan, now.plan);
      return;
    case 'cancellation_scheduled':
      differ('it is cancelled for another time', was.period_end, now.cancel_at);
      differ('its plan changes', was.plan, now.plan);
      return;
    case 'resumed':
      differ('it is resumed and still cancelled', null, now.cancel_at);
      differ('it is resumed and a plan still waits', null, now.pending_plan);
      differ('its plan changes', was.plan, now.plan);
      return;
    default:
      differ(
        'the change is not known',
        'upgraded, plan_change_scheduled, cancellation_scheduled, resumed',
        change ?? null,
      );
      return;
  }
}

/** What was burned, lot by lot, is what the picture says has paid; what came back is on the bill. */
function checkPayment(before: Subscribed | null, now: Picture, event: AuditedEvent, differ: Differ): void {
  const { type, data, facts } = event;
  const moves = (data.moves ?? []) as readonly MoveText[];
  const burned = moves
    .flatMap(({ lot = null, to, credits }, index) => (to === 'spent' ? [{ lot, credits, index }] : []))
    .slice(-PAID_FROM_MAX);
  const isAdded = type === 'SubscriptionChanged';
  const keeps = type === 'SubscriptionEnded' || type === 'QuotaGranted';
  const was = before?.now.id === now.id ? before.now.paid_from : [];
  const due = [...(isAdded || keeps ? was : []), ...burned];
  differ('the lots that paid are not those of its moves', listed(due), listed(now.paid_from));
  if (type === 'SubscriptionEnded') {
    const back = moves.reduce(
      (sum, { from, credits }) => (from === 'spent' ? sum + stepsOf(credits) : sum),
      0n,
    );
    const lines = (data as ToldData).lines ?? [];
    const billed = lines.reduce((sum, { credits }) => sum - stepsOf(credits), 0n);
    differ('what came back is not on the bill', textOf(back), textOf(billed));
  }
  const money = facts.paid_from as readonly { readonly amount: string }[] | undefined;
  const paid = facts.paid as readonly string[] | undefined;
  if (money === undefined || paid === undefined) return;
  const added = money.slice(now.paid_from.length - burned.length).map(({ amount }) => amount);
  const behind = burned.map(({ index }) => paid[index] ?? '0');
  if (burned.length > 0)
    differ('the money that paid is not that behind its credits', behind.join(' + '), added.join(' + '));
}

function listed(paid: readonly { readonly lot: string | null; readonly credits: string }[]): string {
  return paid.length === 0
    ? 'none'
    : paid.map(({ lot, credits }) => `${credits} of ${lot ?? 'no lot'}`).join(' + ');
}
