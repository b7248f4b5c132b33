/**
 * Plans as they are published, version by version: limits so small that a few calls reach them, windows of every length,
 * both ways of paying, every kind of grace, a hard stop.
 */
import type { PlanTerms } from '@tallystick/domain';

export const PLANS = ['small', 'large', 'strict', 'paid', 'free'] as const;
export type PlanId = (typeof PLANS)[number];

/** What new accounts start with, where it is published at all. */
export const DEFAULT_PLAN: PlanId = 'free';

/** Of each version another price and other amounts: prices and shares of them do not divide evenly. */
export function planTerms(id: PlanId, version: number): PlanTerms {
  const amount = (base: number): string => `${base + (version % 2 === 0 ? 3 : 0)}`;
  switch (id) {
    case 'small':
      return {
        name: 'Small',
        price: { credits: `${9 + version}` },
        interval: 'week',
        anchor: 'subscription',
        trial_days: 2,
        grace: { days: 2, quota: 'provisional' },
        included: [
          { unit: 'calls', model: '*', amount: amount(6), per: 'day' },
          { unit: 'tokens', model: 'talk', amount: amount(40), per: 'period' },
        ],
        caps: [
          { unit: 'calls', model: '*', amount: amount(13), per: 'day' },
          { unit: 'tokens', model: 'talk', amount: '60', per: 'period' },
        ],
        overage: 'credits',
        overage_multiplier: '1.5',
        max_concurrent_requests: 2,
        refund_on_cancel: true,
      };
    case 'large':
      return {
        name: 'Large',
        price: { credits: `${22 + version}` },
        interval: 'week',
        anchor: 'subscription',
        grace: { days: 1, quota: 'none' },
        included: [
          { unit: 'calls', model: '*', amount: amount(14), per: 'day' },
          { unit: 'calls', model: 'plain', amount: '7', per: 'period' },
          { unit: 'tokens', model: 'talk', amount: amount(90), per: 'period' },
          { unit: 'tokens', model: '*', amount: '30', per: 'week', counted_dimensions: ['output_tokens'] },
        ],
        caps: [
          { unit: 'calls', model: '*', amount: '21', per: 'day' },
          { unit: 'calls', model: 'fine', amount: '3', per: 'week' },
        ],
        overage: 'credits',
        max_concurrent_requests: 3,
        refund_on_cancel: true,
      };
    case 'strict':
      return {
        name: 'Strict',
        price: { credits: `${4 + version}` },
        interval: 'month',
        anchor: 'calendar',
        included: [
          { unit: 'calls', model: '*', amount: amount(9), per: 'day' },
          { unit: 'calls', model: 'fine', amount: '4', per: 'week' },
        ],
        caps: [{ unit: 'calls', model: 'fine', amount: '6', per: 'month' }],
        overage: 'refuse',
        allowed_models: ['plain', 'fine', 'talk'],
      };
    case 'paid':
      return {
        name: 'Paid',
        price: { amount: '12.5', currency: 'EUR' },
        interval: 'week',
        anchor: 'subscription',
        grace: { days: 3, quota: 'full' },
        included: [
          { unit: 'calls', model: '*', amount: amount(8), per: 'day' },
          { unit: 'tokens', model: '*', amount: amount(70), per: 'period' },
        ],
        overage: 'credits',
        overage_prices: { talk: { input_tokens: { credits: '0.7', per: 1 } } },
      };
    case 'free':
      return {
        name: 'Free',
        price: { credits: '0' },
        interval: 'week',
        anchor: 'subscription',
        included: [{ unit: 'calls', model: '*', amount: amount(3), per: 'day' }],
        caps: [{ unit: 'calls', model: '*', amount: '9', per: 'day' }],
        overage: 'credits',
        default_plan: true,
      };
  }
}
