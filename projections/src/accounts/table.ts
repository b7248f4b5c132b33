export const accountsDdl = `
create table if not exists $schema.accounts (
  account text collate "C" primary key,
  price_book text,
  overdraft_limit bigint not null,
  time_zone text not null,
  currency text,
  created_at timestamptz not null
);
-- Frozen while there is a row (rule 34).
create table if not exists $schema.freezes (
  account text collate "C" not null,
  reference text collate "C" not null,
  reason text not null,
  frozen_at timestamptz not null,
  primary key (account, reference)
);
-- Apart from the account, because a profile can be deleted (rule 17).
create table if not exists $schema.profiles (
  account text collate "C" primary key,
  name text,
  metadata text
);
`;
