/**
 * Given a past, when a command comes, then events or a "no". Stands in for the runner: it keeps the same order of
 * steps (keys, dues, decision, look-ups that the decision asks for, one append), but in memory and at once.
 * After every command each invariant of the wallet is checked (invariants.ts): a test need not ask for that.
 */

import { type Catalogues, NO_CATALOGUES } from '../catalogue/catalogues.ts';
import type { Decision, Stored } from '../decider.ts';
import { keys, walletStream } from '../ids.ts';
import { Plans } from '../plans/plans.ts';
import type { PriceBooks } from '../pricing/price-books.ts';
import type { WalletCommand, WalletRefusal } from '../wallet/commands.ts';
import { walletDecider } from '../wallet/decide.ts';
import type { WalletEvent } from '../wallet/events.ts';
import type { Wallet } from '../wallet/state.ts';
import { standardBooks } from './books.ts';
import { checkWallet, comparable, decidingChangesNothing } from './invariants.ts';

export type StoredWalletEvent = Stored<WalletEvent>;

export type Outcome =
  /** `dues` came first in the same append. */
  | { status: 'recorded'; events: readonly StoredWalletEvent[]; dues: readonly StoredWalletEvent[] }
  | { status: 'replayed'; event: StoredWalletEvent }
  | { status: 'unchanged' }
  | { status: 'refused'; refusal: WalletRefusal }
  /** The key exists with another fingerprint. */
  | { status: 'conflict' };

export interface Past {
  readonly account: string;
  now: number;
  /** What this process knows of price books; what it finds when it reads to their heads. */
  books: PriceBooks;
  freshBooks: PriceBooks;
  plans: Plans;
  wallet: Wallet;
  /** Whether every command is followed by a look at all invariants. */
  readonly checked: boolean;
  /** As they are read back: out of their JSON texts. */
  readonly events: StoredWalletEvent[];
}

export const START = Date.parse('2026-01-01T00:00:00.000Z');
export const SECOND = 1_000;
export const DAY = 24 * 60 * 60 * SECOND;

/** A wallet that nobody has opened yet. */
export function noPast(account = 'acme', books = standardBooks): Past {
  return {
    account,
    now: START,
    books,
    freshBooks: books,
    plans: new Plans(),
    wallet: walletDecider.initial(account),
    checked: true,
    events: [],
  };
}

/** An open wallet, with these commands behind it; each of them must have been accepted. */
export function given(...commands: readonly WalletCommand[]): Past {
  const past = noPast();
  accept(past, openAccount());
  for (const command of commands) accept(past, command);
  return past;
}

/** As `given`, for thousands of commands: the invariants are checked once, at the end. */
export function givenMany(commands: readonly WalletCommand[]): Past {
  const past = { ...given(), checked: false };
  for (const command of commands) accept(past, command);
  checkWallet(past);
  return past;
}

/** As `when`, for commands that must go through: their events. */
export function accept(past: Past, command: WalletCommand): readonly StoredWalletEvent[] {
  const outcome = when(past, command);
  if (outcome.status !== 'recorded') {
    throw new Error(`${command.type} was not recorded: ${JSON.stringify(outcome)}`);
  }
  return outcome.events;
}

export function later(past: Past, ms: number): Past {
  past.now += ms;
  return past;
}

export function when(past: Past, command: WalletCommand): Outcome {
  const pointer = command.key === null ? undefined : byKey(past, command.key);
  // Only an event that was recorded under the command's own key has a fingerprint to compare.
  if (pointer !== undefined && pointer.fingerprint !== null) {
    return pointer.fingerprint === command.fingerprint
      ? { status: 'replayed', event: pointer }
      : { status: 'conflict' };
  }
  const draft = walletDecider.fork(past.wallet);
  const dues = carryOutDues(draft, past.now, cataloguesOf(past));
  const before = past.checked ? comparable(draft) : null;
  const decision = decide(past, draft, command, pointer);
  if (before !== null) decidingChangesNothing(before, draft);
  switch (decision.kind) {
    case 'accepted':
      if (decision.events.length + dues.length === 0) return { status: 'unchanged' };
      return record(past, command, dues, decision.events);
    case 'repeats':
      return { status: 'replayed', event: decision.event };
    case 'refused':
      return { status: 'refused', refusal: decision.refusal };
    case 'unchanged':
      return { status: 'unchanged' };
    case 'needs':
      throw new Error(`${command.type} asks again for ${decision.facts.join(', ')}`);
  }
}

