/**
 * Domain events to stored texts and back, and the hash chain over them (rule 15).
 *
 *   data  = {"v":1,"recorded_at":…, …event.data}                      what the account's owner may see
 *   meta  = {"v":1,"key":…,"fp":…,"actor":…,"request":…,"trace"?:…,"left":…,"salt":…,"facts":{…},"hash":…}
 *   hash  = H(previous hash, H(type, data), H(meta without its hash))
 *
 * The first event's previous hash is H(stream). All texts are hashed as they are stored, to the byte, so neither may be
 * kept as jsonb. The salt keeps anyone who sees a receipt (data and the digest of meta) from guessing costs.
 */
import { hash, randomUUID } from 'node:crypto';
import type { DomainEvent, Stored } from '@tallystick/domain';
import type { Decided, NewEvent, RecordedEvent } from './port.ts';

const VERSION = 1;

/** Who and what caused an event; goes into its metadata. */
export interface Cause {
  /** The API key's id, or the process part that acted by itself. */
  readonly actor: string;
  /** Request id, to find the log line. */
  readonly request: string;
  /** The `traceparent` of the request, where it is traced. */
  readonly trace?: string;
}

export interface Draft {
  readonly event: DomainEvent;
  readonly cause: Cause;
  readonly fingerprint: string | null;
  /** As its text will be read. */
  readonly envelope: object;
  readonly data: string;
  readonly facts: string;
}

/** The expensive half: the texts of an event. Done once, when it is decided; its length decides where a group is cut. */
export function draftEvent(
  event: DomainEvent,
  recordedAt: string,
  cause: Cause,
  fingerprint: string | null,
): Draft {
  const envelope = { v: VERSION, recorded_at: recordedAt, ...event.data };
  return {
    event,
    cause,
    fingerprint: event.key === null ? null : fingerprint,
    envelope,
    data: JSON.stringify(envelope),
    facts: JSON.stringify(event.facts),
  };
}

export function draftSize(draft: Draft): number {
  return draft.data.length + draft.facts.length + 400;
}

/**
 * The other half: places an event in its append and its chain.
 * @param left how many events follow it in the same append: a replay answers the position of the append's last event
 */
export function sealDraft(
  draft: Draft,
  left: number,
  previousHash: string,
): { event: NewEvent; hash: string } {
  const { event, cause } = draft;
  const keyed =
    event.key === null ? '' : `,"key":${JSON.stringify(event.key)},"fp":${JSON.stringify(draft.fingerprint)}`;
  const traced = cause.trace === undefined ? '' : `,"trace":${JSON.stringify(cause.trace)}`;
  const meta =
    `{"v":${VERSION}${keyed},"actor":${JSON.stringify(cause.actor)},"request":${JSON.stringify(cause.request)}${traced}` +
    `,"left":${left},"salt":"${randomUUID()}","facts":${draft.facts}`;
  const digest = chain(previousHash, event.type, draft.data, `${meta}}`);
  return {
    event: {
      id: randomUUID(),
      type: event.type,
      key: event.key,
      data: draft.data,
      meta: `${meta},"hash":"${digest}"}`,
      decided: {
        data: draft.envelope,
        facts: event.facts,
        fingerprint: draft.fingerprint,
        actor: cause.actor,
        left,
      },
    },
    hash: digest,
  };
}

// What a string may hold is escaped in JSON, so nothing that a caller has written can look like this.
const TRACE = /,"request":"(?:[^"\\]|\\.)*","trace":"(00-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2})"/;

/** The trace of the request that caused an event; null where it was not traced. */
export function traceOf(event: Pick<NewEvent, 'meta'>): string | null {
  return TRACE.exec(event.meta)?.[1] ?? null;
}

const HASH_SUFFIX = /,"hash":"([0-9a-f]{64})"\}$/;
/** Characters at the end of `meta` that say the hash. */
export const HASH_SUFFIX_LENGTH = ',"hash":""}'.length + 64;

/** The hash that an event carries. */
export function hashOf(event: Pick<NewEvent, 'meta'>): string {
  const found = HASH_SUFFIX.exec(event.meta.slice(-HASH_SUFFIX_LENGTH))?.[1];
  if (found === undefined) throw new Error('an event without a hash');
  return found;
}

/** The hash that an event should carry, given the one before it. */
export function expectedHash(previousHash: string, event: Pick<NewEvent, 'type' | 'data' | 'meta'>): string {
  return chain(previousHash, event.type, event.data, `${event.meta.slice(0, -HASH_SUFFIX_LENGTH)}}`);
}

/** Digest of what is not for the account's owner; a receipt shows it in place of the text. */
export function internalDigest(event: Pick<NewEvent, 'meta'>): string {
  return sha256(`${event.meta.slice(0, -HASH_SUFFIX_LENGTH)}}`);
}

/** What stands before the first event of a stream. */
export function chainStart(stream: string): string {
  return sha256(stream);
}

function chain(previous: string, type: string, data: string, internal: string): string {
  return sha256(`${previous}${sha256(`${type}\n${data}`)}${sha256(internal)}`);
}

const sha256 = (text: string): string => hash('sha256', text, 'hex');

interface Envelope {
  readonly v: number;
  readonly fp?: string | null;
  readonly actor: string;
  readonly request: string;
  readonly left: number;
  readonly facts: object;
}

/** A decoded event; `E` is the union of the category's events. */
export type StoredEvent<E extends DomainEvent = DomainEvent> = Stored<E> & {
  readonly actor: string;
  readonly left: number;
};

/** Reads a stored event back. An envelope version this code does not know stops whoever reads it (rule 11). */
export function decodeEvent<E extends DomainEvent>(recorded: RecordedEvent): StoredEvent<E> {
  const { data, facts, fingerprint, actor, left } = recorded.decided ?? readTexts(recorded);
  // The shapes are this ledger's own promise (wallet/events.ts); `evolve` throws on a type it does not know.
  return {
    type: recorded.type,
    key: recorded.key,
    data,
    facts,
    stream: recorded.stream,
    revision: recorded.revision,
    position: recorded.position,
    recordedAt: Date.parse((data as { recorded_at: string }).recorded_at),
    fingerprint,
    actor,
    left,
  } as unknown as StoredEvent<E>;
}

function readTexts(recorded: RecordedEvent): Decided {
  const data = JSON.parse(recorded.data) as { v: number };
  const { v, facts, fp = null, actor, left } = JSON.parse(recorded.meta) as Envelope;
  if (data.v !== VERSION || v !== VERSION)
    throw new Error(`${recorded.stream}:${recorded.revision} has an envelope of another version`);
  return { data, facts, fingerprint: fp, actor, left };
}
