/** What becomes of a delivery, and of the record of its endpoint, after an attempt. Both are written together. */
import { inTransaction } from '@tallystick/projections';
import { attemptText, isDelivered, type Sent, type Webhooks } from '@tallystick/webhooks';
import type { Due } from './due.ts';
import { restMs, retryAfterMs } from './schedule.ts';
import { BEGIN } from './telling.ts';

/** The receiver has said that it is there no more. */
export const isGone = (sent: Sent): boolean => sent.kind === 'answered' && sent.status === 410;

/** Nothing was sent, and nothing is known of the receiver. */
export const isUntried = (sent: Sent): boolean => sent.kind === 'unanswered' && sent.fault === 'unresolved';

const LOG_MAX = 20;

/** Writes nothing of a delivery that is not ours any more: it was replayed or canceled, or our lease was over. */
export async function writeOutcome(
  { pool, schema }: Webhooks,
  due: Due,
  sent: Sent,
  at: number,
  random: number,
): Promise<void> {
  const endedAt = at + sent.tookMs;
  const attempts = due.attempts + 1;
  const asked = sent.kind === 'answered' ? sent.retryAfterMs : null;
  const waitMs = isDelivered(sent) || isGone(sent) ? null : retryAfterMs(attempts, asked, random);
  const status = isDelivered(sent) ? 'delivered' : waitMs === null ? 'failed' : 'pending';
  await inTransaction(pool, BEGIN, async (client) => {
    await client.query(
      `update ${schema}.deliveries set status = $3, attempts = $4, next_attempt_at = $5, finished_at = $6,
         lease = null, log = case when jsonb_array_length(log) >= ${LOG_MAX} then log - 0 else log end || $7::jsonb
       where id = $1 and lease = $2`,
      [
        due.id,
        due.lease,
        status,
        attempts,
        waitMs === null ? null : new Date(endedAt + waitMs),
        waitMs === null ? new Date(endedAt) : null,
        `[${attemptText(sent, at)}]`,
      ],
    );
    if (isDelivered(sent)) {
      await client.query(
        `update ${schema}.endpoints set failures = 0, open_until = null
         where id = $1 and (failures > 0 or open_until is not null)`,
        [due.endpoint],
      );
      return;
    }
    // Once it rests only the one that finds out counts: what was under way when it began to fail says nothing new.
    const { rows } = await client.query<{ failures: number }>(
      `update ${schema}.endpoints set failures = failures + 1
       where id = $1 and (open_until is null or $2) returning failures`,
      [due.endpoint, due.probe],
    );
    const [counted] = rows;
    if (counted === undefined) return;
    const rest = restMs(counted.failures);
    await client.query(`update ${schema}.endpoints set open_until = $2 where id = $1`, [
      due.endpoint,
      rest === null ? null : new Date(endedAt + rest),
    ]);
  });
}

/**
 * Nobody has said where its receiver is: as little is known of the endpoint's other messages, so it rests until then, and
 * one of them finds out. It is no failure: none is counted, of the message or of the endpoint.
 */
export async function restUntried({ pool, schema }: Webhooks, due: Due, until: number): Promise<void> {
  await pool.query(
    `with back as (
       update ${schema}.deliveries set lease = null, next_attempt_at = $3 where id = $1 and lease = $2)
     update ${schema}.endpoints set open_until = $3 where id = $4 and (open_until is null or $5)`,
    [due.id, due.lease, new Date(until), due.endpoint, due.probe],
  );
}

/** It could not even be tried, through no fault of the receiver: no attempt is counted. */
export async function putBack({ pool, schema }: Webhooks, due: Due, until: number): Promise<void> {
  await pool.query(
    `update ${schema}.deliveries set lease = null, next_attempt_at = $3 where id = $1 and lease = $2`,
    [due.id, due.lease, new Date(until)],
  );
}

const ROWS_MAX = 10_000;

/** Gives up what has waited too long, and takes out of the log what is old. */
export async function tidy({ pool, schema, keepDays }: Webhooks, now: number): Promise<void> {
  await pool.query(
    `update ${schema}.deliveries set status = 'failed', next_attempt_at = null, lease = null, finished_at = $1
     where id in (select id from ${schema}.deliveries where status = 'pending' and gives_up_at <= $1
       limit ${ROWS_MAX} for update skip locked)`,
    [new Date(now)],
  );
  await pool.query(
    `delete from ${schema}.deliveries where id in
       (select id from ${schema}.deliveries where finished_at <= $1 limit ${ROWS_MAX} for update skip locked)`,
    [new Date(now - keepDays * 24 * 3_600_000)],
  );
}
