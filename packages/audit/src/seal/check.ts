/**
 * Holds all seals against the events. It is told every event in store order, where a seal follows what it covers, so it
 * remembers the hashes of what is not sealed yet and nothing else. That events hang together in their streams' chains
 * is not its affair; nor does it stop at a fault: one damage is one finding.
 *
 * A ledger that was cut off, or written anew, may be sound in itself. Only seals that somebody has kept tell.
 */
import type { LedgerSealed, SealedRange } from '@tallystick/domain';
import { type RecordedEvent, splitStream } from '@tallystick/event-store';
import { rootOf, toHex } from './merkle.ts';
import { isSealable, rootOfRanges, SEALS } from './seal.ts';
import type { NumberedHash } from './verify-receipt.ts';
import { readableHash, Waiting } from './waiting.ts';

export interface SealFinding {
  readonly what: string;
  readonly stream?: string;
  readonly revision?: number;
  readonly expected: string;
  readonly found: string;
}

export interface SealChecker {
  event(recorded: RecordedEvent): void;
  /** All that was found. */
  end(): readonly SealFinding[];
  /** Events that no seal covers yet. */
  readonly unsealed: number;
  /** As many as there were. */
  readonly seals: number;
  /** Number and hash of the last one, as it says them; null before the first. */
  readonly last: NumberedHash | null;
}

/** In place of a root, before the first seal. */
const NONE = 'none';

/** @param kept seals as they were kept elsewhere: the ledger must have them */
export function createSealChecker(kept: readonly NumberedHash[] = []): SealChecker {
  return new Checker(kept);
}

class Checker implements SealChecker {
  readonly #findings: SealFinding[] = [];
  readonly #waiting = new Map<string, Waiting>();
  readonly #kept: readonly NumberedHash[];
  /** Those of them that have come, with whatever hash. */
  readonly #met = new Set<NumberedHash>();
  #unsealed = 0;
  /** The number that the last one should have. */
  #number = 0;
  seals = 0;
  last: NumberedHash | null = null;
  /** Null where the last seal could not be read. */
  #root: string | null = NONE;

  constructor(kept: readonly NumberedHash[]) {
    this.#kept = kept;
  }

  get unsealed(): number {
    return this.#unsealed;
  }

  event(recorded: RecordedEvent): void {
    const { stream, revision } = recorded;
    if (splitStream(stream).category === 'seal') this.#seal(recorded);
    if (!isSealable(stream)) return;
    let waiting = this.#waiting.get(stream);
    if (waiting === undefined) {
      waiting = new Waiting(revision);
      this.#waiting.set(stream, waiting);
    }
    this.#unsealed += waiting.push(revision, recorded);
  }

  end(): readonly SealFinding[] {
    const found = this.last === null ? 'no seal at all' : `seal ${this.last.number} is the last`;
    for (const kept of this.#kept) {
      if (this.#met.has(kept)) continue;
      const expected = `seal ${kept.number}: ${kept.hash}`;
      this.#found({ what: 'a seal that was kept is missing', stream: SEALS, expected, found });
    }
    return this.#findings;
  }

  #seal(recorded: RecordedEvent): void {
    const seal = readSeal(recorded);
    this.#number += 1;
    this.seals += 1;
    this.#holdToKept(recorded, seal?.data.number ?? this.#number);
    if (seal === null) {
      this.#report(recorded, 'a seal cannot be read', 'a LedgerSealed', recorded.type);
      this.#root = null;
      // What it covered is not known: the next range of each stream may begin anywhere.
      for (const waiting of this.#waiting.values()) waiting.uncertain = true;
      return;
    }
    const { data, facts } = seal;
    this.#compare(recorded, 'the number of a seal', String(this.#number), String(data.number));
    this.#number = data.number;
    const previous = this.#root ?? data.previous_root ?? NONE;
    this.#compare(recorded, 'the previous root of a seal', previous, data.previous_root ?? NONE);
    this.#root = data.root;
    this.#compare(recorded, 'the root of a seal', rootOfAll(facts.ranges), data.root);
    const events = facts.ranges.reduce((sum, [, from, to]) => sum + to - from + 1, 0);
    this.#compare(recorded, 'the events of a seal', String(events), String(data.events));
    this.#compare(recorded, 'the ranges of a seal', String(facts.ranges.length), String(data.ranges));
    for (const range of facts.ranges) this.#range(recorded, range);
  }

  #holdToKept(recorded: RecordedEvent, number: number): void {
    const hash = readableHash(recorded);
    this.last = { number, hash };
    for (const kept of this.#kept) {
      if (kept.number !== number) continue;
      this.#met.add(kept);
      this.#compare(recorded, 'the hash of a seal that was kept', kept.hash, hash);
    }
  }

