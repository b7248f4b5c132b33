/**
 * L14, rules 21 and 22, after every event: nothing is created or lost, free credits and debt exclude one another, no
 * stock is negative, what an event says about the balance after it is so, and the money behind credits is owed.
 */
import { emptyState, postingsOf, refold, stepsOf, sumOf, type WalletState } from '../refold.ts';
import { planMoney } from '../refold-quotas.ts';
import { broken, type Evidence, type WalletHistory } from './evidence.ts';

export function balancesAreAClosedIdentity({ wallets }: Evidence): void {
  for (const wallet of wallets) {
    const state = emptyState();
    const journal = new Map<string, bigint>();
    for (const event of wallet.events) {
      refold(state, event);
      for (const { account, unit, amount } of [...postingsOf(event).shown, ...postingsOf(event).hidden]) {
        const name = `${account} ${unit}`;
        journal.set(name, (journal.get(name) ?? 0n) + stepsOf(amount, unit));
      }
      const at = { stream: wallet.stream, revision: event.revision };
      isClosed(state, at);
      agreesWithJournal(state, wallet, journal, at);
      const { after } = event.data as { after?: { available: string; held: string } };
      if (after === undefined) continue;
      if (stepsOf(after.available) !== state.available || stepsOf(after.held) !== state.held)
        broken('an event says the balance after it', { ...at, after, available: state.available });
    }
  }
}

type At = { readonly stream: string; readonly revision: number };

function isClosed(state: WalletState, at: At): void {
  const { granted, adjusted, consumed, held, expired, available, debt, lots, holds } = state;
  if (granted + adjusted - consumed - held - expired !== available)
    broken('L14', { ...at, granted, adjusted, consumed, held, expired, available });
  const amounts = [debt, ...[...lots.values()].flatMap(({ free, pinned, paid }) => [free, pinned, paid])];
  for (const { credits, uncovered, pins, status } of holds.values()) {
    amounts.push(credits, uncovered, ...[...pins.values()].flatMap((pin) => [pin.credits, pin.paid]));
    if (status !== 'open' && credits !== 0n) broken('a closed hold holds nothing', at);
  }
  if (amounts.some((amount) => amount < 0n)) broken('no stock falls below zero', at);
  const free = sumOf([...lots.values()].map((lot) => lot.free));
  const uncovered = sumOf([...holds.values()].map((hold) => hold.uncovered));
  if (free > 0n && debt + uncovered > 0n)
    broken('free credits pay debt and cover holds at once (rule 21)', { ...at, free, debt, uncovered });
}

function agreesWithJournal(
  state: WalletState,
  { account }: WalletHistory,
  journal: ReadonlyMap<string, bigint>,
  at: At,
): void {
  const posted = (name: string): bigint => -(journal.get(name) ?? 0n);
  const { available, held } = state;
  const wallet = `liabilities:wallets:${account}`;
  if (posted(`${wallet}:available credits`) !== available) broken('the journal says what is available', at);
  if (posted(`${wallet}:held credits`) !== held) broken('the journal says what is held', at);
  for (const currency of ['USD', 'EUR']) {
    const behind = moneyBehind(state, currency);
    const owed = posted(`liabilities:deferred-revenue ${currency}`);
    if (owed !== behind)
      broken('money behind credits is deferred revenue (rule 22)', { ...at, owed, behind });
  }
}

/** Of lots, of holds' pins of them, of quotas, of holds' pins of those, and of pots (rule 22, billing rule 10). */
function moneyBehind({ lots, holds, plan }: WalletState, currency: string): bigint {
  const isIn = (lot: string): boolean => lots.get(lot)?.currency === currency;
  const free = [...lots.values()].filter((lot) => lot.currency === currency).map(({ paid }) => paid);
  const pinned = [...holds.values()].flatMap(({ pins }) =>
    [...pins].filter(([lot]) => isIn(lot)).map(([, { paid }]) => paid),
  );
  return sumOf([...free, ...pinned, planMoney(plan, currency)]);
}
