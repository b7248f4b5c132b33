/**
 * Mails that wait to be sent: one row for each event that somebody is to be told of. A row says which event it is and
 * nothing of what it says or who is told; both are looked up when it is sent, so that an address which has been taken
 * away is nowhere. PostgreSQL 15 or later.
 */
import { inTransaction } from '@tallystick/projections';
import type { ClientBase, Pool } from 'pg';

export interface Mails {
  readonly pool: Pool;
  /** Quoted, as it stands in a statement. */
  readonly schema: string;
}

/** What a mail is about. */
export interface Occasion {
  readonly stream: string;
  readonly revision: number;
}

/**
 * - `unaddressed`: the account has no address
 * - `refused`: no server will ever take it · `given_up`: none has taken it in time
 * - `gone`: the event is not there
 */
export type MailEnd = 'sent' | 'unaddressed' | 'refused' | 'given_up' | 'gone';

export interface WaitingMail extends Occasion {
  readonly id: string;
  /** That have failed. */
  readonly attempts: number;
}

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
/** After the first attempt, the second, …; after the one that follows the last of these it is given up. */
export const MAIL_RETRY_AFTER_MS: readonly number[] = [
  MINUTE,
  5 * MINUTE,
  30 * MINUTE,
  2 * HOUR,
  6 * HOUR,
  12 * HOUR,
];
const KEEP_MS = 30 * 24 * HOUR;

export async function openMails(pool: Pool, namespace: string): Promise<Mails> {
  if (!/^[a-z][a-z0-9_]{0,30}$/.test(namespace))
    throw new Error(`not a namespace: ${JSON.stringify(namespace)}`);
  const schema = `"${namespace}_mails"`;
  await inTransaction(pool, 'begin', async (client) => {
    // `create … if not exists` of two at once is an error of one.
    await client.query('select pg_advisory_xact_lock(hashtextextended($1, 0))', [schema]);
    await client.query(`create schema if not exists ${schema};
      create table if not exists ${schema}.mails (
        id bigint generated always as identity primary key,
        stream text collate "C" not null,
        revision bigint not null,
        -- waiting, or how it ended
        status text not null default 'waiting',
        attempts integer not null default 0,
        next_attempt_at timestamptz not null,
        created_at timestamptz not null,
        ended_at timestamptz,
        unique (stream, revision)
      );
      create index if not exists mails_waiting on ${schema}.mails (next_attempt_at) where status = 'waiting';
      create index if not exists mails_ended on ${schema}.mails (ended_at) where ended_at is not null`);
  });
  return { pool, schema };
}

/** Twice is once. */
export async function queueMail(
  { pool, schema }: Mails,
  { stream, revision }: Occasion,
  now: number,
): Promise<void> {
  await pool.query(
    `insert into ${schema}.mails (stream, revision, next_attempt_at, created_at) values ($1, $2, $3, $3)
     on conflict (stream, revision) do nothing`,
    [stream, revision, new Date(now)],
  );
}

/** The next that is due, and nobody else's until the transaction ends; null where there is none. */
export async function claimMail(
  client: ClientBase,
  schema: string,
  now: number,
): Promise<WaitingMail | null> {
  const { rows } = await client.query<{ id: string; stream: string; revision: string; attempts: number }>(
    `select id, stream, revision, attempts from ${schema}.mails
     where status = 'waiting' and next_attempt_at <= $1
     order by next_attempt_at, id limit 1 for update skip locked`,
    [new Date(now)],
  );
  const [row] = rows;
  return row === undefined ? null : { ...row, revision: Number(row.revision) };
}

export async function endMail(
  client: ClientBase,
  schema: string,
  { id }: WaitingMail,
  end: MailEnd,
  now: number,
): Promise<void> {
  await client.query(`update ${schema}.mails set status = $2, ended_at = $3 where id = $1`, [
    id,
    end,
    new Date(now),
  ]);
}

/** After an attempt that failed. @returns whether there will be another */
export async function putOffMail(
  client: ClientBase,
  schema: string,
  mail: WaitingMail,
  now: number,
): Promise<boolean> {
  const after = MAIL_RETRY_AFTER_MS[mail.attempts];
  await client.query(
    `update ${schema}.mails set attempts = attempts + 1, next_attempt_at = $2,
       status = case when $3 then 'waiting' else 'given_up' end, ended_at = case when $3 then null else $4::timestamptz end
     where id = $1`,
    [mail.id, new Date(now + (after ?? 0)), after !== undefined, new Date(now)],
  );
  return after !== undefined;
}

export async function forgetMails({ pool, schema }: Mails, now: number): Promise<void> {
  await pool.query(`delete from ${schema}.mails where ended_at < $1`, [new Date(now - KEEP_MS)]);
}
