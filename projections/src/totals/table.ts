/**
 * Platform accounts (revenue, supplier cost, deferred revenue, clearing, …), summed from the postings of every entry.
 * One row per projector partition, summed on read: no row that everyone updates (rule 27). In smallest steps.
 */
export const totalsDdl = `
create table if not exists $schema.platform_totals (
  partition integer not null,
  account text collate "C" not null,
  unit text collate "C" not null,
  balance numeric not null,
  primary key (partition, account, unit)
) with (fillfactor = 50);
`;
