/** What is left when a world has come to rest: the events, the answers, the rows. Checkers only read it. */
import {
  type CouponEvent,
  type DomainEvent,
  type PlanPublished,
  type PlanTerms,
  type WalletEvent,
  walletStream,
} from '@tallystick/domain';
import { decodeEvent, type RecordedEvent, type StoredEvent, splitStream } from '@tallystick/event-store';
import type { Attempt } from '../history.ts';
import type { World } from '../world.ts';

/** Of one wallet: each event as it is stored, and read. */
export interface WalletHistory {
  readonly account: string;
  readonly stream: string;
  readonly recorded: readonly RecordedEvent[];
  readonly events: readonly StoredEvent<WalletEvent>[];
  /** The attempt that made each event; of dues and the like, ''. */
  readonly requests: readonly string[];
}

export interface Evidence {
  readonly world: World;
  readonly attempts: readonly Attempt[];
  readonly log: readonly RecordedEvent[];
  readonly wallets: readonly WalletHistory[];
  readonly plans: readonly StoredEvent<PlanPublished>[];
  /** By code. */
  readonly coupons: ReadonlyMap<string, readonly StoredEvent<CouponEvent>[]>;
}

export type Check = (evidence: Evidence) => void | Promise<void>;

const ALL = 1_000_000;

export async function gather(world: World): Promise<Evidence> {
  const { events: log } = await world.store.readAll({ after: null, limit: ALL });
  const wallets = world.accounts.map((account): WalletHistory => {
    const stream = walletStream(account);
    const recorded = log.filter((event) => event.stream === stream);
    return {
      account,
      stream,
      recorded,
      events: recorded.map((event) => decodeEvent<DomainEvent>(event) as StoredEvent<WalletEvent>),
      requests: recorded.map(({ meta }) => (JSON.parse(meta) as { request: string }).request),
    };
  });
  const plans = log
    .filter(({ stream }) => splitStream(stream).category === 'plan')
    .map((event) => decodeEvent<PlanPublished>(event));
  const ofCoupons = log.filter(({ stream }) => splitStream(stream).category === 'coupon');
  const coupons = new Map(
    [...Map.groupBy(ofCoupons, ({ stream }) => splitStream(stream).id)].map(([code, events]) => [
      code,
      events.map((event) => decodeEvent<CouponEvent>(event)),
    ]),
  );
  return { world, attempts: world.history.attempts, log, wallets, plans, coupons };
}

export function broken(rule: string, detail: unknown): never {
  const text = JSON.stringify(detail, (_, value) => (typeof value === 'bigint' ? `${value}` : value));
  throw new Error(`broken: ${rule}: ${text}`);
}

export function historyOf({ wallets }: Evidence, account: string): WalletHistory {
  const found = wallets.find((wallet) => wallet.account === account);
  if (found === undefined) throw new Error(`${account} is not simulated`);
  return found;
}

/** What was published as this version of the plan. */
export function termsOf({ plans }: Evidence, id: string, version: number): PlanTerms {
  const found = plans.find(({ data }) => data.id === id && data.version === version);
  return found?.data.terms ?? broken('what is subscribed to was published', { id, version });
}
