/**
 * One row for every subscription that an account has had: its latest picture, as its last event tells it. `pots` and
 * `paid_money` are money behind the period, for finance only (P8); with `terms` they make the row enough to say what
 * becomes of the subscription when it falls due.
 */
export const subscriptionsDdl = `
create table if not exists $schema.subscriptions (
  account text collate "C" not null,
  subscription text collate "C" not null,
  -- Revision of the event that started it: the order in which an account had them.
  born bigint not null,
  plan text collate "C" not null,
  plan_version integer not null,
  status text not null,
  period_end timestamptz not null,
  grace_ends_at timestamptz,
  ended_at timestamptz,
  -- The soonest of its lines' grants; null where all are of the period or without limit, or none is granted unpaid.
  next_grant_at timestamptz,
  due_at timestamptz generated always as (
    case when ended_at is null then least(period_end, grace_ends_at, next_grant_at) end
  ) stored,
  picture text not null,
  terms text not null,
  pots text,
  paid_money text,
  started_at timestamptz not null,
  revision bigint not null,
  primary key (account, subscription)
) with (fillfactor = 50);
create index if not exists subscriptions_due on $schema.subscriptions (account) where due_at is not null;
`;
