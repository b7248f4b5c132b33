/**
 * One stream in memory: its folded state and the orders that wait for it. Orders are decided one after the other on a
 * fork of the state, all their events go into one append at the expected revision, and only when that is durable is
 * anyone answered (design 5). While an append is in flight the next orders gather; there is one in flight per stream.
 *
 * What keeps money whole here: rules 1 (a "no" is judged at the head), 2 and 3 (keys), 6 (unknown outcomes pin the
 * stream), 7 (dues first, bounded), 8 (deadlines before deciding) and 9 (clocks).
 */
import type { CommandKey, Decider, DomainEvent } from '@tallystick/domain';
import { appendPatiently, type PatienceParts } from './append-patiently.ts';
import { type StoredEvent, sealDraft } from './codec.ts';
import { type Folded, foldTail, type LoadParts, loadStream } from './load.ts';
import { asOutage, awaitLookups, closeGap, findFacts, KeyIndexBehind, type LookUpParts } from './look-ups.ts';
import { type KeyLookup, type NewEvent, StoreUnavailable } from './port.ts';
import { answerRepeats } from './repeats.ts';
import { decideRound, isPlain, type Round, type RoundParts, type Waiting } from './round.ts';
import type { AroundRound, Executed, Order, RunnerLimits, Unavailable } from './runner-ports.ts';

export interface CellParts<K> extends LoadParts, RoundParts<K>, PatienceParts, LookUpParts {
  /** Told of what no caller may see. */
  readonly onError: (error: unknown, stream: string) => void;
  /** Null where nothing is traced: then it costs nothing. */
  readonly aroundRound: AroundRound | null;
  readonly limits: RunnerLimits;
  /** Of deadlines: they must not pass because `now` was moved. */
  readonly realNow: () => number;
}

/** So often an order is decided again because a key beside its own was taken meanwhile. */
const OUTRUN_MAX = 3;

export class StreamCell<S, C extends CommandKey, E extends DomainEvent, R, K> {
  readonly stream: string;
  readonly #id: string;
  readonly #decider: Decider<S, C, E, R, K>;
  readonly #parts: CellParts<K>;
  #folded: Folded<S> | null = null;
  #loading: Promise<Folded<S>> | null = null;
  #queue: Waiting<S, C, E, R>[] = [];
  #busy = false;
  #conflictsInRow = 0;

  constructor(parts: CellParts<K>, decider: Decider<S, C, E, R, K>, id: string) {
    this.#parts = parts;
    this.#decider = decider;
    this.#id = id;
    this.stream = `${decider.category}-${id}`;
  }

  /** Idle cells only may be forgotten: an unknown outcome pins its stream (rule 6). */
  get idle(): boolean {
    return !this.#busy && this.#queue.length === 0 && this.#loading === null;
  }

  get bytes(): number {
    const folded = this.#folded;
    return folded === null ? 500 : 500 + this.#decider.weigh(folded.state) + folded.recent.size * 150;
  }

