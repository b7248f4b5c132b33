/** A wallet as text and back. Changing this shape, or what `evolve` does, raises the decider's fold version. */
import { nextDueAt } from './evolve.ts';
import { freeCredits, type Hold, type Lot, type Wallet } from './state.ts';

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
  'used',
  'owed',
  'spent',
]);

export function freezeWallet(wallet: Wallet): string {
  const { holds, frozen, nextDueAt: _derived, ...rest } = wallet;
  const whole = { ...rest, holds: [...holds.values()], frozen: [...frozen] };
  return JSON.stringify(whole, (_name, value: unknown) => (typeof value === 'bigint' ? `${value}n` : value));
}

export function thawWallet(account: string, text: string): Wallet {
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
  assertSound(wallet, account);
  wallet.nextDueAt = nextDueAt(wallet);
  return wallet;
}

/**
 * What holds of every wallet must hold of its text, or decisions would spend credits that are not there. Whoever loads a
 * wallet folds its events instead; the sums that do hold together say nothing about single lots, which verifying does.
 */
function assertSound(wallet: Wallet, account: string): void {
  const { totals, lots, holds } = wallet;
  const { available, held, granted, adjusted, consumed, expired, withdrawn, debt } = totals;
  const assert = (isSo: boolean, rule: string): void => {
    if (!isSo) throw new Error(`the snapshot of ${account} is damaged: ${rule}`);
  };
  const stocks = [debt, ...lots.flatMap(({ free, paid, pinned }) => [free, paid, pinned])];
  let uncovered = 0n;
  let heldInAll = 0n;
  for (const hold of holds.values()) {
    stocks.push(hold.uncovered, ...hold.pins.flatMap(({ credits, paid }) => [credits, paid]));
    uncovered += hold.uncovered;
    heldInAll += hold.credits;
  }
  assert(wallet.account === account, 'it is of this account');
  assert(!stocks.some((stock) => stock < 0n), 'no stock is below zero');
  assert(
    freeCredits(wallet) - debt - uncovered === available,
    'available is what is free, less debt (rule 21)',
  );
  assert(heldInAll === held, 'held is the sum of open holds');
  assert(granted + adjusted - consumed - held - expired - withdrawn === available, 'L14');
}
