/**
 * Whether an event agrees with itself about quotas: what is born with what is granted, its entry with its moves, and what
 * it says is covered with what it takes. Units stand with the births, which are other events': here all are added up.
 */
import { stepsOf, textOf } from '../decimal.ts';
import type { QuotaMoveText } from '../event.ts';
import { type AccountedEvent, isQuotaUnit } from '../verify/accounted.ts';
import type { Name } from './amounts.ts';

interface QuotasText {
  readonly granted?: readonly { readonly quota: string; readonly quantity: string }[];
  readonly moves: readonly QuotaMoveText[];
}

/** Places, and the account that each is; `hold:` stands for all holds. */
const ACCOUNTS = [
  ['granted', /^equity:quotas:granted$/],
  ['used', /^equity:quotas:used$/],
  ['expired', /^equity:quotas:lapsed$/],
  ['free', /^liabilities:wallets:[^:]+:quotas$/],
  ['hold:', /^liabilities:wallets:[^:]+:quotas-held$/],
] as const;

export function checkQuotas(event: AccountedEvent, name: Name): void {
  const quotas = event.data.quotas as QuotasText | undefined;
  const legs = event.legs.filter(({ unit }) => isQuotaUnit(unit));
  if (quotas === undefined && legs.length === 0) return;
  const { granted = [], moves } = quotas ?? { moves: [] };
  for (const { quota, quantity } of granted) {
    const moved = entered(moves, 'granted', quota);
    if (moved !== -stepsOf(quantity))
      name(`the moves do not grant what is born of ${quota}`, quantity, textOf(-moved));
  }
  for (const { quota, from } of moves)
    if (from === 'granted' && !granted.some((born) => born.quota === quota))
      name('a quota is granted that is not born', 'born', quota);
  for (const [place, account] of ACCOUNTS) {
    const posted = legs.reduce((sum, leg) => (account.test(leg.account) ? sum - leg.steps : sum), 0n);
    const due = entered(moves, place);
    if (posted !== due)
      name(
        `the entry posts another quantity to ${place} than its moves of quotas`,
        textOf(due),
        textOf(posted),
      );
  }
  const paid = (event.facts.quotas as { readonly paid: readonly string[] } | undefined)?.paid.length ?? 0;
  if (paid !== moves.length)
    name(
      'the event does not say the money behind each of its moves of quotas',
      String(moves.length),
      String(paid),
    );
  if (event.type === 'UsageCharged') checkTaken(event, moves, name);
}

function checkTaken({ data }: AccountedEvent, moves: readonly QuotaMoveText[], name: Name): void {
  const covered = (data.covered ?? []) as readonly { readonly quota?: string; readonly quantity: string }[];
  const quotas = new Set([
    ...covered.flatMap(({ quota }) => quota ?? []),
    ...moves.map(({ quota }) => quota),
  ]);
  for (const quota of quotas) {
    const said = covered.reduce((sum, one) => (one.quota === quota ? sum + stepsOf(one.quantity) : sum), 0n);
    const taken = entered(moves, 'used', quota);
    if (said !== taken)
      name(`what is covered by ${quota} is not what was used of it`, textOf(taken), textOf(said));
  }
}

/** Less what has left. */
function entered(moves: readonly QuotaMoveText[], place: string, of?: string): bigint {
  const isOf = (at: string): boolean => (place.endsWith(':') ? at.startsWith(place) : at === place);
  return moves.reduce((sum, { quota, from, to, quantity }) => {
    const times = BigInt(isOf(to)) - BigInt(isOf(from));
    return times === 0n || (of !== undefined && quota !== of) ? sum : sum + times * stepsOf(quantity);
  }, 0n);
}
