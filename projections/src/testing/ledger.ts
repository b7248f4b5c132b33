/** A small ledger for tests: a store, the real runner and deciders, and a clock that the test moves. */
import {
  apiKeyDecider,
  type Catalogues,
  compileBook,
  type Decider,
  type DomainEvent,
  genesisDecider,
  keys,
  NO_CATALOGUES,
  type PlanTerms,
  type PriceBookContent,
  profileDecider,
  type Wallet,
  type WalletCommand,
  type WalletEvent,
  type WalletRefusal,
  walletDecider,
} from '@tallystick/domain';
import { createRunner, type EventStore, type Executed, type KeyIndex } from '@tallystick/event-store';

export type Store = EventStore & KeyIndex;
export type WalletAnswer = Executed<Wallet, WalletEvent, WalletRefusal>;
/** A command without the fields that a test leaves to the ledger. */
export type Plain<C> = C extends unknown ? Omit<C, 'key' | 'fingerprint'> : never;

export interface TestLedger {
  readonly store: Store;
  now(): number;
  advance(ms: number): void;
  /** From now on these prices are in force. */
  publish(content: PriceBookContent): void;
  publishPlan(id: string, terms: PlanTerms): void;
  catalogues(): Catalogues;
  run(account: string, ...commands: Plain<WalletCommand>[]): Promise<readonly WalletAnswer[]>;
  open(account: string, overdraft?: string): Promise<void>;
  setProfile(account: string, name: string, metadata: object): Promise<void>;
  createKey(id: string): Promise<void>;
  revokeKey(id: string): Promise<void>;
  wallet(account: string): Promise<{ state: Readonly<Wallet>; revision: number }>;
}

const CAUSE = { actor: 'test', request: 'test' };
export const CREDIT = 1_000_000n;

/** Two models by call, one of them at a cost; odd fractions, so that money does not divide evenly. */
export const BOOK: PriceBookContent = {
  credit_value: { amount: '0.01', currency: 'USD' },
  models: {
    plain: { round_to: '0.5', prices: { calls: { credits: '1', per: 1 } } },
    'maker/costly': {
      supplier: 'Maker & Co',
      round_to: '0.000001',
      prices: { calls: { cost: { amount: '0.0137', currency: 'USD' }, per: 1, markup: '0.31' } },
    },
  },
};

export async function openTestLedger(store: Store, storeId = 'store-1'): Promise<TestLedger> {
  let now = Date.parse('2026-03-01T12:00:00.000Z');
  let catalogues = NO_CATALOGUES;
  let version = 0;
  const catalogue = { current: () => catalogues, fresh: async () => catalogues };
  const runner = createRunner({
    store,
    keyIndex: store,
    snapshots: { read: async () => null },
    catalogue,
    now: () => now,
    // Histories of many months in one process: the tests move the clock by days.
    limits: { clockAheadMs: Number.MAX_SAFE_INTEGER },
  });

  async function execute<
    S,
    C extends { key: string | null; fingerprint: string | null },
    E extends DomainEvent,
    R,
  >(
    decider: Decider<S, C, E, R, Catalogues>,
    id: string,
    commands: readonly C[],
  ): Promise<readonly Executed<S, E, R>[]> {
    const orders = commands.map((command) => ({ id, command, cause: CAUSE }));
    const answers = await runner.execute(decider, orders, now + 60_000);
    if (answers === 'queue_full') throw new Error('the queue is full');
    return answers;
  }

  const ledger: TestLedger = {
    store,
    now: () => now,
    advance: (ms) => {
      now += ms;
    },
    publish(content) {
      version += 1;
      const compiled = compileBook(content);
      if (!compiled.ok) throw new Error(`the book does not compile: ${JSON.stringify(compiled)}`);
      const { models } = compiled;
      const published = { name: 'default', version, effectiveFrom: now, content, models };
      catalogues = { ...catalogues, books: catalogues.books.with(published) };
    },
    publishPlan(id, terms) {
      const version = (catalogues.plans.latest(id)?.version ?? 0) + 1;
      catalogues = {
        ...catalogues,
        plans: catalogues.plans.with({ id, version, effectiveFrom: now, terms }),
      };
    },
    catalogues: () => catalogues,
    run: (account, ...commands) => execute(walletDecider, account, commands.map(keyed)),
    async open(account, overdraft = '0') {
      const terms = { price_book: null, overdraft_limit: overdraft, time_zone: 'UTC', currency: null };
      await ledger.run(account, { type: 'OpenAccount', terms });
    },
    async setProfile(account, name, metadata) {
      await execute(profileDecider, account, [
        { type: 'SetProfile', name, metadata, key: null, fingerprint: null },
      ]);
    },
    async createKey(id) {
      const terms = { id, name: `key ${id}`, scopes: ['read' as const], account: null };
      const command = { type: 'CreateApiKey' as const, terms, sha256: 'x', key: null, fingerprint: null };
      await execute(apiKeyDecider, id, [command]);
    },
    async revokeKey(id) {
      await execute(apiKeyDecider, id, [{ type: 'RevokeApiKey', key: null, fingerprint: null }]);
    },
    wallet: (account) => runner.peek(walletDecider, account),
  };
  await execute(genesisDecider, 'genesis', [{ type: 'OpenLedger', storeId, key: null, fingerprint: null }]);
  ledger.publish(BOOK);
  return ledger;
}

