/**
 * A receipt proves one entry to whoever has kept the hash of one seal, without the server. It shows the entry's text as
 * it is stored and the digest of what its owner may not see; of other customers it holds digests and nothing else (P8).
 * `docs/receipts.md` describes it to the byte.
 */
import type { SealedRange } from '@tallystick/domain';
import { chainStart, hashOf, internalDigest, type RecordedEvent } from '@tallystick/event-store';
import { pathOf, toHex } from './merkle.ts';
import { eventLeaf, rangeLeaf } from './seal.ts';

/** An event in the chain of its stream. Digests are in hex. */
export interface Link {
  /** JSON, to the byte. */
  readonly data: string;
  /** Digest of what is not for the account's owner. */
  readonly internal: string;
  readonly previous_hash: string;
  readonly hash: string;
}

/** What it takes to come from one seal's hash to the next one's. */
export type LaterSeal = Pick<Link, 'data' | 'internal'>;

export interface Receipt {
  readonly version: 1;
  readonly entry_id: string;
  readonly event: Link & { readonly type: string };
  /** Revisions of the entry's stream that were sealed as one, and the way from the entry to their root. */
  readonly range: { readonly from: number; readonly to: number; readonly path: readonly string[] };
  /** The seal's event, the range's place in its tree, and the way from there to its root. */
  readonly seal: Link & {
    readonly number: number;
    readonly index: number;
    readonly path: readonly string[];
  };
  /** The seals after its own, in order, up to one that somebody has kept; only where they were asked for. */
  readonly later?: readonly LaterSeal[];
}

export interface ReceiptParts {
  readonly stream: string;
  readonly revision: number;
  /** All events of the range, in order. */
  readonly events: readonly RecordedEvent[];
  /** The stream's event before the range; null where the range begins the stream. */
  readonly before: RecordedEvent | null;
  readonly seal: RecordedEvent;
  readonly sealBefore: RecordedEvent | null;
}

export function makeReceipt({ stream, revision, events, before, seal, sealBefore }: ReceiptParts): Receipt {
  const { number, ranges } = readSeal(seal);
  const index = ranges.findIndex(([of, from, to]) => of === stream && from <= revision && revision <= to);
  const range = ranges[index];
  if (range === undefined) throw new Error(`seal ${number} does not cover ${stream}:${revision}`);
  const [, from, to] = range;
  const event = events[revision - from];
  if (event?.revision !== revision || events.length !== to - from + 1)
    throw new Error(`${stream} does not have the events ${from} to ${to} that seal ${number} covers`);
  const leaves = events.map((one) => eventLeaf(hashOf(one)));
  return {
    version: 1,
    entry_id: `${stream}:${revision}`,
    event: { type: event.type, ...linkOf(event, events[revision - from - 1] ?? before) },
    range: { from, to, path: pathOf(leaves, revision - from).map(toHex) },
    seal: {
      number,
      ...linkOf(seal, sealBefore),
      index,
      path: pathOf(ranges.map(rangeLeaf), index).map(toHex),
    },
  };
}

function linkOf(event: RecordedEvent, previous: RecordedEvent | null): Link {
  return {
    data: event.data,
    internal: internalDigest(event),
    previous_hash: previous === null ? chainStart(event.stream) : hashOf(previous),
    hash: hashOf(event),
  };
}

function readSeal({ data, meta }: RecordedEvent): { number: number; ranges: readonly SealedRange[] } {
  const { number } = JSON.parse(data) as { number: number };
  const { facts } = JSON.parse(meta) as { facts: { ranges: readonly SealedRange[] } };
  return { number, ranges: facts.ranges };
}

/** Stream and revision of an entry's id, written in one way only; null where it is none. */
export function placeOf(id: string): { readonly stream: string; readonly revision: number } | null {
  const [, stream, revision] = /^([a-z]+-[A-Za-z0-9._@+-]+):(0|[1-9][0-9]{0,14})$/.exec(id) ?? [];
  return stream === undefined ? null : { stream, revision: Number(revision) };
}

