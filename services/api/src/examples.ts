/**
 * One body for each route that moves credits or money, as the reference page shows it. Sent to a new ledger in this order
 * they are all accepted, and tell of one customer: prices, an account, its money, a call, a plan, a purchase.
 */
export const EXAMPLES: ReadonlyMap<string, object> = new Map<string, object>([
  [
    'PUT /v1/price-books/:name',
    {
      models: {
        'gpt-4o': {
          prices: {
            input_tokens: { credits: '2.5', per: 1_000 },
            output_tokens: { credits: '10', per: 1_000 },
          },
        },
      },
    },
  ],
  ['POST /v1/accounts', { id: 'acme', name: 'Acme Ltd', time_zone: 'Europe/Berlin', currency: 'USD' }],
  [
    'POST /v1/accounts/:id/top-ups',
    {
      credits: '1000',
      paid: { amount: '10', currency: 'USD' },
      source: 'bank',
      reference: 'transfer-4711',
    },
  ],
  ['POST /v1/accounts/:id/grants', { credits: '50', kind: 'welcome', reference: 'welcome-acme' }],
  [
    'POST /v1/usage',
    {
      id: 'call-1',
      account: 'acme',
      model: 'gpt-4o',
      usage: { input_tokens: 1_200, output_tokens: 350 },
    },
  ],
  [
    'POST /v1/authorize',
    {
      account: 'acme',
      model: 'gpt-4o',
      estimate: { input_tokens: 1_200, output_tokens: 500 },
      hold: { id: 'call-2', expires_in: 300 },
    },
  ],
  ['POST /v1/accounts/:id/holds/:hold/settle', { usage: { input_tokens: 1_180, output_tokens: 290 } }],
  [
    'PUT /v1/plans/:id',
    {
      name: 'Team',
      price: { credits: '200' },
      interval: 'month',
      grace: { days: 3, quota: 'provisional' },
      included: [{ unit: 'tokens', model: '*', amount: '100000', per: 'period' }],
      caps: [{ unit: 'calls', model: '*', amount: '1000', per: 'day' }],
      overage: 'credits',
      overage_prices: { '*': { output_tokens: { credits: '0.002', per: 1 } } },
      rate_limit_per_minute: 60,
    },
  ],
  ['POST /v1/accounts/:id/subscription', { plan: 'team', pay: 'credits', reference: 'acme-team' }],
  [
    'POST /v1/accounts/:id/quotas',
    {
      unit: 'tokens',
      model: '*',
      amount: '50000',
      expires_at: '2099-12-31T00:00:00Z',
      reason: 'an outage of ours',
      reference: 'sorry-acme-1',
    },
  ],
  [
    'PUT /v1/packages/:id',
    { name: '500 credits', credits: '500', bonus: '50', prices: [{ amount: '5', currency: 'USD' }] },
  ],
  ['PUT /v1/coupons/:code', { percent: '10', max_uses: 100, expires_at: '2099-12-31T00:00:00Z' }],
  ['POST /v1/accounts/:id/purchases', { package: 'credits-500', coupon: 'SPRING10', reference: 'order-17' }],
  [
    'POST /v1/accounts/:id/purchases/:purchase/paid',
    { paid: { amount: '4.5', currency: 'USD' }, reference: 'payment-17' },
  ],
  [
    'PUT /v1/accounts/:id/alerts',
    {
      thresholds: [
        { on: 'quota', percent: 80 },
        { on: 'balance', credits: '100' },
        { on: 'daily_spend', credits: '500' },
      ],
      email: 'owner@example.com',
    },
  ],
]);
