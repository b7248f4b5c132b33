/**
 * Every lot that ever was. `open` says whether anything is left in it: as a column of its own it changes twice in a
 * lot's life, so the index over it leaves the updates of `free` heap-only.
 * `paid_in_all`, `paid` and `currency` are for finance only (P8).
 */
export const lotsDdl = `
create table if not exists $schema.lots (
  account text collate "C" not null,
  lot text collate "C" not null,
  unit text collate "C" not null,
  quantity bigint not null,
  free bigint not null,
  pinned bigint not null,
  open boolean not null,
  priority integer not null,
  expires_at timestamptz,
  withdrawable bigint not null,
  origin_kind text not null,
  origin_of text not null,
  origin_ref text not null,
  born bigint not null,
  created_at timestamptz not null,
  currency text,
  paid_in_all bigint not null,
  paid bigint not null,
  primary key (account, lot),
  constraint nothing_below_zero check (free >= 0 and pinned >= 0)
) with (fillfactor = 50);
create index if not exists lots_open on $schema.lots (account) where open;
`;
