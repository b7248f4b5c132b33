/** Catalogues, webhook endpoints and a clock that is moved, each in its stream, through the real deciders. */
import {
  type CommandKey,
  couponDecider,
  couponOrders,
  type Decider,
  type DomainEvent,
  packageDecider,
  planDecider,
  testClockDecider,
  webhookEndpointDecider,
} from '@tallystick/domain';
import { createRunner } from '@tallystick/event-store';
import type { TestLedger } from '@tallystick/projections/testing';
import { HYBRID, LARGE } from './subscribed.ts';

const NO_KEY = { key: null, fingerprint: null } as const;

export async function publishThrough({ store, now }: TestLedger): Promise<void> {
  const runner = createRunner<null>({
    store,
    keyIndex: store,
    snapshots: { read: async () => null },
    catalogue: { current: () => null, fresh: async () => null },
    now,
  });
  async function run<S, C extends CommandKey, E extends DomainEvent, R>(
    decider: Decider<S, C, E, R, null>,
    id: string,
    ...commands: readonly C[]
  ): Promise<void> {
    for (const command of commands) {
      const order = { id, command, cause: { actor: 'test', request: '' } };
      const answers = await runner.execute(decider, [order], now() + 60_000);
      if (answers === 'queue_full' || answers.some(({ status }) => status !== 'recorded'))
        throw new Error(`${id}: ${JSON.stringify(command)} was not recorded`);
    }
  }
  const publish = { type: 'PublishPlan', effectiveFrom: null, ...NO_KEY } as const;
  await run(planDecider, 'hybrid', { ...publish, terms: HYBRID }, { ...publish, terms: LARGE });
  const terms = { credits: '1000', prices: [{ amount: '10', currency: 'USD' }] };
  await run(packageDecider, 'pro', { type: 'PublishPackage', terms, ...NO_KEY });
  const use = (purchase: string) => ({ account: 'acme', purchase });
  await run(
    couponDecider,
    'TENTH',
    couponOrders.publish({ percent: '10', max_uses_per_account: 1 }),
    couponOrders.reserve({ ...use('p1'), expiresAt: now() + 60_000 }),
    couponOrders.confirm(use('p1')),
    couponOrders.return(use('p1')),
    couponOrders.reserve({ ...use('p2'), expiresAt: now() + 60_000 }),
    couponOrders.release(use('p2')),
  );
  const endpoint = {
    id: 'w1',
    url: 'https://example.org/hook',
    events: ['*'],
    scope: 'owner',
    account: null,
  } as const;
  await run(
    webhookEndpointDecider,
    'w1',
    { type: 'CreateWebhookEndpoint', terms: endpoint, ...NO_KEY },
    { type: 'ChangeWebhookEndpoint', change: { paused: 'by_hand' }, ...NO_KEY },
    { type: 'RotateWebhookSecret', previousExpiresAt: now() + 60_000, ...NO_KEY },
    { type: 'DeleteWebhookEndpoint', ...NO_KEY },
  );
  const to = now() + 3_600_000;
  await run(
    testClockDecider,
    'ledger',
    { type: 'BeginAdvance', asked: { to }, realNow: now(), ...NO_KEY },
    { type: 'MoveTestClock', to, realNow: now(), ...NO_KEY },
    { type: 'EndAdvance', to, ...NO_KEY },
  );
}
