/**
 * A hold that is open no more, looked up in the stream: how it ended, and how it was placed last. An expired hold may be
 * placed anew by extending it, any number of times; each time claims a key, so that the last one is found.
 */
import { keys } from '../ids.ts';
import type { WalletContext } from './booked.ts';
import type { HoldTerms } from './events.ts';
import { birthOf, type Hold, type Wallet } from './state.ts';
import { isInForce } from './subscription/state.ts';

export interface ClosedHold {
  /** As it was placed last, and for how long. */
  readonly terms: HoldTerms;
  readonly lifetimeMs: number;
  /** Revision at which it was placed first. */
  readonly placed: number;
  /** How often it was placed anew. */
  readonly again: number;
}

/** Keys that tell all of it; null where none of them is unknown. Ever more at once: there may be very many. */
export function unknownOfClosed(hold: string, { facts }: WalletContext): readonly string[] | null {
  const again = timesPlacedAgain(hold, facts);
  const asked = [keys.settle(hold), keys.void(hold), keys.hold(hold)];
  for (let times = 1; times <= 2 * again + 1; times += 1) asked.push(keys.holdAgain(hold, times));
  return asked.every((key) => facts.has(key)) ? null : asked;
}

function timesPlacedAgain(hold: string, facts: WalletContext['facts']): number {
  let times = 0;
  while (facts.get(keys.holdAgain(hold, times + 1)) != null) times += 1;
  return times;
}

/** Null: it was never placed. */
export function closedHold(hold: string, { facts }: WalletContext): ClosedHold | null {
  const placed = facts.get(keys.hold(hold));
  if (placed?.type !== 'HoldPlaced') return null;
  const again = timesPlacedAgain(hold, facts);
  const extended = facts.get(keys.holdAgain(hold, again));
  const last = extended?.type === 'HoldExtended' ? extended : placed;
  const lifetimeMs = Date.parse(last.data.expires_at) - last.recordedAt;
  return { terms: last.data, lifetimeMs, placed: placed.revision, again };
}

/**
 * A hold that has expired reserves nothing any more. While its subscription goes on it is a call on the plan as it is now;
 * else the plan's restrictions and price book stay, but not what the plan gives: it could be left, its price given back,
 * and its benefits had afterwards.
 */
export function planOfClosed(
  { subscription }: Wallet,
  { terms: { plan }, placed }: ClosedHold,
): Hold['plan'] {
  if (plan === undefined) return null;
  if (isInForce(subscription) && placed > (birthOf(subscription.now.id) ?? 0))
    return { id: subscription.now.plan, version: subscription.now.plan_version };
  return { id: plan.id, version: plan.version };
}
