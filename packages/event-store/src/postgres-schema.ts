/**
 * The Postgres store's tables and its one writing function. PostgreSQL 15 or later.
 *
 * `append_group_2` is the only way an event is written. It holds the ledger's lock from its first statement to the
 * commit, so positions become visible in their order and a reader by position never meets a gap (event-store.md,
 * "the gap problem", 4).
 */
import { createHash } from 'node:crypto';
import type { ClientBase } from 'pg';

/** Schema and notification channel of a namespace: `ledger` lives in `ledger_events`. */
export function schemaOf(namespace: string): string {
  if (!/^[a-z][a-z0-9_]{0,39}$/.test(namespace))
    throw new Error(`not a namespace: ${JSON.stringify(namespace)}`);
  return `${namespace}_events`;
}

/** Key of the advisory lock that every append of the namespace holds, as the text of a bigint. */
export function appendLockOf(namespace: string): string {
  return createHash('sha256').update(`tallystick:append:${namespace}`).digest().readBigInt64BE(0).toString();
}

/** Whether a store was ever made here: for whoever reads, and must make none. */
export async function hasPostgresStore(
  client: Pick<ClientBase, 'query'>,
  namespace: string,
): Promise<boolean> {
  const { rows } = await client.query('select to_regclass($1) is not null as found', [
    `${schemaOf(namespace)}.events`,
  ]);
  return rows[0]?.found ?? false;
}

/** Of the writing function. Another body has another name: older and newer processes may write side by side. */
export const APPEND_FUNCTION = 'append_group_2';

/**
 * Makes the schema where it is missing. Several processes may start at once: one makes it, the others wait for it.
 * The function is made last, so where it stands everything stands, and a usual start takes no locks on the table.
 */
export async function createSchema(client: ClientBase, namespace: string): Promise<void> {
  const schema = schemaOf(namespace);
  const exists = `select exists (select from pg_proc p join pg_namespace n on n.oid = p.pronamespace
    where n.nspname = $1 and p.proname = '${APPEND_FUNCTION}') as exists`;
  if ((await client.query(exists, [schema])).rows[0]?.exists) return;
  await client.query('begin');
  try {
    await client.query('select pg_advisory_xact_lock($1)', [appendLockOf(namespace)]);
    if (!(await client.query(exists, [schema])).rows[0]?.exists) {
      await client.query(tables(schema));
      await client.query(appendGroup(schema, appendLockOf(namespace)));
    }
    await client.query('commit');
  } catch (error) {
    await client.query('rollback');
    throw error;
  }
}

/**
 * `data` and `meta` are text: jsonb would reorder what was hashed (rule 15). Keys are in collation "C": compared to
 * the byte, whatever the database's own collation. The partial index lets the followers of catalogues pass by the
 * wallets' events, of which there are thousands for each of theirs.
 */
const tables = (schema: string): string => `
  create schema if not exists ${schema};
  create table if not exists ${schema}.events (
    position bigint primary key,
    stream text collate "C" not null,
    category text collate "C" not null generated always as (split_part(stream, '-', 1)) stored,
    revision bigint not null,
    id uuid not null,
    type text not null,
    key text collate "C",
    data text not null,
    meta text not null
  );
  create unique index if not exists events_stream_revision on ${schema}.events (stream, revision);
  create unique index if not exists events_stream_key on ${schema}.events (stream, key) where key is not null;
  create index if not exists events_not_wallet on ${schema}.events (position) where category <> 'wallet';`;

/**
 * Judges and writes a group of appends, at most one for each stream. The appends come as two columns (stream, expected
 * revision), their events as seven, all in the order of the group, with the 1-based number of the append for each event.
 *
 * Answers a row `(0, 'base', position before the group)`, and a row for every append that was *not* written:
 * `identical` with its position, `duplicate_keys` with its keys, `conflict` with the head. The written ones take the
 * positions after the base, in order, without a gap.
 *
 * - The lock is a statement of its own, and the function is volatile: so the statements after it see what was
 *   committed while it waited (rule 4). In one statement with the lock they would read the head from before.
 * - The settings: the plans are made once for each connection, perhaps on an empty table, where scanning it is right
 *   and stays in the plan when it is not (speed.md, point 1).
 * - The unique indexes judge: the usual group is written after one look for each append's predecessor, which keeps
 *   streams without gaps. Only where that or an index objects is it asked which are the odd ones, and how they are odd; the
 *   rows of the first try are dead then. So where odd ones have just come, and more may, it is asked first (`judge_first`).
 */
