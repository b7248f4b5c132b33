/**
 * One narrow typed row per event that moves value. Nearly all postings follow from the typed columns; only where they
 * do not is their text kept. `postings` gives those of every entry, exactly as its event has them; within an entry they
 * are a set. `cost`, `revenue`, `supplier` and `postings` are for finance only (P8).
 *
 * A usage is found by its business key (the store's, or the key index) and this primary key: an index of its own
 * would cost every charge a write.
 */
export const entriesDdl = `
create table if not exists $schema.entries (
  stream text collate "C" not null,
  revision bigint not null,
  position bigint not null,
  recorded_at timestamptz not null,
  type text not null,
  -- What the wallet has more or less by it, and what it has then.
  available bigint not null,
  held bigint not null,
  after_available bigint not null,
  after_held bigint not null,
  -- The number that the event is about: charged, topped up, granted, adjusted (signed), reversed.
  credits bigint,
  usage_id text,
  -- Of a usage or a top-up; the kind of a grant.
  source text,
  reference text,
  reason text,
  hold text,
  model text,
  mode text,
  occurred_at timestamptz,
  usage text,
  -- What paid: "lot=steps lot=steps".
  lots text,
  price_book text,
  price_book_version integer,
  late boolean,
  repriced text,
  -- What came from quotas, as JSON; what the plan would have refused, had the call not run: "word word".
  quota text,
  violations text,
  supplier text,
  cost bigint,
  cost_currency text,
  revenue bigint,
  revenue_currency text,
  reverses bigint,
  postings text,
  -- Written later: revision of the event that took it back, and of the charge that a parked usage became.
  reversed_by bigint,
  resolved_by bigint,
  primary key (stream, revision)
);
create index if not exists entries_unpriced on $schema.entries (position)
  where type = 'UsageUnpriced' and resolved_by is null;
create index if not exists entries_parked on $schema.entries (stream, usage_id, source)
  where type = 'UsageUnpriced' and resolved_by is null;
create index if not exists entries_violations on $schema.entries (position) where violations is not null;
create index if not exists entries_own_violations on $schema.entries (stream, revision)
  where violations is not null;

-- As encodeURIComponent: every segment of an account's name is encoded.
create or replace function $schema.segment(name text) returns text language sql immutable parallel safe as $f$
  select coalesce(string_agg(
    case
      when chr(b) ~ '[A-Za-z0-9_.!~*''()-]' and b < 128 then chr(b)
      else '%' || upper(lpad(to_hex(b), 2, '0'))
    end, '' order by i), '')
  from (
    select i, get_byte(convert_to(name, 'UTF8'), i) as b
    from generate_series(0, octet_length(convert_to(name, 'UTF8')) - 1) as i
  ) as bytes
$f$;

-- Steps to a decimal without trailing zeros. Multiplied, because a division would round.
create or replace function $schema.amount(steps bigint, unit text) returns text
language sql immutable parallel safe as $f$
  select trim_scale(steps * case
    when unit = 'credits' then 0.000001
    when unit ~ '^[A-Z]{3}$' then 0.000000001
    else 1 end)::text
$f$;

-- First revision of a stream recorded at or after an instant, by halving: times in a stream grow, but for clocks that
-- differ by seconds, which the caller allows for.
create or replace function $schema.revision_at(of_stream text, at timestamptz) returns bigint
language plpgsql stable as $f$
declare
  low bigint := 0;
  high bigint;
  middle bigint;
  found_at timestamptz;
  found_revision bigint;
begin
  select revision + 1 into high from $schema.entries where stream = of_stream order by revision desc limit 1;
  if high is null then return 0; end if;
  while low < high loop
    middle := (low + high) / 2;
    select recorded_at, revision into found_at, found_revision from $schema.entries
      where stream = of_stream and revision >= middle order by revision limit 1;
    if found_at < at then low := found_revision + 1; else high := middle; end if;
  end loop;
  return low;
end
$f$;

create or replace view $schema.postings as
select e.stream, e.revision, e.position, e.recorded_at, p.account, p.unit, p.amount
from $schema.entries e
cross join lateral (
  select x.account, x.unit, x.amount
    from json_to_recordset(coalesce(e.postings, '[]')::json) as x(account text, unit text, amount text)
  union all
  select 'liabilities:wallets:' || $schema.segment(substr(e.stream, 8)) || ':available', 'credits',
    $schema.amount(-e.available, 'credits') where e.postings is null and e.available <> 0
  union all
  select 'liabilities:wallets:' || $schema.segment(substr(e.stream, 8)) || ':held', 'credits',
    $schema.amount(-e.held, 'credits') where e.postings is null and e.held <> 0
  union all
  select 'income:usage:' || $schema.segment(e.model), 'credits', $schema.amount(-e.credits, 'credits')
    where e.postings is null and e.type = 'UsageCharged' and e.credits <> 0
  union all
  select 'liabilities:deferred-revenue', e.revenue_currency, $schema.amount(e.revenue, e.revenue_currency)
    where e.postings is null and e.revenue <> 0
  union all
  select 'income:usage:' || $schema.segment(e.model), e.revenue_currency,
    $schema.amount(-e.revenue, e.revenue_currency) where e.postings is null and e.revenue <> 0
  union all
  select 'expenses:suppliers:' || $schema.segment(coalesce(e.supplier, 'unknown')), e.cost_currency,
    $schema.amount(e.cost, e.cost_currency) where e.postings is null and e.cost <> 0
  union all
  select 'liabilities:suppliers:' || $schema.segment(coalesce(e.supplier, 'unknown')), e.cost_currency,
    $schema.amount(-e.cost, e.cost_currency) where e.postings is null and e.cost <> 0
) p;
`;
