/** A wallet as text and back. Changing this shape, or what `evolve` does, raises the decider's fold version. */
import { nextDueAt } from './evolve.ts';
import type { Hold, Lot, Wallet } from './state.ts';

/** Bigints as `"123n"`: nothing else in a wallet looks like that at these places. */
const BIGINT = /^-?\d+n$/;

interface Frozen extends Omit<Wallet, 'holds' | 'frozen' | 'nextDueAt' | 'lots'> {
  readonly lots: Lot[];
  readonly holds: Hold[];
  readonly frozen: [string, string][];
}

/** The members that hold amounts; ids and texts are never looked at, so none can be mistaken for one. */
const AMOUNTS = new Set([
  'overdraftLimit',
  'debt',
  'available',
  'held',
  'granted',
  'adjusted',
  'consumed',
  'expired',
  'withdrawn',
  'withdrawable',
  'quantity',
  'paidInAll',
  'free',
  'paid',
  'pinned',
  'credits',
  'uncovered',
]);

export function freezeWallet(wallet: Wallet): string {
  const { holds, frozen, nextDueAt: _derived, ...rest } = wallet;
  const whole = { ...rest, holds: [...holds.values()], frozen: [...frozen] };
  return JSON.stringify(whole, (_name, value: unknown) => (typeof value === 'bigint' ? `${value}n` : value));
}

export function thawWallet(_account: string, text: string): Wallet {
  const frozen = JSON.parse(text, (name, value: unknown) =>
    AMOUNTS.has(name) && typeof value === 'string' && BIGINT.test(value) ? BigInt(value.slice(0, -1)) : value,
  ) as Frozen;
  const { holds, frozen: freezes, ...rest } = frozen;
  const wallet: Wallet = {
    ...rest,
    holds: new Map(holds.map((hold) => [hold.id, hold])),
    frozen: new Map(freezes),
    nextDueAt: 0,
  };
  wallet.nextDueAt = nextDueAt(wallet);
  return wallet;
}
