/** Lists of an account by the time of recording, newest or oldest first. */
import { type Static, Type } from 'typebox';
import { type Faults, instantOf, settle } from './parse.ts';
import { closed, Instant, MinPosition, PageQuery } from './schemas.ts';

export const Period = closed({
  ...PageQuery,
  ...MinPosition,
  from: Type.Optional(Instant),
  to: Type.Optional(Instant),
  order: Type.Optional(
    Type.Union([Type.Literal('newest'), Type.Literal('oldest')], { description: 'First. Left out: newest.' }),
  ),
});

/** `from` inclusive, `to` exclusive. Ends the request with 422 where one is no time. */
export function periodOf(account: string, query: Static<typeof Period>) {
  const faults: Faults = [];
  const from = instantOf(query.from, 'from', faults) ?? undefined;
  const to = instantOf(query.to, 'to', faults) ?? undefined;
  settle(faults);
  return {
    account,
    from,
    to,
    cursor: query.cursor,
    pageSize: query.page_size,
    order: query.order ?? 'newest',
  } as const;
}
