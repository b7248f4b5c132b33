/** The answer to "may this call run?": the wallet's advice, with what the plan says beside it. */
import type { Advice, PlanLimits } from '@tallystick/domain';
import { type Static, Type } from 'typebox';
import { QuotaParts, quotaParts } from './answers.ts';
import type { Api } from './api.ts';
import { PROBLEMS, type ProblemCode } from './problems.ts';
import type { Rate } from './rate-limit.ts';
import { Decimal, Position } from './schemas.ts';

export const HeldTerms = Type.Object({ id: Type.String(), credits: Decimal, expires_at: Type.String() });
const Limits = Type.Object(
  {
    requests_per_minute: Type.Optional(
      Type.Object({ limit: Type.Integer(), remaining: Type.Integer(), resets_at: Type.String() }),
    ),
    concurrent: Type.Optional(Type.Object({ limit: Type.Integer(), open: Type.Integer() })),
  },
  { description: "The plan's, as they stand now; those that it does not have are left out." },
);
export const AuthorizeAnswer = Type.Object({
  allowed: Type.Boolean(),
  credits: Type.Union([Decimal, Type.Null()], {
    description: 'The price of what quotas do not cover; null where it has none.',
  }),
  available: Decimal,
  reasons: Type.Array(Type.String(), { description: 'Codes of refusals; empty where it is allowed.' }),
  quota: QuotaParts,
  cap: Type.Optional(
    Type.Object(
      { unit: Type.String(), model: Type.String(), amount: Type.String(), resets_at: Type.String() },
      {
        description: 'With `cap_reached`: which of the caps of the plan, the first where there are several.',
      },
    ),
  ),
  limits: Type.Optional(Limits),
  priority: Type.Optional(Type.String({ description: "The plan's class of service." })),
  retry_after: Type.Optional(
    Type.Integer({ description: 'Seconds until it may be different, where that is known.' }),
  ),
  hold: Type.Optional(HeldTerms),
  position: Type.Optional(Position),
});
export type AuthorizeAnswer = Static<typeof AuthorizeAnswer>;

/** What an answer says of the plan beside quotas; nothing without a plan. */
export function planPart(
  plan: PlanLimits | null,
  rate: Rate | null,
): Pick<AuthorizeAnswer, 'limits' | 'priority'> {
  if (plan === null) return {};
  const { concurrent, open, priority } = plan;
  const limits: Static<typeof Limits> = {
    ...(rate === null
      ? {}
      : {
          requests_per_minute: {
            limit: rate.limit,
            remaining: rate.remaining,
            resets_at: new Date(rate.resetsAt).toISOString(),
          },
        }),
    ...(concurrent === null ? {} : { concurrent: { limit: concurrent, open } }),
  };
  return {
    ...(rate === null && concurrent === null ? {} : { limits }),
    ...(priority === null ? {} : { priority }),
  };
}

/** @param rate of the account's plan, where it has such a limit; no point left is one more reason */
export function authorizeAnswer(
  advice: Advice,
  reasons: readonly string[],
  rate: Rate | null,
  api: Pick<Api, 'now'>,
): AuthorizeAnswer {
  const { credits, available, covered, plan, cap } = advice;
  // The way of every account that pays by credits alone.
  if (plan === null && covered.length === 0)
    return { allowed: reasons.length === 0, credits, available, reasons: [...reasons] };
  const wait = reasons.length === 0 ? null : waitOf(advice, reasons, rate, api);
  return {
    allowed: reasons.length === 0,
    credits,
    available,
    reasons: [...reasons],
    ...(covered.length === 0 ? {} : { quota: quotaParts(covered) }),
    ...(cap === null || !reasons.includes('cap_reached') ? {} : { cap }),
    ...planPart(plan, rate),
    ...(wait === null ? {} : { retry_after: wait }),
  };
}

/** The longest of what the reasons ask for: before that one of them still stands. Null where one of them names no time. */
function waitOf(
  { resetsAt }: Advice,
  reasons: readonly string[],
  rate: Rate | null,
  api: Pick<Api, 'now'>,
): number | null {
  let longest = 0;
  for (const reason of reasons) {
    const ms = msOf(reason);
    if (ms === null) return null;
    longest = Math.max(longest, ms);
  }
  return Math.max(1, Math.ceil(longest / 1000));

  function msOf(reason: string): number | null {
    switch (reason) {
      case 'rate_limited':
        return rate === null ? null : rate.resetsAt - Date.now();
      case 'quota_exhausted':
      case 'cap_reached':
        return resetsAt === null ? null : Date.parse(resetsAt) - api.now();
      case 'too_many_concurrent':
        return (PROBLEMS[reason satisfies ProblemCode].retryAfter ?? 1) * 1000;
      default:
        return null;
    }
  }
}