  submit(order: Order<C>, deadline: number): Promise<Executed<S, E, R>> {
    const { key } = order.command;
    const { store, keyIndex, counts } = this.#parts;
    let lookup: Promise<KeyLookup> | null = null;
    if (!store.enforcesKeys && key !== null) {
      counts.roundTrips.keyLookup += 1;
      lookup = keyIndex.lookup(this.stream, [key]);
      lookup.catch(() => undefined);
    }
    return new Promise((resolve, reject) => {
      this.#queue.push({
        order,
        deadline,
        resolve,
        reject,
        lookup,
        looked: null,
        repeats: null,
        pointer: false,
        fresh: false,
        facts: null,
        outrun: 0,
        factsCoverTo: -1,
      });
    });
  }

  /** Nobody is at work on it: what has been submitted waits for `work`. */
  get isAtRest(): boolean {
    return !this.#busy;
  }

  /** Of what is in memory; -1 where nothing is. */
  get revision(): number {
    return this.#folded?.revision ?? -1;
  }

  /** Works until nothing waits, from the next tick on, so that orders of one tick are decided together. */
  async work(): Promise<void> {
    if (this.#busy) return;
    this.#busy = true;
    await null;
    try {
      while (this.#queue.length > 0) await this.#step();
    } finally {
      this.#busy = false;
    }
  }

  glance(): Readonly<S> | null {
    return this.#folded === null ? null : this.#folded.state;
  }

  async loaded(): Promise<Folded<S>> {
    if (this.#folded !== null) return this.#folded;
    this.#loading ??= loadStream(this.#parts, this.#decider, this.stream, this.#id).finally(() => {
      this.#loading = null;
    });
    this.#folded = await this.#loading;
    return this.#folded;
  }

  async #step(): Promise<void> {
    const group = this.#takeGroup();
    if (group.length === 0) return;
    let folded: Folded<S>;
    try {
      folded = this.#folded ?? (await this.loaded());
    } catch (error) {
      // An event that this code does not know stops the stream; it is never skipped (rule 11).
      giveUp(group, error instanceof StoreUnavailable ? 'store_unavailable' : 'stream_unreadable');
      this.#parts.onError(error, this.stream);
      return;
    }
    try {
      if (!this.#parts.store.enforcesKeys) await awaitLookups(group);
      if (folded.recordedAt > this.#parts.now() + this.#parts.limits.clockAheadMs) {
        giveUp(group, 'clock_behind');
        return;
      }
      const { aroundRound } = this.#parts;
      if (aroundRound === null) await this.#runRound(folded, group);
      else {
        const causes = group.map(({ order }) => order.cause);
        await aroundRound(this.stream, causes, () => this.#runRound(folded, group));
      }
    } catch (error) {
      if (error instanceof StoreUnavailable) {
        if (error.outcome === 'unknown') this.#folded = null;
        giveUp(group, reasonOf(error));
        return;
      }
      // A bug: what is in memory is not to be trusted any more.
      this.#folded = null;
      for (const waiting of group) waiting.reject(error);
    }
  }

  /** All that waits, less what is past its deadline: dropped before it is decided, never after (rule 8). */
  #takeGroup(): Waiting<S, C, E, R>[] {
    const now = this.#parts.realNow();
    const all = this.#queue;
    this.#queue = [];
    const group: Waiting<S, C, E, R>[] = [];
    for (const waiting of all) {
      if (waiting.deadline > now) group.push(waiting);
      else waiting.resolve({ status: 'unavailable', reason: 'deadline_passed' });
    }
    return group;
  }

  async #runRound(folded: Folded<S>, group: readonly Waiting<S, C, E, R>[]): Promise<void> {
    const round = decideRound(this.#decider, this.#parts, folded, group);
    const again: Waiting<S, C, E, R>[] = [...round.later];
    if (round.gapFrom < folded.recent.startsAt)
      await closeGap(this.#parts, this.stream, folded.recent, round.gapFrom);
    const recorded = round.drafts.length === 0 || (await this.#record(folded, round, again));
    if (recorded && isPlain(round) && again.length === 0) return;
    if (recorded) await this.#settleNegatives(round, again);
    else again.push(...round.negatives.map(({ waiting }) => waiting));
    await answerRepeats(this.#parts, this.stream, round, again);
    await Promise.all(round.needing.map((need) => this.#fetch(need)));
    again.push(...round.needing.map(({ waiting }) => waiting));
    // In their old order: what came first is decided first.
    const repeat = new Set(again);
    this.#queue = [...group.filter((waiting) => repeat.has(waiting)), ...this.#queue];
  }

  /** Appends the round's events; true when they are durable. Otherwise whoever is to be decided again is in `again`. */
  async #record(folded: Folded<S>, round: Round<S, C, E, R>, again: Waiting<S, C, E, R>[]): Promise<boolean> {
    const { counts, surroundings } = this.#parts;
    const events: NewEvent[] = [];
    let hash = folded.hash;
    round.drafts.forEach((draft, index) => {
      const sealed = sealDraft(draft, round.drafts.length - 1 - index, hash);
      events.push(sealed.event);
      hash = sealed.hash;
    });
    const result = await appendPatiently(this.#parts, {
      stream: this.stream,
      expected: folded.revision,
      events,
    });
    const orders = round.accepted.map(({ waiting }) => waiting);
    switch (result.status) {
      case 'appended':
        this.#commit(folded, round, events, hash, result.position);
        return true;
      case 'conflict':
        counts.conflicts += 1;
        this.#conflictsInRow += 1;
        again.push(...orders);
        // Several processes write here: a short, uneven pause lets each get its turn.
        if (this.#conflictsInRow > 2)
          await surroundings.pause(surroundings.random() * Math.min(50, this.#conflictsInRow * 2));
        await this.#reload(folded);
        return false;
      case 'duplicate_keys':
        await this.#findDuplicates(folded, round, result.keys, again);
        return false;
      case 'rejected':
        // It would be rejected again: these orders end here, and nobody else's with them.
        this.#parts.onError(new Error(`the store cannot take this append: ${result.reason}`), this.stream);
        this.#folded = null;
        giveUp(orders, 'append_rejected');
        return false;
    }
  }

  #commit(
    folded: Folded<S>,
    round: Round<S, C, E, R>,
    events: NewEvent[],
    hash: string,
    position: bigint,
  ): void {
    const { counts } = this.#parts;
    const before = folded.revision;
    counts.appends += 1;
    counts.events += events.length;
    this.#conflictsInRow = 0;
    folded.state = round.state;
    folded.revision = before + events.length;
    folded.hash = hash;
    folded.recordedAt = round.now;
    events.forEach((event, index) => {
      folded.recent.add(event.key, before + 1 + index);
    });
    for (const { waiting, first, count } of round.accepted) {
      const draft = round.drafts[first];
      if (draft === undefined || count === 0) {
        waiting.resolve({ status: 'unchanged', state: folded.state, revision: folded.revision });
        continue;
      }
      const event = {
        ...draft.event,
        stream: this.stream,
        revision: before + 1 + first,
        position,
        recordedAt: round.now,
        fingerprint: draft.fingerprint,
        actor: draft.cause.actor,
        left: events.length - 1 - first,
      } as unknown as StoredEvent<E>;
      waiting.resolve({ status: 'recorded', event, position, replayed: false });
    }
  }

  /** Some keys exist already: their orders are repeats; the others are decided again. */
  async #findDuplicates(
    folded: Folded<S>,
    round: Round<S, C, E, R>,
    keys: readonly string[],
    again: Waiting<S, C, E, R>[],
  ): Promise<void> {
    const { keyIndex, counts } = this.#parts;
    counts.roundTrips.keyLookup += 1;
    const { hits } = await asOutage(keyIndex.lookup(this.stream, keys));
    const asked = new Set(round.accepted.map(({ waiting }) => waiting.order.command.key));
    for (const { waiting, first, count } of round.accepted) {
      const { key } = waiting.order.command;
      const known = key === null ? undefined : hits.get(key);
      if (known !== undefined) waiting.repeats = known;
      const own = round.drafts
        .slice(first, first + count)
        .some(({ event }) => event.key !== null && hits.has(event.key));
      if (own && known === undefined) {
        // Beside its own key it claims one that somebody has taken since it was looked for: what is there now decides.
        waiting.outrun += 1;
      }
      if (waiting.outrun > OUTRUN_MAX) waiting.resolve({ status: 'conflict' });
      else again.push(waiting);
    }
    // Another process has written since: what an order claims beside its own key, a due (rule 7), or its very own key. A key
    // that only points elsewhere is decided on, and would be for ever on a state from before it.
    if ([...hits].some(([key, revision]) => revision > folded.revision || !asked.has(key)))
      await this.#reload(folded);
  }

  /** A "no" is answered only when the state is at the stream's head and the key is nowhere (rule 1). */
  async #settleNegatives(round: Round<S, C, E, R>, again: Waiting<S, C, E, R>[]): Promise<void> {
    if (round.negatives.length === 0) return;
    const { store, keyIndex, counts } = this.#parts;
    const folded = this.#folded;
    if (folded === null) return;
    const keys = round.negatives.flatMap(({ waiting }) => waiting.order.command.key ?? []);
    let head: number;
    let hits: ReadonlyMap<string, number> = new Map();
    counts.roundTrips.headCheck += 1;
    if (store.enforcesKeys && keys.length > 0) {
      const found = await asOutage(keyIndex.lookup(this.stream, [...new Set(keys)]));
      [head, hits] = [found.coveredTo, found.hits];
    } else {
      head = await store.head(this.stream);
    }
    if (head < folded.revision) throw new Error(`${this.stream} ends at ${head}, before ${folded.revision}`);
    const atHead = head === folded.revision;
    for (const { waiting, decision, state } of round.negatives) {
      const known = waiting.pointer ? undefined : hits.get(waiting.order.command.key ?? '');
      if (known !== undefined) waiting.repeats = known;
      if (known !== undefined || !atHead) again.push(waiting);
      else if (decision.kind === 'refused') waiting.resolve({ status: 'refused', refusal: decision.refusal });
      else waiting.resolve({ status: 'unchanged', state, revision: folded.revision });
    }
    if (!atHead) await this.#reload(folded);
  }

  /** Folds what others have written since; on a fork, because readers may hold the state. */
  async #reload(folded: Folded<S>): Promise<void> {
    folded.state = this.#decider.fork(folded.state);
    await foldTail(this.#parts, this.#decider, this.stream, folded);
  }

  /** Fetches what a decision asked for: older events by key or revision, or the catalogues as of now. */
  async #fetch({ waiting, facts, freshCatalogue }: Round<S, C, E, R>['needing'][number]): Promise<void> {
    if (freshCatalogue) {
      await asOutage(this.#parts.catalogue.fresh());
      waiting.fresh = true;
    }
    if (facts.length === 0) return;
    const folded = await this.loaded();
    waiting.factsCoverTo = folded.revision;
    const found = await findFacts<E>(this.#parts, this.stream, folded.recent, facts);
    waiting.facts ??= new Map();
    for (const fact of facts) waiting.facts.set(fact, found.get(fact) ?? null);
  }
}

function giveUp(
  group: readonly { resolve: (executed: { status: 'unavailable'; reason: Unavailable }) => void }[],
  reason: Unavailable,
): void {
  for (const waiting of group) waiting.resolve({ status: 'unavailable', reason });
}

function reasonOf(error: StoreUnavailable): Unavailable {
  if (error instanceof KeyIndexBehind) return 'key_index_behind';
  return error.outcome === 'unknown' ? 'outcome_unknown' : 'store_unavailable';
}
