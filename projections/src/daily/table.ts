/**
 * What was sold and what it cost, by day (UTC, of recording: the accounting date, rule 36), model, supplier and unit.
 * `amount` is what was charged (credits) or earned (currencies), `cost` what suppliers take. In smallest steps.
 * A reversal counts against the day on which it is made; it does not say a supplier.
 */
export const dailyDdl = `
create table if not exists $schema.daily_totals (
  partition integer not null,
  day date not null,
  model text collate "C" not null,
  supplier text collate "C" not null,
  unit text collate "C" not null,
  calls bigint not null,
  amount numeric not null,
  cost numeric not null,
  primary key (partition, day, model, supplier, unit)
) with (fillfactor = 50);
`;