/** What is given is no receipt: which member breaks which rule. */
export class NoReceipt extends Error {
  constructor(member: string, rule: string) {
    super(`${member} ${rule}`);
    this.name = 'NoReceipt';
  }
}

/** @throws NoReceipt. It has exactly the documented members, so that nothing rides along that is not proved. */
export function parseReceipt(text: string): Receipt {
  let given: unknown;
  try {
    given = JSON.parse(text);
  } catch {
    throw new NoReceipt('the receipt', 'must be JSON');
  }
  const receipt = membersOf('the receipt', given, [...MEMBERS, ...laterOf(given)]);
  if (receipt.version !== 1) throw new NoReceipt('version', 'must be 1: this program knows no other');
  if (typeof receipt.entry_id !== 'string' || placeOf(receipt.entry_id) === null)
    throw new NoReceipt('entry_id', 'must be a stream, a colon and a revision');
  const event = membersOf('event', receipt.event, ['type', ...LINK]);
  const range = membersOf('range', receipt.range, ['from', 'to', 'path']);
  const seal = membersOf('seal', receipt.seal, ['number', ...LINK, 'index', 'path']);
  assertText('event.type', event.type);
  for (const [name, link] of [['event', event] as const, ['seal', seal] as const]) {
    assertText(`${name}.data`, link.data);
    for (const digest of ['internal', 'previous_hash', 'hash'])
      assertDigest(`${name}.${digest}`, link[digest]);
  }
  for (const name of ['from', 'to']) assertCount(`range.${name}`, range[name]);
  for (const name of ['number', 'index']) assertCount(`seal.${name}`, seal[name]);
  assertPath('range.path', range.path);
  assertPath('seal.path', seal.path);
  if (receipt.later !== undefined) assertLater(receipt.later);
  return given as Receipt;
}

const MEMBERS = ['version', 'entry_id', 'event', 'range', 'seal'];
const LINK = ['data', 'internal', 'previous_hash', 'hash'];

/** The one member that may be left out. */
const laterOf = (given: unknown): string[] =>
  given !== null && typeof given === 'object' && 'later' in given ? ['later'] : [];

function membersOf(
  name: string,
  value: unknown,
  members: readonly string[],
): Readonly<Record<string, unknown>> {
  if (value === null || typeof value !== 'object' || Array.isArray(value))
    throw new NoReceipt(name, 'must be an object');
  const given = Object.keys(value);
  if (given.length !== members.length || !members.every((member) => given.includes(member)))
    throw new NoReceipt(name, `must have these members and no others: ${members.join(', ')}`);
  return value as Record<string, unknown>;
}

function assertText(name: string, value: unknown): void {
  if (typeof value !== 'string' || value === '') throw new NoReceipt(name, 'must be a text');
}

function assertDigest(name: string, value: unknown): void {
  if (typeof value !== 'string' || !/^[0-9a-f]{64}$/.test(value))
    throw new NoReceipt(name, 'must be 64 hexadecimal digits in lower case');
}

function assertCount(name: string, value: unknown): void {
  if (!Number.isSafeInteger(value) || (value as number) < 0)
    throw new NoReceipt(name, 'must be a whole number from 0 on');
}

function assertPath(name: string, value: unknown): void {
  if (!Array.isArray(value)) throw new NoReceipt(name, 'must be a list');
  value.forEach((digest, index) => {
    assertDigest(`${name}[${index}]`, digest);
  });
}

function assertLater(value: unknown): void {
  if (!Array.isArray(value)) throw new NoReceipt('later', 'must be a list');
  value.forEach((link: unknown, index) => {
    const name = `later[${index}]`;
    const { data, internal } = membersOf(name, link, ['data', 'internal']);
    assertText(`${name}.data`, data);
    assertDigest(`${name}.internal`, internal);
  });
}
