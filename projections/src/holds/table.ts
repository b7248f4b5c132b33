/**
 * Holds, and what each still has of which lot (pins; an uncovered part stands beyond all lots) and of which quota
 * (quota_pins).
 */
export const holdsDdl = `
create table if not exists $schema.holds (
  account text collate "C" not null,
  hold text collate "C" not null,
  status text not null,
  purpose text not null,
  model text not null,
  estimate text not null,
  price_book text not null,
  price_book_version integer not null,
  credits bigint not null,
  uncovered bigint not null,
  expires_at timestamptz not null,
  placed_at timestamptz not null,
  -- Revision at which it was last opened: the order in which holds are covered.
  opened bigint not null,
  closed_at timestamptz,
  -- Revision of the event that closed it: the entry that settled it.
  closed bigint,
  primary key (account, hold)
) with (fillfactor = 50);
-- A wallet's next due is the end of the first of them: found without looking at the others.
drop index if exists $schema.holds_open;
create index if not exists holds_open_until on $schema.holds (account, expires_at) where status = 'open';
create table if not exists $schema.pins (
  account text collate "C" not null,
  hold text collate "C" not null,
  lot text collate "C" not null,
  credits bigint not null,
  paid bigint not null,
  -- Order of the pins of a hold.
  since bigint not null,
  primary key (account, hold, lot)
) with (fillfactor = 50);
create table if not exists $schema.quota_pins (
  account text collate "C" not null,
  hold text collate "C" not null,
  quota text collate "C" not null,
  quantity bigint not null,
  primary key (account, hold, quota)
) with (fillfactor = 50);
`;
