/**
 * Merkle trees as RFC 6962 has them: SHA-256, 0x00 before a leaf and 0x01 before two nodes, so that neither can pass
 * for the other. Level by level, a node without a neighbour goes up as it is, which gives that RFC's tree for any size.
 */
import { hash } from 'node:crypto';

/** 32 bytes. */
export type Digest = Uint8Array;

const NODE = Buffer.alloc(65, 1);

/** Of a leaf's content, as UTF-8. */
export function leafHash(content: string): Digest {
  return hash('sha256', `\0${content}`, 'buffer');
}

function nodeHash(left: Digest, right: Digest): Digest {
  NODE.set(left, 1);
  NODE.set(right, 33);
  return hash('sha256', NODE, 'buffer');
}

/** Of one or more leaves. */
export function rootOf(leaves: readonly Digest[]): Digest {
  let level = leaves;
  while (level.length > 1) level = above(level);
  const [root] = level;
  if (root === undefined) throw new Error('a tree has at least one leaf');
  return root;
}

/** The neighbours from a leaf up to the root: with them anyone can make the root from the leaf. */
export function pathOf(leaves: readonly Digest[], index: number): Digest[] {
  const path: Digest[] = [];
  let at = index;
  for (let level = leaves; level.length > 1; level = above(level)) {
    const neighbour = level[neighbourOf(at)];
    if (neighbour !== undefined) path.push(neighbour);
    at = Math.floor(at / 2);
  }
  return path;
}

/** The root that a leaf and its path lead to; null where the path is not one of that place in a tree of that size. */
export function rootFrom(
  leaf: Digest,
  place: { readonly index: number; readonly size: number },
  path: readonly Digest[],
): Digest | null {
  if (!(place.index >= 0 && place.index < place.size)) return null;
  let node = leaf;
  let at = place.index;
  let used = 0;
  for (let width = place.size; width > 1; width = Math.ceil(width / 2)) {
    if (neighbourOf(at) < width) {
      const neighbour = path[used++];
      if (neighbour === undefined) return null;
      node = at % 2 === 0 ? nodeHash(node, neighbour) : nodeHash(neighbour, node);
    }
    at = Math.floor(at / 2);
  }
  return used === path.length ? node : null;
}

const neighbourOf = (at: number): number => (at % 2 === 0 ? at + 1 : at - 1);

function above(level: readonly Digest[]): Digest[] {
  const nodes: Digest[] = [];
  for (let at = 0; at < level.length; at += 2) {
    const [left, right] = [level[at], level[at + 1]] as [Digest, Digest | undefined];
    nodes.push(right === undefined ? left : nodeHash(left, right));
  }
  return nodes;
}

export const toHex = (digest: Digest): string => Buffer.from(digest).toString('hex');
export const fromHex = (hex: string): Digest => Buffer.from(hex, 'hex');
