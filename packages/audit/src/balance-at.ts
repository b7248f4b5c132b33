/** Balances at a moment, from the events and nothing else: of a wallet, or of accounts of the ledger. */
import type { EventStore } from '@tallystick/event-store';
import { type AccountChoice, isChosen } from './account-name.ts';
import { type AsOf, includes } from './as-of.ts';
import { Books } from './books.ts';
import { textOf } from './decimal.ts';
import { type AuditedEvent, readEvent } from './event.ts';
import { scan } from './scan.ts';
import { eventsOf } from './stream.ts';
import { readAccounted } from './verify/accounted.ts';
import type { Finding } from './verify/finding.ts';
import { WalletBook } from './verify/wallet.ts';

/** The last event that is in a balance. */
export interface LastEvent {
  readonly entryId: string;
  readonly recordedAt: string;
  readonly position: bigint;
}

export interface WalletBalance {
  readonly account: string;
  readonly available: string;
  readonly held: string;
  readonly granted: string;
  readonly adjusted: string;
  readonly consumed: string;
  readonly expired: string;
  readonly withdrawn: string;
  readonly last: LastEvent;
  /** Where moves, postings and the events' own word do not agree; none in a sound ledger. */
  readonly findings: readonly Finding[];
}

/** What has been recorded, no more: a lot that is due counts until its expiry is an event. Null: no such account then. */
export async function walletBalanceAt(
  store: Pick<EventStore, 'readStream'>,
  id: string,
  asOf: AsOf | null,
): Promise<WalletBalance | null> {
  const book = new WalletBook(id);
  const findings: Finding[] = [];
  let last: AuditedEvent | null = null;
  let isWhole = true;
  for await (const event of eventsOf(store, `wallet-${id}`, asOf)) {
    // By time it may be that an event is not of the moment and a later one is: then each contradicts the other.
    isWhole &&= event.revision === (last?.revision ?? -1) + 1;
    book.apply(readAccounted(event.recorded), (finding) => findings.push(finding));
    last = event;
  }
  if (last === null) return null;
  const { available, held, granted, adjusted, consumed, expired, withdrawn } = book.sums();
  return {
    account: id,
    available: textOf(available),
    held: textOf(held),
    granted: textOf(granted),
    adjusted: textOf(adjusted),
    consumed: textOf(consumed),
    expired: textOf(expired),
    withdrawn: textOf(withdrawn),
    last: lastOf(last),
    findings: isWhole ? findings : [],
  };
}

export interface AccountBalances {
  readonly accounts: readonly { readonly account: string; readonly unit: string; readonly balance: string }[];
  readonly totals: readonly { readonly unit: string; readonly balance: string }[];
  /** Null where nothing had been recorded. */
  readonly last: LastEvent | null;
}

/** Debit positive. Accounts that nothing ever touched are not there; those that came to zero are. */
export async function accountBalancesAt(
  store: EventStore,
  choice: AccountChoice,
  asOf: AsOf | null,
): Promise<AccountBalances> {
  const books = new Books();
  const until = asOf !== null && 'position' in asOf ? { until: asOf.position } : {};
  let last: AuditedEvent | null = null;
  for await (const page of scan(store, until)) {
    for (const recorded of page) {
      const event = readEvent(recorded);
      if (!includes(asOf, event)) continue;
      books.post(event.entry.filter(({ account }) => isChosen(choice, account)));
      last = event;
    }
  }
  const accounts = [...books.units]
    .flatMap(([unit, balances]) =>
      [...balances].map(([account, steps]) => ({ account, unit, balance: textOf(steps) })),
    )
    .sort((a, b) => byText(a.account, b.account) || byText(a.unit, b.unit));
  const totals = [...books.units.keys()]
    .sort(byText)
    .map((unit) => ({ unit, balance: textOf(books.total(unit)) }));
  return { accounts, totals, last: last === null ? null : lastOf(last) };
}

export function lastOf({ stream, revision, recordedAt, position }: AuditedEvent): LastEvent {
  return { entryId: `${stream}:${revision}`, recordedAt, position };
}

/** As Postgres orders in collation "C", so that lists can be laid side by side. */
export const byText = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);
