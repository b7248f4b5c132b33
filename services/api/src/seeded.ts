/**
 * What a ledger offers from its first start, so that there is something to subscribe to and to buy: the plans and packages
 * of the documents that this product was asked for in. Each is published once, where nothing of its id is there yet; what
 * somebody has edited is theirs. `LEDGER_SEED_CATALOGUES=0` leaves a new ledger empty.
 */
import {
  type Catalogues,
  type Decider,
  type PackageTerms,
  type PlanTerms,
  packageDecider,
  planDecider,
  TOKEN_DIMENSIONS,
} from '@tallystick/domain';
import type { Runner } from '@tallystick/event-store';

const MONTHLY = { interval: 'month', anchor: 'subscription' } as const;

/** Three sizes of a gateway's plan. At 100 credits to the dollar, `extraToken` is 0.00002, 0.00015 and 0.0001 USD. */
function tokenPlan(
  terms: Pick<PlanTerms, 'name' | 'description' | 'features' | 'support_level' | 'display_order'> & {
    readonly tokens: string;
    readonly usd: string;
    readonly extraToken: string;
    readonly concurrent: number;
    readonly perMinute: number;
  },
): PlanTerms {
  const { tokens, usd, extraToken, concurrent, perMinute, ...rest } = terms;
  const price = { credits: extraToken, per: 1 };
  return {
    ...rest,
    ...MONTHLY,
    price: { amount: usd, currency: 'USD' },
    included: [{ unit: 'tokens', model: '*', amount: tokens, per: 'period' }],
    overage: 'credits',
    overage_prices: { '*': Object.fromEntries(TOKEN_DIMENSIONS.map((dimension) => [dimension, price])) },
    max_concurrent_requests: concurrent,
    rate_limit_per_minute: perMinute,
  };
}

/** Video generation: so many videos a month, one call each, and credits for more. 1 CNY stands for 1 credit there. */
function videoPlan(
  terms: Pick<PlanTerms, 'name' | 'features' | 'display_order'> & {
    readonly videos: string;
    readonly cny: string;
    /** Null: there is nothing beyond. */
    readonly extraVideo: string | null;
  },
): PlanTerms {
  const { videos, cny, extraVideo, ...rest } = terms;
  const prices = { overage_prices: { '*': { calls: { credits: extraVideo ?? '0', per: 1 } } } };
  return {
    ...rest,
    ...MONTHLY,
    price: { amount: cny, currency: 'CNY' },
    included: [{ unit: 'calls', model: '*', amount: videos, per: 'period' }],
    overage: 'credits',
    ...(extraVideo === null ? {} : prices),
  };
}

export const SEEDED_PLANS: Readonly<Record<string, PlanTerms>> = {
  'plan-basic': tokenPlan({
    name: 'Basic',
    description: 'Perfect for getting started',
    features: ['Up to 100K tokens per month', 'Email support', 'Basic API access'],
    tokens: '100000',
    usd: '9.99',
    extraToken: '0.002',
    support_level: 'email',
    concurrent: 5,
    perMinute: 60,
    display_order: 1,
  }),
  'plan-pro': tokenPlan({
    name: 'Pro',
    description: 'For professionals',
    // The discount is in the price of a further token already.
    features: [
      'Up to 1M tokens per month',
      'Priority email support',
      'Advanced API access',
      '10% discount on overage',
    ],
    tokens: '1000000',
    usd: '99.99',
    extraToken: '0.015',
    support_level: 'priority',
    concurrent: 20,
    perMinute: 300,
    display_order: 2,
  }),
  'plan-enterprise': tokenPlan({
    name: 'Enterprise',
    description: 'For large organizations',
    features: ['Up to 10M tokens per month', '24/7 phone support', 'Dedicated account manager'],
    tokens: '10000000',
    usd: '999.99',
    extraToken: '0.01',
    support_level: 'dedicated',
    concurrent: 100,
    perMinute: 1_000,
    display_order: 3,
  }),
  // Their quotas are renewed on the first of the month.
  free: {
    name: 'Free',
    features: ['100 API calls per month', 'Basic models', 'Community support', 'Monthly usage report'],
    price: { credits: '0' },
    interval: 'month',
    anchor: 'calendar',
    included: [{ unit: 'calls', model: '*', amount: '100', per: 'month' }],
    overage: 'refuse',
    support_level: 'community',
    display_order: 11,
  },
  pro: {
    name: 'Pro',
    features: [
      '5,000 API calls per month',
      'Advanced models',
      'Priority support',
      'Real-time usage monitoring',
      'Custom quotas',
    ],
    price: { amount: '29', currency: 'USD' },
    interval: 'month',
    anchor: 'calendar',
    included: [{ unit: 'calls', model: '*', amount: '5000', per: 'month' }],
    overage: 'credits',
    support_level: 'priority',
    display_order: 12,
  },
  enterprise: {
    name: 'Enterprise',
    features: [
      'Unlimited API calls',
      'All models',
      'Dedicated support',
      'SLA',
      'Custom features',
      'Team collaboration',
    ],
    price: { amount: '99', currency: 'USD' },
    interval: 'month',
    anchor: 'calendar',
    included: [{ unit: 'calls', model: '*', amount: 'unlimited', per: 'month' }],
    overage: 'credits',
    support_level: 'dedicated',
    display_order: 13,
  },
  'video-basic': videoPlan({
    name: 'Video Basic',
    features: ['10 videos per month', 'Up to 10 seconds each'],
    videos: '10',
    cny: '99',
    extraVideo: '15',
    display_order: 21,
  }),
  'video-pro': videoPlan({
    name: 'Video Pro',
    features: ['50 videos per month', 'Up to 25 seconds each'],
    videos: '50',
    cny: '299',
    extraVideo: '10',
    display_order: 22,
  }),
  'video-enterprise': videoPlan({
    name: 'Video Enterprise',
    features: ['Unlimited videos', 'Up to 25 seconds each'],
    videos: 'unlimited',
    cny: '999',
    extraVideo: null,
    display_order: 23,
  }),
};

