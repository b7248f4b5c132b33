/** Balances at a moment, from the events and nothing else: of a wallet, or of accounts of the ledger. */
import type { EventStore } from '@tallystick/event-store';
import { type AccountChoice, isChosen } from './account-name.ts';
import type { AsOf } from './as-of.ts';
import { Books } from './books.ts';
import { textOf } from './decimal.ts';
import type { AuditedEvent } from './event.ts';
import { Examiner, type Found } from './examine/examiner.ts';
import { scan } from './scan.ts';
import { eventsOf } from './stream.ts';
import { WalletBook } from './verify/wallet.ts';

/** The last event that is in a balance. */
export interface LastEvent {
  readonly entryId: string;
  readonly recordedAt: string;
  readonly position: bigint;
}

/** With where moves, postings and the events' own word do not agree; nothing in a sound ledger. */
export interface WalletBalance extends Found {
  readonly account: string;
  readonly available: string;
  readonly held: string;
  readonly granted: string;
  readonly adjusted: string;
  readonly consumed: string;
  readonly expired: string;
  readonly withdrawn: string;
  /** Null where no event could be read. */
  readonly last: LastEvent | null;
}

/** What has been recorded, no more: a lot that is due counts until its expiry is an event. Null: no such account then. */
export async function walletBalanceAt(
  store: Pick<EventStore, 'readStream'>,
  id: string,
  asOf: AsOf | null,
): Promise<WalletBalance | null> {
  const book = new WalletBook(id);
  const examiner = new Examiner(asOf);
  let last: AuditedEvent | null = null;
  let isWhole = true;
  for await (const event of eventsOf(store, `wallet-${id}`, examiner)) {
    // By time it may be that an event is not of the moment and a later one is: then each contradicts the other.
    isWhole &&= event.revision === (last?.revision ?? -1) + 1;
    // What follows from a damage that has been named is not another one.
    const isSound = isWhole && examiner.count === 0;
    book.apply(event, isSound ? examiner.report : () => undefined);
    last = event;
  }
  const found = examiner.end();
  if (last === null && found.count === 0) return null;
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
    last: last === null ? null : lastOf(last),
    ...found,
  };
}

export interface AccountBalances extends Found {
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
  const examiner = new Examiner(asOf);
  const until = asOf !== null && 'position' in asOf ? { until: asOf.position } : {};
  let last: AuditedEvent | null = null;
  for await (const page of scan(store, until)) {
    for (const recorded of page) {
      const event = examiner.examine(recorded);
      if (event === null) continue;
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
  return { accounts, totals, last: last === null ? null : lastOf(last), ...examiner.end() };
}

export function lastOf({ stream, revision, recordedAt, position }: AuditedEvent): LastEvent {
  return { entryId: `${stream}:${revision}`, recordedAt, position };
}

/** As Postgres orders in collation "C", so that lists can be laid side by side. */
export const byText = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);
