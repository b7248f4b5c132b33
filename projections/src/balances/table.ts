/**
 * One row per wallet and unit, in smallest steps. Fill factor 50: nearly every update then stays on its page
 * (heap-only), which spares the indexes.
 */
export const balancesDdl = `
create table if not exists $schema.balances (
  account text collate "C" not null,
  unit text collate "C" not null,
  available bigint not null,
  held bigint not null,
  granted bigint not null,
  adjusted bigint not null,
  consumed bigint not null,
  expired bigint not null,
  withdrawn bigint not null,
  debt bigint not null,
  -- Of the last event of the wallet's stream, whether it moved anything or not.
  revision bigint not null,
  position bigint not null,
  -- Earliest due lot, open hold, quota or step of the subscription; exact. Null: nothing will fall due by itself.
  next_due_at timestamptz,
  primary key (account, unit),
  -- L14, checked at every commit.
  constraint closed_identity check (granted + adjusted - consumed - held - expired - withdrawn = available)
) with (fillfactor = 50);
create index if not exists balances_due on $schema.balances (next_due_at) where next_due_at is not null;
`;