const appendGroup = (schema: string, lock: string): string => `
  create function ${schema}.${APPEND_FUNCTION}(
    a_stream text[], a_expected bigint[],
    e_append int[], e_stream text[], e_revision bigint[], e_id uuid[], e_type text[], e_key text[],
    e_data text[], e_meta text[], categories text, judge_first boolean
  ) returns table (append int, verdict text, value bigint, keys text[])
  language plpgsql volatile
  set enable_seqscan = off set enable_bitmapscan = off set enable_hashjoin = off set enable_mergejoin = off
  set plan_cache_mode = force_generic_plan set jit = off set work_mem = '32MB'
  as $body$
  #variable_conflict use_column
  declare
    v_base bigint;
    v_all boolean := false;
    v_odd int[];
  begin
    perform pg_advisory_xact_lock(${lock});

    select coalesce(max(position), 0) into v_base from ${schema}.events;

    if not judge_first and not exists (
      select from unnest(a_stream, a_expected) a(stream, expected)
      where a.expected >= 0 and not exists (
        select from ${schema}.events x where x.stream = a.stream and x.revision = a.expected)
    ) then
      begin
        insert into ${schema}.events (position, stream, revision, id, type, key, data, meta)
        select v_base + e.n, e.stream, e.revision, e.id, e.type, e.key, e.data, e.meta
        from unnest(e_stream, e_revision, e_id, e_type, e_key, e_data, e_meta)
          with ordinality e(stream, revision, id, type, key, data, meta, n);
        v_all := true;
      exception when unique_violation then
        null;
      end;
    end if;

    if not v_all then
      select array_agg(n) into v_odd from (
        select a.n::int from unnest(a_stream, a_expected) with ordinality a(stream, expected, n)
        where a.expected is distinct from coalesce((
          select x.revision from ${schema}.events x where x.stream = a.stream order by x.revision desc limit 1), -1)
        union
        select e.n from unnest(e_append, e_stream, e_key) e(n, stream, key)
        where e.key is not null
          and exists (select from ${schema}.events x where x.stream = e.stream and x.key = e.key)
      ) odd(n);
      if v_odd is null and not judge_first then
        raise exception 'a group that cannot be written has nothing odd in it';
      end if;
      v_odd := coalesce(v_odd, '{}');

      return query
        select j.append,
          case when j.identical then 'identical' when j.keys is not null then 'duplicate_keys' else 'conflict' end,
          case when j.identical then j.position else coalesce((
            select x.revision from ${schema}.events x where x.stream = j.stream order by x.revision desc limit 1), -1)
          end,
          j.keys
        from (
          select e.append, min(e.stream) as stream, max(s.position) as position,
            bool_and(s.id is not distinct from e.id) as identical,
            array_agg(e.key order by e.n) filter (where k.known) as keys
          from unnest(e_append, e_stream, e_revision, e_id, e_key)
            with ordinality e(append, stream, revision, id, key, n)
          left join lateral (select x.id, x.position from ${schema}.events x
            where x.stream = e.stream and x.revision = e.revision) s on true
          left join lateral (select true as known from ${schema}.events x
            where x.stream = e.stream and x.key = e.key) k on true
          where e.append = any (v_odd)
          group by e.append
        ) j;

      insert into ${schema}.events (position, stream, revision, id, type, key, data, meta)
      select v_base + row_number() over (order by e.n), e.stream, e.revision, e.id, e.type, e.key, e.data, e.meta
      from unnest(e_append, e_stream, e_revision, e_id, e_type, e_key, e_data, e_meta)
        with ordinality e(append, stream, revision, id, type, key, data, meta, n)
      where e.append <> all (v_odd);
    end if;

    if found then perform pg_notify('${schema}', categories); end if;
    return query select 0, 'base', v_base, null::text[];
  end
  $body$`;
