/**
 * Mails that wait to be sent: one row for each event that somebody is to be told of. A row says which event it is and
 * nothing of what it says or who is told; both are looked up when it is sent, so that an address which has been taken
 * away is nowhere. PostgreSQL 15 or later.
 */
import { inTransaction } from '@tallystick/projections';
import type { Pool } from 'pg';

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

/** Taken for an attempt: whoever has its lease. */
export interface TakenMail extends Occasion {
  readonly id: string;
  readonly lease: string;
  /** This one too. */
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
/** One that was begun more often has ended the process each time, or its end could not be told. */
export const MAIL_ATTEMPTS_MAX = MAIL_RETRY_AFTER_MS.length + 1;
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
      -- Whose attempt is under way; until next_attempt_at it is nobody else's.
      alter table ${schema}.mails add column if not exists lease uuid;
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

/** The next that is due, and nobody else's for so long; null where there is none. The attempt counts from now on. */
export async function claimMail(
  { pool, schema }: Mails,
  now: number,
  leaseMs: number,
): Promise<TakenMail | null> {
  const { rows } = await pool.query<Omit<TakenMail, 'revision'> & { revision: string }>(
    `update ${schema}.mails set attempts = attempts + 1, lease = gen_random_uuid(), next_attempt_at = $2
     where id = (
       select id from ${schema}.mails where status = 'waiting' and next_attempt_at <= $1
       order by next_attempt_at, id limit 1 for update skip locked)
     returning id, lease, stream, revision, attempts`,
    [new Date(now), new Date(now + leaseMs)],
  );
  const [row] = rows;
  return row === undefined ? null : { ...row, revision: Number(row.revision) };
}

/** Writes nothing where the lease was over, and somebody else has it. */
export async function endMail(
  { pool, schema }: Mails,
  { id, lease }: TakenMail,
  end: MailEnd,
  now: number,
): Promise<void> {
  await pool.query(
    `update ${schema}.mails set status = $3, ended_at = $4, lease = null where id = $1 and lease = $2`,
    [id, lease, end, new Date(now)],
  );
}

/** After an attempt that failed: there is another, or it is given up. */
export async function putOffMail(mails: Mails, mail: TakenMail, now: number): Promise<void> {
  const after = MAIL_RETRY_AFTER_MS[mail.attempts - 1];
  if (after === undefined) return endMail(mails, mail, 'given_up', now);
  await mails.pool.query(
    `update ${mails.schema}.mails set next_attempt_at = $3, lease = null where id = $1 and lease = $2`,
    [mail.id, mail.lease, new Date(now + after)],
  );
}

export async function forgetMails({ pool, schema }: Mails, now: number): Promise<void> {
  await pool.query(`delete from ${schema}.mails where ended_at < $1`, [new Date(now - KEEP_MS)]);
}
