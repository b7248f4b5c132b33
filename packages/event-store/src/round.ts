/**
 * One round of a stream: the orders that wait are decided one after the other on a fork of its state, with what has
 * fallen due before them. Nothing here waits or writes; what comes out says what to append, what to look up first, and
 * who is to be answered when the append is durable.
 */
import type { CommandKey, Context, Decider, Decision, DomainEvent, Stored } from '@tallystick/domain';
import { type Cause, type Draft, draftEvent, draftSize } from './codec.ts';
import type { Folded } from './load.ts';
import type { KeyLookup } from './port.ts';
import type { CatalogueReader, Executed, Order } from './runner-ports.ts';

export interface RoundParts<K> {
  readonly catalogue: CatalogueReader<K>;
  readonly now: () => number;
  /** An append is cut here: 1,000 events of a kilobyte would break EventStoreDB's 1 MiB. */
  readonly limits: { readonly appendBytes: number };
}

export interface Waiting<S, C, E extends DomainEvent, R> {
  readonly order: Order<C>;
  readonly deadline: number;
  readonly resolve: (executed: Executed<S, E, R>) => void;
  readonly reject: (bug: unknown) => void;
  /** On stores that do not enforce keys: asked when the order came, overlapped with the append in flight. */
  readonly lookup: Promise<KeyLookup> | null;
  looked: KeyLookup | null;
  /** Revision of the event that has the order's key, once that is known. */
  repeats: number | null;
  /** The key's event only points elsewhere (it has no fingerprint): the decider judges it. */
  pointer: boolean;
  fresh: boolean;
  /** Null until some were fetched: hardly any order asks. */
  facts: Map<string, Stored<E> | null> | null;
  factsCoverTo: number;
  /** How often somebody else took a key that it claims beside its own. */
  outrun: number;
}

export interface Round<S, C, E extends DomainEvent, R> {
  readonly now: number;
  readonly state: S;
  readonly drafts: Draft[];
  /** Its events are `count` drafts from `first` on; none for an order that only wants what is due to be done. */
  readonly accepted: { waiting: Waiting<S, C, E, R>; first: number; count: number }[];
  readonly negatives: { waiting: Waiting<S, C, E, R>; decision: Decision<E, R>; state: S }[];
  readonly repeated: Waiting<S, C, E, R>[];
  readonly answered: { waiting: Waiting<S, C, E, R>; event: Stored<E> }[];
  readonly needing: { waiting: Waiting<S, C, E, R>; facts: readonly string[]; freshCatalogue: boolean }[];
  /** Key look-ups that do not reach up to what is remembered: this far down the stream must be read first. */
  gapFrom: number;
  /** Taken, but not decided in this round. */
  readonly later: Waiting<S, C, E, R>[];
}

const DUES: Cause = { actor: 'ledger', request: '' };