function carryOutDues(draft: Wallet, now: number, catalogues: Catalogues): WalletEvent[] {
  const all: WalletEvent[] = [];
  for (;;) {
    const { events, more } = walletDecider.dues(draft, now, catalogues);
    for (const event of events) walletDecider.evolve(draft, event, draft.revision + 1);
    all.push(...events);
    if (!more) return all;
    if (events.length === 0) throw new Error('more is due, but nothing is done about it');
  }
}

export function cataloguesOf({ books, plans }: Past): Catalogues {
  return { ...NO_CATALOGUES, books, plans };
}

/** Asks again with what the decision lacked, as often as it asks for something new. */
function decide(
  past: Past,
  draft: Wallet,
  command: WalletCommand,
  pointer: StoredWalletEvent | undefined,
): Decision<WalletEvent, WalletRefusal> {
  const facts = new Map<string, StoredWalletEvent | null>();
  if (pointer !== undefined && command.key !== null) facts.set(command.key, pointer);
  let catalogueIsFresh = false;
  for (;;) {
    const catalogue = catalogueIsFresh
      ? { ...cataloguesOf(past), books: past.freshBooks }
      : cataloguesOf(past);
    const context = { now: past.now, catalogue, catalogueIsFresh, facts };
    const decision = walletDecider.decide(draft, command, context);
    if (decision.kind !== 'needs') return decision;
    const unknown = decision.facts.filter((fact) => !facts.has(fact));
    if (unknown.length === 0 && (catalogueIsFresh || !decision.freshCatalogue)) return decision;
    for (const fact of unknown) facts.set(fact, lookUp(past, fact));
    catalogueIsFresh ||= decision.freshCatalogue;
  }
}

function lookUp(past: Past, fact: string): StoredWalletEvent | null {
  const found = fact.startsWith('#') ? past.events[Number(fact.slice(1))] : byKey(past, fact);
  return found ?? null;
}

export function byKey(past: Past, key: string): StoredWalletEvent | undefined {
  return past.events.find((event) => event.key === key);
}

function record(
  past: Past,
  command: WalletCommand,
  dues: readonly WalletEvent[],
  events: readonly WalletEvent[],
): Outcome {
  const first = past.events.length;
  for (const event of [...dues, ...events]) {
    if (event.key !== null && byKey(past, event.key) !== undefined) {
      throw new Error(`${command.type} claims the key ${event.key}, which is taken`);
    }
    const fingerprint = event.key !== null && event.key === command.key ? command.fingerprint : null;
    const revision = past.events.length;
    walletDecider.evolve(past.wallet, event, revision);
    past.events.push(asRead(past, event, revision, fingerprint));
  }
  if (past.checked) checkWallet(past);
  return {
    status: 'recorded',
    dues: past.events.slice(first, first + dues.length),
    events: past.events.slice(first + dues.length),
  };
}

function asRead(
  past: Past,
  event: WalletEvent,
  revision: number,
  fingerprint: string | null,
): StoredWalletEvent {
  return {
    ...(JSON.parse(JSON.stringify(event)) as WalletEvent),
    stream: walletStream(past.account),
    revision,
    position: BigInt(revision),
    recordedAt: past.now,
    fingerprint,
  };
}

const openAccount = (): WalletCommand => ({
  type: 'OpenAccount',
  key: keys.open,
  fingerprint: 'open',
  terms: { price_book: null, overdraft_limit: '0', time_zone: 'UTC', currency: null },
});
