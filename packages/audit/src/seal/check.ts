/**
 * Holds all seals against the events. It is told every event in store order, where a seal follows what it covers, so it
 * remembers the hashes of what is not sealed yet and nothing else. That events hang together in their streams' chains
 * is not its affair; nor does it stop at a fault: one damage is one finding.
 */
import type { LedgerSealed, SealedRange } from '@tallystick/domain';
import { hashOf, type RecordedEvent, splitStream } from '@tallystick/event-store';
import { type Digest, rootOf, toHex } from './merkle.ts';
import { eventLeaf, isSealable, rootOfRanges } from './seal.ts';

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
}

/** In place of a root, before the first seal. */
const NONE = 'none';

export function createSealChecker(): SealChecker {
  return new Checker();
}

class Checker implements SealChecker {
  readonly #findings: SealFinding[] = [];
  readonly #waiting = new Map<string, Waiting>();
  #unsealed = 0;
  #seals = 0;
  /** Null where the last seal could not be read. */
  #root: string | null = NONE;

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
    return this.#findings;
  }

  #seal(recorded: RecordedEvent): void {
    const seal = readSeal(recorded);
    this.#seals += 1;
    if (seal === null) {
      this.#report(recorded, 'a seal cannot be read', 'a LedgerSealed', recorded.type);
      this.#root = null;
      // What it covered is not known: the next range of each stream may begin anywhere.
      for (const waiting of this.#waiting.values()) waiting.uncertain = true;
      return;
    }
    const { data, facts } = seal;
    this.#compare(recorded, 'the number of a seal', String(this.#seals), String(data.number));
    this.#seals = data.number;
    const previous = this.#root ?? data.previous_root ?? NONE;
    this.#compare(recorded, 'the previous root of a seal', previous, data.previous_root ?? NONE);
    this.#root = data.root;
    this.#compare(recorded, 'the root of a seal', rootOfAll(facts.ranges), data.root);
    const events = facts.ranges.reduce((sum, [, from, to]) => sum + to - from + 1, 0);
    this.#compare(recorded, 'the events of a seal', String(events), String(data.events));
    this.#compare(recorded, 'the ranges of a seal', String(facts.ranges.length), String(data.ranges));
    for (const range of facts.ranges) this.#range(recorded, range);
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

/** A revision further ahead than this is damage that says nothing of how many are missing. */
const HOLE_MAX = 100_000;

/** The hashes of a stream's events that no seal covers yet, 32 bytes each. */
class Waiting {
  from: number;
  /** A seal could not be read that may have covered some of these. */
  uncertain = false;
  #count = 0;
  #bytes = Buffer.allocUnsafe(32 * 4);

  constructor(from: number) {
    this.from = from;
  }

  /** The revision that comes next. */
  get end(): number {
    return this.from + this.#count;
  }

  get isEmpty(): boolean {
    return this.#count === 0;
  }

  /**
   * Returns how many wait more by it. An event that is missing, or whose hash cannot be read, stands as zeros: what
   * follows keeps its place, and no root will fit. A revision that comes again is its chain's affair.
   */
  push(revision: number, recorded: RecordedEvent): number {
    if (revision < this.end) return 0;
    const before = this.#count;
    if (revision - this.end > HOLE_MAX) {
      this.from = revision;
      this.#count = 0;
    }
    const at = (revision - this.from) * 32;
    if (at + 32 > this.#bytes.length) {
      const wider = Buffer.alloc(Math.max(at + 32, this.#bytes.length * 2));
      this.#bytes.copy(wider);
      this.#bytes = wider;
    }
    this.#bytes.fill(0, this.#count * 32, at + 32);
    this.#bytes.write(readableHash(recorded), at, 'hex');
    this.#count = revision + 1 - this.from;
    return this.#count - before;
  }

  leavesTo(to: number): Digest[] {
    const leaves: Digest[] = [];
    for (let at = 0; at <= (to - this.from) * 32; at += 32)
      leaves.push(eventLeaf(this.#bytes.toString('hex', at, at + 32)));
    return leaves;
  }

  /** Returns how many went. */
  dropTo(to: number): number {
    const dropped = Math.min(this.#count, Math.max(0, to + 1 - this.from));
    this.#bytes.copyWithin(0, dropped * 32, this.#count * 32);
    this.#count -= dropped;
    this.from += dropped;
    this.uncertain = false;
    return dropped;
  }
}

function readableHash(recorded: RecordedEvent): string {
  try {
    return hashOf(recorded);
  } catch {
    return '';
  }
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
