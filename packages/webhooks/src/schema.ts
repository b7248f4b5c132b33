/**
 * The tables of webhooks, in a schema of their own: unlike read models they cannot be filled anew from the events.
 * Secrets and the log of deliveries are nowhere else. PostgreSQL 15 or later.
 */
import { createHash } from 'node:crypto';
import { assertSchema, inTransaction } from '@tallystick/projections';
import type { ClientBase, Pool } from 'pg';

/** Raised when a table changes; `STEPS` then holds how to come from each version to the next. */
export const WEBHOOKS_VERSION = 1;

/** Not yet quoted. */
export const webhooksSchema = (namespace: string): string => assertSchema(`${namespace}_webhooks`);

/** These tables belong to another store, another history or a later version of this code (rule 10). */
export class ForeignWebhooks extends Error {
  constructor(reason: string) {
    super(`${reason}. Are LEDGER_ESDB_URL, LEDGER_POSTGRES_URL and LEDGER_NAMESPACE as they were?`);
    this.name = 'ForeignWebhooks';
  }
}

/** One step per version, from an empty schema on. `$schema` stands for the quoted schema. */
const STEPS: readonly string[] = [
  `
create table $schema.meta (
  one boolean primary key default true check (one),
  version integer not null,
  store_id text not null
);
-- How far the outbox has come; \`stream\`, \`revision\` and \`hash\` are those of the last event behind it.
create table $schema.checkpoint (
  one boolean primary key default true check (one),
  cursor text,
  position bigint not null default 0,
  stream text,
  revision bigint,
  hash text
);
insert into $schema.checkpoint default values;
-- Where a replay may begin in place of the store's beginning.
create table $schema.landmarks (
  position bigint primary key,
  cursor text not null
);
-- The endpoints as their streams say, at \`revision\`; and how sending to them goes.
create table $schema.endpoints (
  id text collate "C" primary key,
  revision bigint not null,
  status text not null,
  url text not null,
  events text[] not null,
  scope text not null,
  account text,
  paused text,
  start_position bigint not null,
  created_at timestamptz not null,
  failures integer not null default 0,
  open_until timestamptz
);
-- \`secret\` is encrypted where LEDGER_SECRETS_KEY is set. \`expires_at\` is null for the one that is in force.
create table $schema.secrets (
  id bigint generated always as identity primary key,
  endpoint text collate "C" not null,
  secret text not null,
  created_at timestamptz not null,
  expires_at timestamptz
);
create index secrets_endpoint on $schema.secrets (endpoint);
-- One row for each endpoint and event, however often it is tried. Tests have neither stream nor position.
create table $schema.deliveries (
  id bigint generated always as identity primary key,
  endpoint text collate "C" not null,
  type text not null,
  account text collate "C",
  stream text collate "C",
  revision bigint,
  position bigint,
  status text not null check (status in ('pending', 'delivered', 'failed', 'canceled')),
  attempts integer not null default 0,
  replays integer not null default 0,
  next_attempt_at timestamptz,
  gives_up_at timestamptz,
  lease uuid,
  created_at timestamptz not null,
  finished_at timestamptz,
  log jsonb not null default '[]',
  check ((status = 'pending') = (next_attempt_at is not null)),
  check ((status = 'pending') = (finished_at is null))
);
create unique index deliveries_event on $schema.deliveries (endpoint, stream, revision);
create index deliveries_due on $schema.deliveries (endpoint, next_attempt_at) where status = 'pending';
create index deliveries_give_up on $schema.deliveries (gives_up_at) where status = 'pending';
create index deliveries_finished on $schema.deliveries (finished_at) where finished_at is not null;
create index deliveries_endpoint on $schema.deliveries (endpoint, id);
create index deliveries_status on $schema.deliveries (status, id);
create index deliveries_account on $schema.deliveries (account, id);
-- Replays from a position of the ledger, each as far as it has come.
create table $schema.replays (
  id bigint generated always as identity primary key,
  endpoint text collate "C" not null,
  from_position bigint not null,
  until_position bigint not null,
  cursor text,
  queued bigint not null default 0,
  created_at timestamptz not null,
  finished_at timestamptz
);
create index replays_open on $schema.replays (id) where finished_at is null;
`,
];

/** Makes what is missing, or takes the schema for this store; any number of processes may do so at once. */
export async function migrateWebhooks(pool: Pool, schema: string, storeId: string): Promise<void> {
  const name = `"${assertSchema(schema)}"`;
  await inTransaction(pool, 'begin', async (client) => {
    await client.query('select pg_advisory_xact_lock($1)', [lockOf(schema)]);
    let version = await versionOf(client, schema, storeId);
    if (version === 0) await client.query(`create schema if not exists ${name}`);
    for (; version < WEBHOOKS_VERSION; version++) {
      await client.query((STEPS[version] ?? '').replaceAll('$schema', name));
    }
    await client.query(
      `insert into ${name}.meta (version, store_id) values ($1, $2)
       on conflict (one) do update set version = excluded.version`,
      [version, storeId],
    );
  });
}

/** 0 where there is nothing yet. */
async function versionOf(client: ClientBase, schema: string, storeId: string): Promise<number> {
  const { rows } = await client.query('select to_regclass($1) is not null as found', [`${schema}.meta`]);
  if (!rows[0]?.found) return 0;
  const meta = await client.query<{ version: number; store_id: string }>(
    `select version, store_id from "${assertSchema(schema)}".meta`,
  );
  const [row] = meta.rows;
  if (row === undefined) return 0;
  if (row.store_id !== storeId)
    throw new ForeignWebhooks(`the webhooks in ${schema} are those of the store ${row.store_id}`);
  if (row.version > WEBHOOKS_VERSION)
    throw new ForeignWebhooks(
      `the webhooks in ${schema} are of version ${row.version}, this code's of ${WEBHOOKS_VERSION}`,
    );
  return row.version;
}

const lockOf = (schema: string): string =>
  createHash('sha256').update(`tallystick:webhooks:${schema}`).digest().readBigInt64BE(0).toString();
