/**
 * Purchases; coupons as each account has them; what has accrued to each account for its friends. What a customer pays for
 * his own purchase is no secret to him, so these tables hold prices and are for owners all the same.
 */
export const purchasesDdl = `
create table if not exists $schema.purchases (
  account text collate "C" not null,
  purchase text collate "C" not null,
  package text collate "C" not null,
  package_version integer not null,
  credits bigint not null,
  bonus bigint not null,
  currency text not null,
  price bigint not null,
  discount bigint not null,
  total bigint not null,
  coupon text collate "C",
  auto_top_up text,
  -- pending, paid, canceled
  status text not null,
  lot text,
  -- Revision of the event that opened it: the order in which an account made them.
  born bigint not null,
  opened_at timestamptz not null,
  closed_at timestamptz,
  -- Revision of the entry that paid for it.
  entry bigint,
  reversed_at timestamptz,
  primary key (account, purchase)
) with (fillfactor = 70);
create index if not exists purchases_born on $schema.purchases (account, born);
create index if not exists purchases_entry on $schema.purchases (account, entry) where entry is not null;
create table if not exists $schema.account_coupons (
  account text collate "C" not null,
  -- Revision of the event that made the row.
  born bigint not null,
  code text collate "C" not null,
  -- saved: waits for a purchase; used: by a purchase or for credits; freed: may be used again
  status text not null,
  purchase text collate "C",
  credits bigint,
  at timestamptz not null,
  freed_at timestamptz,
  primary key (account, born)
) with (fillfactor = 70);
create table if not exists $schema.referral_accruals (
  account text collate "C" not null,
  friend text collate "C" not null,
  -- Of the friend's entry.
  revision bigint not null,
  reason text not null,
  credits bigint not null,
  -- Of these: withheld, or taken while pending.
  taken bigint not null,
  clawed_back boolean not null,
  lot text,
  available_at timestamptz not null,
  born bigint not null,
  accrued_at timestamptz not null,
  status text not null generated always as (
    case when clawed_back or (lot is null and taken >= credits) then 'clawed_back'
         when lot is not null then 'granted' else 'pending' end
  ) stored,
  primary key (account, friend, revision)
) with (fillfactor = 70);
create index if not exists referral_accruals_born on $schema.referral_accruals (account, born);
create index if not exists referral_accruals_pending on $schema.referral_accruals (account, available_at)
  where status = 'pending';
`;
