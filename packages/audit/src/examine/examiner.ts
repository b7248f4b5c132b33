/**
 * What every reader of the books looks at before it counts an event (balance, trial balance, explanation, export): that
 * no event before it is missing or was changed, that it carries what its type must carry, that its amounts agree with
 * each other, and that the balance which it names is the sum of what was posted. Each event of a stream, from its first.
 *
 * An event that does not carry what it must is in no sum. All others count as they stand, and what is wrong is named.
 */
import { type RecordedEvent, splitStream } from '@tallystick/event-store/port';
import { type AsOf, includes } from '../as-of.ts';
import { stepsOf, textOf } from '../decimal.ts';
import { type AuditedEvent, readEvent } from '../event.ts';
import type { AccountedEvent } from '../verify/accounted.ts';
import { Chain } from '../verify/chain.ts';
import { checkEnvelope } from '../verify/envelope.ts';
import { type Finding, Findings } from '../verify/finding.ts';
import { checkAmounts, type Name, postedTo, type Sides } from './amounts.ts';
import { lackingIn } from './shape.ts';

/** Writers' clocks differ by seconds (rule 9): within one stream, and from stream to stream, times may step back by as much. */
export const CLOCKS_MS = 10_000;

/** What was found wrong: all are counted, the first are kept. */
export interface Found {
  readonly count: number;
  readonly findings: readonly Finding[];
}

const SHOWN_MAX = 100;

interface ExaminedStream {
  readonly chain: Chain;
  /** As the last event says it; a wrong one is taken up, so that it is named once. */
  after: Sides;
  /** Nothing that follows can be of the moment. */
  isPast: boolean;
}

export class Examiner {
  readonly #asOf: AsOf | null;
  readonly #findings = new Findings(SHOWN_MAX);
  readonly #streams = new Map<string, ExaminedStream>();

  constructor(asOf: AsOf | null) {
    this.#asOf = asOf;
  }

  readonly report = (finding: Finding): void => this.#findings.add(finding);

  get count(): number {
    return this.#findings.count;
  }

  isPast(stream: string): boolean {
    return this.#streams.get(stream)?.isPast ?? false;
  }

  /** Null where the event is not of the moment, or cannot be accounted for; then that has been named. */
  examine(recorded: RecordedEvent): AccountedEvent | null {
    const stream = this.#streamOf(recorded.stream);
    if (stream.isPast) return null;
    const event = readOrNull(recorded);
    if (event !== null && isPast(this.#asOf, event)) {
      stream.isPast = true;
      return null;
    }
    stream.chain.follow(recorded);
    const name = this.#namer(recorded);
    if (event === null) {
      name('the event cannot be read', 'an event of this ledger', 'another text');
      return null;
    }
    const lacking = lackingIn(event);
    if (lacking.length > 0) {
      name('the event does not carry what its type must carry', lacking.join(', '), 'none, or another shape');
      return null;
    }
    const accounted = withLegs(event);
    this.#check(stream, accounted, name);
    return includes(this.#asOf, event) ? accounted : null;
  }

  #check(stream: ExaminedStream, event: AccountedEvent, name: Name): void {
    const { category, id } = splitStream(event.stream);
    checkEnvelope(event, category, this.report);
    const posted = postedTo(id, event);
    checkAmounts(event, posted, name);
    const after = event.data.after as { available: string; held: string } | undefined;
    if (after === undefined) return;
    const due = {
      available: stream.after.available + posted.available,
      held: stream.after.held + posted.held,
    };
    stream.after = { available: stepsOf(after.available), held: stepsOf(after.held) };
    for (const side of ['available', 'held'] as const) {
      const what = `${side} after the event is not what the events come to`;
      if (due[side] !== stream.after[side]) name(what, textOf(due[side]), after[side], 'credits');
    }
  }

  /** After the last event: a chain that breaks there has no event after it. */
  end(): Found {
    for (const { chain } of this.#streams.values()) chain.end();
    return { count: this.#findings.count, findings: this.#findings.shown };
  }

  #streamOf(name: string): ExaminedStream {
    let stream = this.#streams.get(name);
    if (stream === undefined) {
      const chain = new Chain(name, this.report);
      stream = { chain, after: { available: 0n, held: 0n }, isPast: false };
      this.#streams.set(name, stream);
    }
    return stream;
  }

  #namer({ stream, revision }: RecordedEvent): Name {
    return (what, expected, found, unit) =>
      this.report({ what, stream, revision, ...(unit === undefined ? {} : { unit }), expected, found });
  }
}

function readOrNull(recorded: RecordedEvent): AuditedEvent | null {
  try {
    return readEvent(recorded);
  } catch {
    return null;
  }
}

function withLegs(event: AuditedEvent): AccountedEvent {
  const legs = event.entry.map(({ account, unit, amount }) => ({ account, unit, steps: stepsOf(amount) }));
  return { ...event, legs };
}

function isPast(asOf: AsOf | null, event: AuditedEvent): boolean {
  if (asOf === null) return false;
  if ('position' in asOf) return event.position > asOf.position;
  return Date.parse(event.recordedAt) > asOf.at + CLOCKS_MS;
}
