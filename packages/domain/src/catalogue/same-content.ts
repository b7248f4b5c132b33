/**
 * The same content in other words is the same version: a default that is spelled out says what leaving it out says. Terms
 * are stored and shown as they were written; only "is this what is published already?" looks through the words.
 */
import { canonical } from '../canonical.ts';

/** @param plain the terms without what says nothing */
export function isSameContent<T extends object>(
  published: T | null,
  terms: T,
  plain: (terms: T) => object,
): boolean {
  return published !== null && canonical(plain(published)) === canonical(plain(terms));
}

/** `terms` without the members that say no more than `defaults` do. */
export function withoutDefaults<T extends object>(terms: T, defaults: Partial<T>): object {
  const kept = Object.entries(terms).filter(([name, value]) => {
    const usual = defaults[name as keyof T];
    return usual === undefined || canonical(value) !== canonical(usual);
  });
  return Object.fromEntries(kept);
}