/** The keys that the API gives its commands. */
function keyed(command: Plain<WalletCommand>): WalletCommand {
  const fingerprint = JSON.stringify(command, (_, value) =>
    typeof value === 'bigint' ? String(value) : value,
  );
  return { ...command, key: keyOf(command), fingerprint } as WalletCommand;
}

/** As the API's routes make them (rule 13). */
export function keyOf(command: Plain<WalletCommand>): string | null {
  switch (command.type) {
    case 'OpenAccount':
      return keys.open;
    case 'TopUpCredits':
      return keys.topUp(command.source, command.reference);
    case 'GrantCredits':
      return keys.grant(command.kind, command.reference);
    case 'AdjustCredits':
      return keys.adjust(command.reference);
    case 'ChargeUsage':
      return keys.usage(command.source, command.id);
    case 'RepriceUsage':
      return keys.reprice(command.source, command.id);
    case 'PlaceHold':
      return keys.hold(command.hold);
    case 'SettleHold':
      return keys.settle(command.hold);
    case 'VoidHold':
      return keys.void(command.hold);
    case 'ReverseEntry':
      return keys.reverse(command.revision);
    case 'Subscribe':
      return keys.subscribe(command.reference);
    case 'ChangePlan':
      return keys.changePlan(command.reference);
    case 'CancelSubscription':
      return keys.cancelSubscription(command.reference);
    case 'RecordSubscriptionPayment':
      return keys.subscriptionPayment(command.reference);
    case 'ExpandQuota':
      return keys.expandQuota(command.reference);
    case 'OpenPurchase':
      return keys.purchase(command.id);
    case 'RecordPurchasePayment':
    case 'ResolveAutoTopUp':
      return keys.purchasePayment(command.reference);
    case 'ApplyCoupon':
      return 'credits' in command.terms ? keys.couponGrant(command.code) : null;
    case 'AccrueReferral':
      return keys.referral(command.from, command.revision);
    case 'ClawBackReferral':
      return keys.referralClawBack(command.from, command.revision);
    case 'LinkReferral':
    case 'CancelPurchase':
    case 'ForgetCoupon':
    case 'SetAutoTopUp':
    case 'SetAlerts':
    case 'ChangeAccount':
    case 'ResumeSubscription':
    case 'ExtendHold':
    case 'FreezeAccount':
    case 'UnfreezeAccount':
    case 'CarryOutDues':
      return null;
  }
}
