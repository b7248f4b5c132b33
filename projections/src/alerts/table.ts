/** Every warning that was ever raised; one that was told is a fact, whatever has come since. For owners (P8). */
export const alertsDdl = `
create table if not exists $schema.alerts (
  account text collate "C" not null,
  -- Revision of the event that raised it.
  born bigint not null,
  -- quota, balance, daily_spend
  alert text not null,
  -- Percent, or credits.
  threshold text not null,
  key text collate "C" not null,
  -- What else the event says: JSON.
  figures text not null,
  effective_at timestamptz not null,
  raised_at timestamptz not null,
  primary key (account, born)
);
`;
