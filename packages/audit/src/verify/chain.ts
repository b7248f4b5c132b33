/**
 * The hash chain of one stream (rule 15), and its revisions: 0, 1, 2, … without a gap.
 *
 * After a break it goes on from the hash that the broken event carries, so that one damage is one finding. What kind of
 * damage it was shows at the event after it, so a break is named one event later.
 */
import type { RecordedEvent } from '@tallystick/event-store';
import { chainStart, expectedHash } from '@tallystick/event-store/codec';
import type { Finding } from './finding.ts';

type Report = (finding: Finding) => void;

/** An event that does not follow from the hash before it. */
interface Break {
  readonly event: RecordedEvent;
  readonly before: string;
  readonly found: string;
}

export class Chain {
  readonly #stream: string;
  readonly #report: Report;
  #hash: string | null;
  #break: Break | null = null;
  /** Of the last event. */
  revision = -1;

  constructor(stream: string, report: Report) {
    this.#stream = stream;
    this.#report = report;
    this.#hash = chainStart(stream);
  }

  /** Of the last event, as it carries it. */
  get hash(): string | null {
    return this.#hash;
  }

  follow(event: RecordedEvent): void {
    this.#count(event);
    const found = carriedHash(event);
    if (found === null) {
      this.#name('the event carries no hash', event.revision, 'a hash at the end of meta', null);
      this.#hash = null;
      return;
    }
    // After a gap nobody knows what this event should follow.
    if (this.#hash !== null && expectedHash(this.#hash, event) !== found) this.#broken(event, found);
    else {
      this.#nameBreak();
      this.#hash = found;
    }
  }

  /** A break at the very end has no event after it. */
  end(): void {
    this.#nameBreak();
  }

  #count({ revision }: RecordedEvent): void {
    const next = this.revision + 1;
    if (revision > next) {
      const last = revision - 1;
      const which = last === next ? `revision ${next}` : `revisions ${next} to ${last}`;
      this.#name('events are missing', next, which, null);
      this.#nameBreak();
      this.#hash = null;
    } else if (revision < next)
      this.#name('a revision comes twice, or too late', revision, String(next), String(revision));
    this.revision = revision;
  }

  #broken(event: RecordedEvent, found: string): void {
    const earlier = this.#break;
    const before = this.#hash ?? '';
    // Does it follow what the broken one before it should have followed? Then that one is out of its place.
    if (earlier !== null && expectedHash(earlier.before, event) === found) {
      this.#break = null;
      const { revision } = earlier.event;
      if (expectedHash(found, earlier.event) === earlier.found) {
        this.#name('two events are swapped', revision, 'in order', `with revision ${event.revision}`);
        this.#hash = earlier.found;
      } else {
        this.#name('an event was inserted', revision, 'no event here', earlier.event.type);
        this.#hash = found;
      }
      return;
    }
    this.#nameBreak();
    this.#break = { event, before, found };
    this.#hash = found;
  }

  #nameBreak(): void {
    if (this.#break === null) return;
    const { event, before, found } = this.#break;
    this.#break = null;
    const what = 'the hash chain breaks: this event was changed, or the one before it';
    this.#name(what, event.revision, expectedHash(before, event), found);
  }

  #name(what: string, revision: number, expected: string | null, found: string | null): void {
    this.#report({ what, stream: this.#stream, revision, expected, found });
  }
}

const SUFFIX = ',"hash":""}'.length + 64;
const HASH = /^[0-9a-f]{64}$/;

/** As the codec finds it; here nearly every event is asked, so the usual one is recognised by its ends. */
function carriedHash({ meta }: RecordedEvent): string | null {
  const hash = meta.slice(-66, -2);
  return meta.startsWith(',"hash":"', meta.length - SUFFIX) && meta.endsWith('"}') && HASH.test(hash)
    ? hash
    : null;
}
