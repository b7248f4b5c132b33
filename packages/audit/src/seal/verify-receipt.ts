/** Checks a receipt by itself: everything it says must follow from its texts, up to the hash of its last seal. */
import { hash } from 'node:crypto';
import { fromHex, rootFrom, toHex } from './merkle.ts';
import { type Link, NoReceipt, placeOf, type Receipt } from './receipt.ts';
import { eventLeaf, rangeLeaf, SEALS } from './seal.ts';

export interface Mismatch {
  readonly what: string;
  /** What the other parts of the receipt come to. */
  readonly expected: string;
  /** What it says. */
  readonly found: string;
}

export interface Sealed {
  readonly number: number;
  readonly root: string;
  readonly ranges: number;
  readonly recorded_at: string;
  readonly previous_root?: string;
}

/** The first thing that does not hold; null where all does. Whether its seals are the ledger's, it cannot say itself. */
export function verifyReceipt(receipt: Receipt): Mismatch | null {
  for (const check of [checkEvent, checkPlace, checkRoot, checkSeal, checkLater]) {
    const mismatch = check(receipt);
    if (mismatch !== null) return mismatch;
  }
  return null;
}

/** The seals that a receipt leads to, its own first, each with the hash that its text and those before come to. */
export function sealsOf({ seal, later = [] }: Receipt): [NumberedHash, ...NumberedHash[]] {
  let { number, hash } = seal;
  const following = later.map((link) => {
    number += 1;
    hash = hashOfLink(SEAL_TYPE, { ...link, previous_hash: hash });
    return { number, hash };
  });
  return [{ number: seal.number, hash: seal.hash }, ...following];
}

export interface NumberedHash {
  readonly number: number;
  readonly hash: string;
}

/** What the seal of a receipt says itself. @throws NoReceipt where it says nothing of that */
export function sealOf({ seal }: Receipt): Sealed {
  const said = sealedIn(seal.data);
  if (said === null) throw new NoReceipt('seal.data', 'must be the text of a seal');
  return said;
}

function checkEvent(receipt: Receipt): Mismatch | null {
  const { stream, revision } = entryOf(receipt);
  const { event } = receipt;
  const start = revision === 0 ? sha256(stream) : event.previous_hash;
  return (
    compare('the hash before the first event of its stream', start, event.previous_hash) ??
    compare('the hash of the event', hashOfLink(event.type, event), event.hash)
  );
}

function checkPlace(receipt: Receipt): Mismatch | null {
  const { revision } = entryOf(receipt);
  const { from, to } = receipt.range;
  if (from <= revision && revision <= to) return null;
  return { what: 'the place of the entry', expected: `from ${from} to ${to}`, found: String(revision) };
}

/** From the event to the root of its range, and from there to the root that the seal names. */
function checkRoot(receipt: Receipt): Mismatch | null {
  const { stream, revision } = entryOf(receipt);
  const { event, range, seal } = receipt;
  const said = sealedIn(seal.data);
  if (said === null)
    return { what: 'the text of the seal', expected: 'number, root and ranges', found: seal.data };
  const place = { index: revision - range.from, size: range.to - range.from + 1 };
  const sub = rootFrom(eventLeaf(event.hash), place, range.path.map(fromHex));
  if (sub === null) return misfit('the path in the range', place, range.path);
  const above = { index: seal.index, size: said.ranges };
  const leaf = rangeLeaf([stream, range.from, range.to, toHex(sub)]);
  const root = rootFrom(leaf, above, seal.path.map(fromHex));
  if (root === null) return misfit('the path in the seal', above, seal.path);
  return compare('the root of the seal', toHex(root), said.root);
}

function checkSeal({ seal }: Receipt): Mismatch | null {
  const start = seal.number === 1 ? sha256(SEALS) : seal.previous_hash;
  return (
    compare('the number of the seal', String(sealedIn(seal.data)?.number), String(seal.number)) ??
    compare('the hash before the first seal', start, seal.previous_hash) ??
    compare('the hash of the seal', hashOfLink(SEAL_TYPE, seal), seal.hash)
  );
}

/** Each later seal follows on the one before. Their hashes are not said but come to: what is kept is held against those. */
function checkLater({ seal, later = [] }: Receipt): Mismatch | null {
  let before = sealedIn(seal.data);
  for (const [index, { data }] of later.entries()) {
    const said = sealedIn(data);
    const number = seal.number + 1 + index;
    if (said === null || before === null)
      return { what: `the text of seal ${number}`, expected: 'number, root and ranges', found: data };
    const mismatch =
      compare('the number of a later seal', String(number), String(said.number)) ??
      compare(`the previous root in seal ${number}`, before.root, String(said.previous_root));
    if (mismatch !== null) return mismatch;
    before = said;
  }
  return null;
}

const SEAL_TYPE = 'LedgerSealed';

/** As every event's hash is made (`docs/architecture.md`, "An event"). */
function hashOfLink(type: string, { data, internal, previous_hash }: Omit<Link, 'hash'>): string {
  return sha256(`${previous_hash}${sha256(`${type}\n${data}`)}${internal}`);
}

function sealedIn(data: string): Sealed | null {
  try {
    const said = JSON.parse(data) as Partial<Sealed> | null;
    const { number, root, ranges, recorded_at } = said ?? {};
    const isWhole = Number.isSafeInteger(number) && Number.isSafeInteger(ranges);
    if (!isWhole || typeof root !== 'string' || typeof recorded_at !== 'string') return null;
    return said as Sealed;
  } catch {
    return null;
  }
}

function entryOf({ entry_id }: Receipt): { readonly stream: string; readonly revision: number } {
  const place = placeOf(entry_id);
  if (place === null) throw new NoReceipt('entry_id', 'must be a stream, a colon and a revision');
  return place;
}

function compare(what: string, expected: string, found: string): Mismatch | null {
  return expected === found ? null : { what, expected, found };
}

function misfit(
  what: string,
  { index, size }: { index: number; size: number },
  path: readonly string[],
): Mismatch {
  return { what, expected: `that of leaf ${index} of ${size}`, found: `${path.length} digests` };
}

const sha256 = (text: string): string => hash('sha256', text, 'hex');
