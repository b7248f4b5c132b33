/**
 * Every quota that ever was, in its own unit. `open`: there is still something in it. `paid_in_all`, `paid` and `currency`
 * are its share of the plan's price, for finance only (P8).
 */
export const quotasDdl = `
create table if not exists $schema.quotas (
  account text collate "C" not null,
  quota text collate "C" not null,
  unit text collate "C" not null,
  model text not null,
  granted bigint not null,
  free bigint not null,
  pinned bigint not null,
  used bigint not null,
  expired bigint not null,
  open boolean not null,
  starts_at timestamptz not null,
  expires_at timestamptz not null,
  counted_dimensions text,
  origin text not null,
  -- Of a plan's: the subscription, and the line of what it includes.
  subscription text collate "C",
  line integer,
  born bigint not null,
  created_at timestamptz not null,
  currency text,
  paid_in_all bigint not null,
  paid bigint not null,
  primary key (account, quota),
  constraint nothing_below_zero check (free >= 0 and pinned >= 0 and used >= 0 and expired >= 0),
  -- L14, checked at every commit.
  constraint closed_identity check (granted = free + pinned + used + expired)
) with (fillfactor = 50);
create index if not exists quotas_open on $schema.quotas (account) where open;
`;
