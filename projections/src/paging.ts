/** Pages: opaque cursors, bounded sizes. */

export const PAGE_SIZE_DEFAULT = 50;
export const PAGE_SIZE_MAX = 500;

export interface PageOf<T> {
  readonly data: readonly T[];
  /** Null where this was the last page. */
  readonly next_cursor: string | null;
}

export interface PageQuery {
  readonly cursor?: string | undefined;
  readonly pageSize?: number | undefined;
}

/** A cursor that this ledger did not make: a fault of the caller. */
export class BadCursor extends Error {
  constructor() {
    super('the cursor is not one of this list');
    this.name = 'BadCursor';
  }
}

/** Between 1 and `PAGE_SIZE_MAX`. */
export function pageSizeOf({ pageSize }: PageQuery): number {
  return Math.min(PAGE_SIZE_MAX, Math.max(1, Math.trunc(pageSize ?? PAGE_SIZE_DEFAULT)));
}

/** `list` names what the cursor is of: one of another list is refused rather than misread. */
export function encodeCursor(list: string, key: string): string {
  return Buffer.from(JSON.stringify([list, key])).toString('base64url');
}

/** The key after which the page begins; null at the start. */
export function decodeCursor(list: string, { cursor }: PageQuery): string | null {
  if (cursor === undefined) return null;
  try {
    const read: unknown = JSON.parse(Buffer.from(cursor, 'base64url').toString());
    // A forged one may hold what Postgres takes in no text: that is its maker's fault, not ours.
    if (Array.isArray(read) && read[0] === list && typeof read[1] === 'string' && isStorable(read[1]))
      return read[1];
  } catch {
    // Not even JSON: refused like every other.
  }
  throw new BadCursor();
}

const isStorable = (text: string): boolean => text.isWellFormed() && !text.includes('\0');

/** As `decodeCursor`, for lists in the order of a number. */
export function decodeNumber(list: string, query: PageQuery): string | null {
  const key = decodeCursor(list, query);
  if (key !== null && !/^\d{1,18}$/.test(key)) throw new BadCursor();
  return key;
}

/** Of `pageSize + 1` rows that were asked for: the page, and where the next begins. */
export function pageOf<Row, T>(
  list: string,
  rows: readonly Row[],
  size: number,
  keyOf: (row: Row) => string,
  toView: (row: Row) => T,
): PageOf<T> {
  const shown = rows.slice(0, size);
  const last = shown.at(-1);
  return {
    data: shown.map(toView),
    next_cursor: rows.length > size && last !== undefined ? encodeCursor(list, keyOf(last)) : null,
  };
}
