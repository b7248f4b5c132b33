/** Pages of what is kept in memory: plans, packages, coupons. */
import { decodeCursor, type PageOf, type PageQuery, pageOf, pageSizeOf } from '@tallystick/projections';

export interface Listed {
  readonly id: string;
  /** Left out: after all that have one. */
  readonly display_order?: number | undefined;
}

const LAST = 9_999_999_999;

/** In the order of `display_order`, then of ids. `list` names what the cursor is of. */
export function pageOfCatalogue<T extends Listed, V>(
  list: string,
  items: readonly T[],
  query: PageQuery,
  toView: (item: T) => V,
): PageOf<V> {
  const size = pageSizeOf(query);
  const after = decodeCursor(list, query);
  const rows = items
    .map((item) => ({ key: keyOf(item), item }))
    .filter(({ key }) => after === null || key > after)
    .sort((a, b) => (a.key < b.key ? -1 : 1))
    .slice(0, size + 1);
  return pageOf(
    list,
    rows,
    size,
    ({ key }) => key,
    ({ item }) => toView(item),
  );
}

const keyOf = ({ id, display_order = LAST }: Listed): string =>
  `${String(display_order).padStart(10, '0')}:${id}`;
