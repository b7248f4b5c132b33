/**
 * Rule 1: whoever was told "no", or "nothing to do", could have been told so by somebody who saw everything: the answer
 * was right at one of the stream's revisions between question and answer.
 */
import {
  type Catalogues,
  canonical,
  NO_CATALOGUES,
  type Wallet,
  type WalletCommand,
  type WalletEvent,
  type WalletRefusal,
  walletAfterDues,
  walletDecider,
} from '@tallystick/domain';
import { type StoredEvent, splitStream } from '@tallystick/event-store';
import { FOLLOWED, withPublished } from '../catalogues.ts';
import type { Attempt } from '../history.ts';
import { type Machine, wallClock } from '../process.ts';
import { broken, type Evidence, historyOf, type WalletHistory } from './evidence.ts';

export function aNoWasTrue(evidence: Evidence): void {
  const catalogues = cataloguesOf(evidence);
  for (const attempt of evidence.attempts) {
    const { answer, decided, id, order, sent } = attempt;
    if (decided === null || (answer?.status !== 'refused' && answer?.status !== 'unchanged')) continue;
    const history = historyOf(evidence, order.account);
    const told = answer.status === 'refused' ? refusalOf(answer.refusal) : 'unchanged';
    const said = whatCouldBeSaid(history, attempt, catalogues);
    if (!said.has(told))
      broken('a "no" was true at some moment between question and answer', {
        id,
        command: order.command.type,
        key: order.command.key,
        told,
        said: [...said],
        from: sent,
        to: decided,
      });
  }
}

/** Without what tells the instant at which it was decided: nobody outside knows that to the millisecond. */
function refusalOf(refusal: WalletRefusal): string {
  return refusal.code === 'start_out_of_range' ? refusal.code : canonical(refusal);
}

/** The catalogues as they were after each publication. */
function cataloguesOf({ log }: Evidence): readonly Catalogues[] {
  const all: Catalogues[] = [];
  for (const event of log)
    if (FOLLOWED.some((category) => category === splitStream(event.stream).category))
      all.push(withPublished(all.at(-1) ?? NO_CATALOGUES, event));
  return all;
}

function whatCouldBeSaid(
  { account, events }: WalletHistory,
  { order, machine, sent, decided }: Attempt,
  catalogues: readonly Catalogues[],
): ReadonlySet<string> {
  const said = new Set<string>();
  const state = walletDecider.initial(account);
  const times = timesBetween(machine, sent.at, decided?.at ?? sent.at);
  const upTo = decided?.head ?? -1;
  for (let revision = -1; revision <= upTo; revision++) {
    const event = events[revision];
    if (event !== undefined) walletDecider.evolve(state, event, revision);
    if (revision < sent.head) continue;
    for (const now of instantsOf(state, event?.recordedAt ?? 0, times))
      for (const catalogue of catalogues)
        said.add(decide(state, events.slice(0, revision + 1), order.command, now, catalogue));
  }
  return said;
}

/** First and last time that the clock showed, for each way in which it was off. */
function timesBetween({ clock }: Machine, from: number, to: number): readonly number[] {
  const before = clock.findLast(({ since }) => since <= from)?.off ?? 0;
  const within = clock.filter(({ since }) => since > from && since <= to).map(({ off }) => off);
  return [before, ...within].flatMap((off) => [wallClock(from, off), wallClock(to, off)]);
}

/** No decision is dated before the stream's last event. What falls due changes what can be said. */
function instantsOf(state: Wallet, earliest: number, times: readonly number[]): readonly number[] {
  const dues = [
    ...state.lots.map(({ expiresAt }) => expiresAt ?? 0),
    ...[...state.holds.values()].map(({ expiresAt }) => expiresAt),
    // Of a subscription only the next instant: what comes of it is looked at when it is an event.
    state.nextDueAt,
    ...state.quotas.map(({ expiresAt }) => expiresAt),
    ...state.referral.pending.map(({ availableAt }) => availableAt),
  ];
  const [first, last] = [Math.min(...times), Math.max(...times)];
  const possible = [...times, ...dues.filter((due) => due > first && due < last)];
  return [...new Set(possible.map((time) => Math.max(earliest, time)))];
}

function decide(
  state: Wallet,
  past: readonly StoredEvent<WalletEvent>[],
  command: WalletCommand,
  now: number,
  catalogue: Catalogues,
): string {
  const wallet = walletAfterDues(state, now, catalogue);
  const facts = new Map<string, StoredEvent<WalletEvent> | null>();
  const known = command.key === null ? undefined : past.find(({ key }) => key === command.key);
  if (known !== undefined && command.key !== null) facts.set(command.key, known);
  for (;;) {
    const context = { now, catalogue, catalogueIsFresh: true, facts };
    const decision = walletDecider.decide(wallet, command, context);
    switch (decision.kind) {
      case 'needs':
        for (const fact of decision.facts) facts.set(fact, lookUp(past, fact));
        break;
      case 'refused':
        return refusalOf(decision.refusal);
      case 'accepted':
        return decision.events.length === 0 && wallet.revision === state.revision ? 'unchanged' : 'accepted';
      default:
        return decision.kind;
    }
  }
}

function lookUp(past: readonly StoredEvent<WalletEvent>[], fact: string): StoredEvent<WalletEvent> | null {
  if (fact.startsWith('#')) return past[Number(fact.slice(1))] ?? null;
  return past.find(({ key }) => key === fact) ?? null;
}