/** Decides one after the other on a fork; nothing here waits. */
export function decideRound<S, C extends CommandKey, E extends DomainEvent, R, K>(
  decider: Decider<S, C, E, R, K>,
  { limits, now: clock, catalogue }: RoundParts<K>,
  folded: Folded<S>,
  group: readonly Waiting<S, C, E, R>[],
): Round<S, C, E, R> {
  const now = Math.max(clock(), folded.recordedAt);
  const round: Round<S, C, E, R> = {
    now,
    state: decider.fork(folded.state),
    drafts: [],
    accepted: [],
    negatives: [],
    repeated: [],
    answered: [],
    needing: [],
    gapFrom: folded.recent.startsAt,
    later: [],
  };
  const recordedAt = new Date(now).toISOString();
  let revision = folded.revision;
  let bytes = 0;
  const write = (event: E, cause: Cause, fingerprint: string | null): void => {
    const draft = draftEvent(event, recordedAt, cause, fingerprint);
    bytes += draftSize(draft);
    round.drafts.push(draft);
    revision += 1;
    decider.evolve(round.state, event, revision);
  };
  const dues = decider.dues(round.state, now, catalogue.current());
  for (const event of dues.events) write(event, DUES, null);
  if (dues.more || bytes > limits.appendBytes) {
    // Too many for one append: these first, by themselves; the orders are decided after them.
    round.later.push(...group);
    return round;
  }
  const keysOfRound = new Set<string>();
  let duesAlone = false;
  for (const waiting of group) {
    const { command, cause } = waiting.order;
    if (bytes > limits.appendBytes || (command.key !== null && keysOfRound.has(command.key))) {
      round.later.push(waiting);
      continue;
    }
    if (isKnown(folded, waiting, round)) continue;
    const context: Context<K, E> = {
      now,
      catalogue: catalogue.current(),
      catalogueIsFresh: waiting.fresh,
      facts: factsOf(folded, waiting, keysOfRound),
    };
    const decision = decider.decide(round.state, command, context);
    switch (decision.kind) {
      case 'accepted':
        // What it found free has been claimed by an order before it: it is decided again when that is durable.
        if (decision.events.some(({ key }) => key !== null && keysOfRound.has(key))) {
          round.later.push(waiting);
          break;
        }
        round.accepted.push({ waiting, first: round.drafts.length, count: decision.events.length });
        for (const event of decision.events) {
          write(event, cause, event.key === command.key ? command.fingerprint : null);
          if (event.key !== null) keysOfRound.add(event.key);
        }
        break;
      case 'repeats':
        round.answered.push({ waiting, event: decision.event });
        break;
      case 'needs':
        // It asks for what this very round writes: decided again when that is durable.
        if (decision.facts.some((fact) => isBetween(fact, folded.revision, revision))) {
          round.later.push(waiting);
          duesAlone = true;
        } else round.needing.push({ waiting, ...decision });
        break;
      default:
        // As it is now: what later orders of the round do to the state is not what this one was judged on.
        round.negatives.push({ waiting, decision, state: decider.fork(round.state) });
    }
  }
  // A refused or replayed order emits no expiry (rule 7).
  if (round.accepted.length === 0 && !duesAlone) round.drafts.length = 0;
  // Nothing was due: the order to see to it has nothing to do.
  if (round.drafts.length === 0) {
    for (const { waiting } of round.accepted)
      round.negatives.push({ waiting, decision: { kind: 'unchanged' }, state: round.state });
    round.accepted.length = 0;
  }
  return round;
}

/** Nobody in it has to be answered but those whose events are recorded: nearly every round. */
export function isPlain<S, C, E extends DomainEvent, R>(round: Round<S, C, E, R>): boolean {
  const { negatives, repeated, answered, needing } = round;
  return negatives.length === 0 && repeated.length === 0 && answered.length === 0 && needing.length === 0;
}

/** Sorts out orders whose key is known to exist, or cannot be known yet. */
function isKnown<S, C extends CommandKey, E extends DomainEvent, R>(
  folded: Folded<S>,
  waiting: Waiting<S, C, E, R>,
  round: Round<S, C, E, R>,
): boolean {
  const { key } = waiting.order.command;
  if (key === null || waiting.pointer) return false;
  const revision = waiting.repeats ?? folded.recent.find(key) ?? waiting.looked?.hits.get(key);
  if (revision !== undefined) {
    waiting.repeats = revision;
    round.repeated.push(waiting);
    return true;
  }
  if (waiting.looked === null || waiting.looked.coveredTo + 1 >= folded.recent.startsAt) return false;
  round.gapFrom = Math.min(round.gapFrom, waiting.looked.coveredTo + 1);
  round.later.push(waiting);
  return true;
}

/** An event by its revision, `#17`: after the one, and no later than the other. */
function isBetween(fact: string, after: number, last: number): boolean {
  const revision = fact.startsWith('#') ? Number(fact.slice(1)) : -1;
  return revision > after && revision <= last;
}

const NO_FACTS: ReadonlyMap<string, null> = new Map();

/** Facts fetched earlier; an absence holds only as long as nothing that came since, in this round too, claims the key. */
function factsOf<S, C, E extends DomainEvent, R>(
  folded: Folded<S>,
  waiting: Waiting<S, C, E, R>,
  ofRound: ReadonlySet<string>,
): ReadonlyMap<string, Stored<E> | null> {
  if (waiting.facts === null) return NO_FACTS;
  for (const [key, fact] of waiting.facts) {
    const stale =
      ofRound.has(key) ||
      waiting.factsCoverTo + 1 < folded.recent.startsAt ||
      folded.recent.find(key) !== undefined;
    if (fact === null && stale && !key.startsWith('#')) waiting.facts.delete(key);
  }
  return waiting.facts;
}