  #range(seal: RecordedEvent, range: SealedRange): void {
    const [stream, , to] = range;
    const waiting = this.#waiting.get(stream);
    const finding = judge(range, waiting, `by ${seal.stream}:${seal.revision}`);
    if (finding !== null) this.#found({ stream, ...finding });
    if (waiting === undefined) return;
    this.#unsealed -= waiting.dropTo(to);
    if (waiting.isEmpty) this.#waiting.delete(stream);
  }

  #compare(seal: RecordedEvent, what: string, expected: string, found: string): void {
    if (expected !== found) this.#report(seal, what, expected, found);
  }

  #report({ stream, revision }: RecordedEvent, what: string, expected: string, found: string): void {
    this.#found({ what, stream, revision, expected, found });
  }

  #found(finding: SealFinding): void {
    this.#findings.push(finding);
  }
}

/** A range continues where the one before of its stream ended, its events are there, and they are the same. */
function judge(
  [, from, to, root]: SealedRange,
  waiting: Waiting | undefined,
  by: string,
): SealFinding | null {
  const said = `${from} to ${to} ${by}`;
  const missing = { what: 'sealed events are missing', expected: said };
  if (waiting === undefined) return { ...missing, revision: from, found: 'no event that is not sealed' };
  const { end } = waiting;
  if (end <= to) return { ...missing, revision: end, found: `its events end at ${end - 1}` };
  const wanted = { expected: `a range from ${waiting.from}`, found: said };
  if (waiting.from > from)
    return { what: 'sealed events are missing, or sealed twice', revision: from, ...wanted };
  if (waiting.from < from)
    return waiting.uncertain
      ? null
      : { what: 'events were left out of the seals', revision: waiting.from, ...wanted };
  const expected = toHex(rootOf(waiting.leavesTo(to)));
  return expected === root
    ? null
    : { what: 'the root of sealed events', revision: from, expected, found: `${root} ${by}` };
}

/** Null where the text is not that of a seal. */
function readSeal(recorded: RecordedEvent): Pick<LedgerSealed, 'data' | 'facts'> | null {
  try {
    const data = JSON.parse(recorded.data) as LedgerSealed['data'];
    const { facts } = JSON.parse(recorded.meta) as Pick<LedgerSealed, 'facts'>;
    const isSeal = recorded.type === 'LedgerSealed' && Number.isSafeInteger(data.number);
    return isSeal && facts.ranges.every(isRange) ? { data, facts } : null;
  } catch {
    return null;
  }
}

function isRange(range: unknown): boolean {
  if (!Array.isArray(range) || range.length !== 4) return false;
  const [stream, from, to, root] = range as unknown[];
  const isSpan = Number.isSafeInteger(from) && Number.isSafeInteger(to) && (from as number) <= (to as number);
  return typeof stream === 'string' && isSpan && typeof root === 'string';
}

function rootOfAll(ranges: readonly SealedRange[]): string {
  return ranges.length === 0 ? 'one range at least' : rootOfRanges(ranges);
}