const usd = (amount: string) => [{ amount, currency: 'USD' }];

export const SEEDED_PACKAGES: Readonly<Record<string, PackageTerms>> = {
  starter: { name: 'Starter Pack', credits: '1000', prices: usd('10'), display_order: 1 },
  pro: { name: 'Pro Pack', credits: '10000', prices: usd('90'), display_order: 2 },
  enterprise: { name: 'Enterprise Pack', credits: '100000', prices: usd('800'), display_order: 3 },
  'free-amount': {
    name: 'Any amount',
    rate: { credits: '100', currency: 'USD' },
    volume_bonus: [{ from: '100', percent: '10' }],
    display_order: 4,
  },
};

const PATIENCE_MS = 30_000;
const CAUSE = { actor: 'first-start', request: '' };
const FIRST = { key: null, fingerprint: null, onlyFirst: true } as const;

/**
 * Publishes what is not there. Two first starts make one: each publishes only on a stream that has no version, and of two
 * at once the store lets one append through.
 * @param now of the clock that deadlines go by
 */
export async function seedCatalogues(
  runner: Runner<Catalogues>,
  known: Catalogues,
  now: () => number = Date.now,
): Promise<void> {
  const plans = Object.entries(SEEDED_PLANS)
    .filter(([id]) => known.plans.latest(id) === undefined)
    .map(([id, terms]) => ({
      id,
      command: { type: 'PublishPlan', terms, effectiveFrom: null, ...FIRST } as const,
      cause: CAUSE,
    }));
  const packages = Object.entries(SEEDED_PACKAGES)
    .filter(([id]) => known.packages.latest(id) === undefined)
    .map(([id, terms]) => ({
      id,
      command: { type: 'PublishPackage', terms, ...FIRST } as const,
      cause: CAUSE,
    }));
  const deadline = now() + PATIENCE_MS;
  await Promise.all([
    runner.execute(planDecider, plans, deadline).then(assertDone(planDecider)),
    runner.execute(packageDecider, packages, deadline).then(assertDone(packageDecider)),
  ]);
}

type Outcomes = Awaited<ReturnType<Runner<Catalogues>['execute']>>;

function assertDone({ category }: Pick<Decider<never, never, never, never>, 'category'>) {
  return (outcomes: Outcomes): void => {
    const all = outcomes === 'queue_full' ? [{ status: outcomes }] : outcomes;
    const undone = all.find(({ status }) => status !== 'recorded' && status !== 'unchanged');
    if (undone === undefined) return;
    const why = 'reason' in undone ? undone.reason : undone.status;
    throw new Error(`what is offered from the first start could not be published (${category}): ${why}`);
  };
}
