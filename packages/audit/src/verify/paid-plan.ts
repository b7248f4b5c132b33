/**
 * A plan gives what it gives only where it was paid for (or where a grace says so). A hold is settled on the plan that it
 * was placed on, or on none; what is placed on a paid plan is settled so, though the plan is unpaid by then, but not once it
 * has expired. A plan that is not paid for restricts, but covers nothing by lines without limit, has no prices of its own
 * for what is beyond it, and makes no overrun the platform's (see `overruns.ts`).
 */
import type { AuditedEvent } from '../event.ts';
import type { Name } from './finding.ts';
import type { Hold } from './holds.ts';
import type { Picture, Subscribed } from './picture.ts';

interface PlanText {
  readonly id: string;
  readonly version: number;
  readonly open?: boolean | undefined;
}
interface PlannedData {
  readonly plan?: PlanText;
  readonly hold?: string;
  readonly repriced?: string;
  readonly covered?: readonly { readonly quota?: string }[];
  readonly violations?: readonly string[];
}
interface PricedFacts {
  readonly price?: { readonly factors?: readonly { readonly kind: string }[] };
}

/** Whether quotas are granted now: not while a period is unpaid, unless its grace says so. */
export const isPaidFor = ({ ended_at, status, grace_quota = 'none' }: Picture): boolean =>
  ended_at === null && (status !== 'past_due' || grace_quota !== 'none');

/** @param held the event's hold as it was before it; null where it has none */
export function checkPlan(
  event: AuditedEvent,
  current: Subscribed | null,
  held: Hold | null,
  name: Name,
): void {
  const { plan: said, hold, repriced } = event.data as PlannedData;
  switch (event.type) {
    case 'HoldPlaced': {
      const due = planInForce(current);
      if (textOf(said) !== textOf(due)) name('a hold is placed on another plan', textOf(due), textOf(said));
      return;
    }
    case 'HoldExtended': {
      if (held === null) return;
      const due = planOfHold(held, current);
      if (nameOf(said) !== nameOf(due) || (said?.open === true && due?.open !== true))
        name('a hold is extended on another plan than it was placed on', textOf(due), textOf(said));
      return;
    }
    case 'UsageCharged': {
      // What was parked is priced without a plan, whatever has been joined since.
      if (hold !== undefined && held === null) return;
      const due =
        repriced !== undefined ? null : held === null ? planInForce(current) : planOfHold(held, current);
      if (nameOf(said) !== nameOf(due)) name('a usage is charged on another plan', textOf(due), textOf(said));
      if (due?.open !== true)
        for (const benefit of benefitsOf(event))
          name('a plan that is not paid for gives something', 'nothing', benefit);
      return;
    }
    default:
  }
}

function planInForce(current: Subscribed | null): PlanText | null {
  if (current === null || current.now.ended_at !== null) return null;
  return { id: current.now.plan, version: current.now.plan_version, open: isPaidFor(current.now) };
}

/** The one that it was placed on, paid for now, or then unless it has expired since. */
function planOfHold({ terms, status, placed }: Hold, current: Subscribed | null): PlanText | null {
  const pinned: PlanText | undefined = terms.plan;
  if (pinned === undefined) return null;
  const now = planInForce(current);
  // Its own subscription goes on: it is a call on the plan as it is now.
  if (status === 'expired' && now !== null && placed > (current?.born ?? 0)) return now;
  const isOpenNow = nameOf(now) === nameOf(pinned) && now?.open === true;
  return { ...pinned, open: isOpenNow || (status === 'open' && pinned.open === true) };
}

function benefitsOf({ data, facts }: AuditedEvent): readonly string[] {
  const { covered = [], violations = [] } = data as PlannedData;
  const { price } = facts as PricedFacts;
  return [
    ...(covered.some(({ quota }) => quota === undefined) ? ['calls without limit'] : []),
    ...((price?.factors ?? []).some(({ kind }) => kind === 'overage') ? ['a price of its own'] : []),
    ...(violations.includes('quota_exhausted') ? ['an overrun'] : []),
  ];
}

const nameOf = (plan: PlanText | null | undefined): string =>
  plan == null ? 'none' : `${plan.id}, version ${plan.version}`;
const textOf = (plan: PlanText | null | undefined): string =>
  `${nameOf(plan)}${plan?.open === true ? ', paid for' : ''}`;
