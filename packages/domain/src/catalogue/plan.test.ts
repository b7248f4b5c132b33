import { test } from 'tap';
import type { PlanTerms } from '../plans/terms.ts';
import { NO_CATALOGUES } from './catalogues.ts';
import { type PlanPublished, type PublishPlan, planDecider } from './plan.ts';

const NOW = Date.parse('2026-03-01T12:00:00Z');
const BASIC: PlanTerms = {
  name: 'Basic',
  price: { credits: '10' },
  interval: 'month',
  anchor: 'subscription',
  included: [],
  overage: 'credits',
};
const PRO: PlanTerms = { ...BASIC, name: 'Pro' };
const publish = (terms: PlanTerms, more: Partial<PublishPlan> = {}): PublishPlan => ({
  type: 'PublishPlan',
  key: null,
  fingerprint: null,
  terms,
  effectiveFrom: null,
  ...more,
});

function after(...commands: readonly PublishPlan[]): { events: PlanPublished['data'][]; outcomes: string[] } {
  const state = planDecider.initial('basic');
  const events: PlanPublished['data'][] = [];
  const context = { now: NOW, catalogue: NO_CATALOGUES, catalogueIsFresh: true, facts: new Map() };
  const outcomes = commands.map((command) => {
    const decision = planDecider.decide(state, command, context);
    if (decision.kind === 'refused') return decision.refusal.code;
    if (decision.kind !== 'accepted') return decision.kind;
    for (const event of decision.events) {
      planDecider.evolve(state, event, events.length);
      events.push(event.data);
    }
    return decision.kind;
  });
  return { events, outcomes };
}

test('a version is in force from now on unless it says later', async (t) => {
  const later = NOW + 1_000;
  const { events } = after(publish(BASIC), publish(PRO, { effectiveFrom: later }));
  t.same(events, [
    { id: 'basic', version: 1, effective_from: '2026-03-01T12:00:00.000Z', terms: BASIC },
    { id: 'basic', version: 2, effective_from: '2026-03-01T12:00:01.000Z', terms: PRO },
  ]);
});

test('"the same content" is that of the latest version only: A, A, B, A makes three versions', async (t) => {
  const { outcomes, events } = after(publish(BASIC), publish({ ...BASIC }), publish(PRO), publish(BASIC));
  t.same(outcomes, ['accepted', 'unchanged', 'accepted', 'accepted']);
  t.same(
    events.map(({ version }) => version),
    [1, 2, 3],
  );
});

test('nothing is dated back; what was published for a time that has come since may be sent again', async (t) => {
  const past = { effectiveFrom: NOW - 1 };
  t.same(after(publish(BASIC, past)).outcomes, ['effective_from_in_past']);
  t.same(after(publish(BASIC, { effectiveFrom: NOW })).outcomes, ['accepted']);
  const state = { ...planDecider.initial('basic'), version: 1, terms: BASIC };
  state.effectiveFrom = new Date(NOW - 1).toISOString();
  const context = { now: NOW, catalogue: NO_CATALOGUES, catalogueIsFresh: true, facts: new Map() };
  t.match(planDecider.decide(state, publish(BASIC, past), context), { kind: 'unchanged' });
});

test('what a ledger is born with never overwrites a plan', async (t) => {
  const { outcomes } = after(publish(BASIC), publish(PRO, { onlyFirst: true }));
  t.same(outcomes, ['accepted', 'unchanged']);
  t.same(after(publish(PRO, { onlyFirst: true })).outcomes, ['accepted']);
});
