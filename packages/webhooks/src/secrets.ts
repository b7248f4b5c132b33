/** What endpoints sign with. While one secret follows on another both sign, so that a receiver changes when it likes. */
import { randomBytes } from 'node:crypto';
import type { ClientBase, Pool } from 'pg';
import type { Webhooks } from './webhooks.ts';

/** How long a secret still signs after the next has been made. */
export const ROTATION_MS = 24 * 3_600_000;

/** More signatures than this no message carries, however often somebody rotates. */
export const SECRETS_MAX = 4;

type Queries = Pick<ClientBase | Pool, 'query'>;
type Kept = Pick<Webhooks, 'schema' | 'box'>;

/** 256 bits, in the form of the scheme. */
const newSecret = (): string => `whsec_${randomBytes(32).toString('base64')}`;

/** The first of an endpoint. @returns it, to be shown once */
export async function makeSecret(
  client: Queries,
  { schema, box }: Kept,
  endpoint: string,
  now: number,
): Promise<string> {
  const secret = newSecret();
  await client.query(`insert into ${schema}.secrets (endpoint, secret, created_at) values ($1, $2, $3)`, [
    endpoint,
    box.seal(endpoint, secret),
    new Date(now),
  ]);
  return secret;
}

/** The next of an endpoint, in a transaction; the ones before it sign for `ROTATION_MS` more. @returns it, to be shown once */
export async function rotateSecret(
  client: Queries,
  kept: Kept,
  endpoint: string,
  now: number,
): Promise<string> {
  const { schema } = kept;
  // Two at once come one after the other: each secret but the last has its end.
  await client.query(`select from ${schema}.endpoints where id = $1 for update`, [endpoint]);
  await client.query(
    `update ${schema}.secrets set expires_at = $2 where endpoint = $1 and expires_at is null`,
    [endpoint, new Date(now + ROTATION_MS)],
  );
  const secret = await makeSecret(client, kept, endpoint, now);
  await client.query(
    `delete from ${schema}.secrets where endpoint = $1 and (expires_at <= $2 or id not in
       (select id from ${schema}.secrets where endpoint = $1 order by id desc limit ${SECRETS_MAX}))`,
    [endpoint, new Date(now)],
  );
  return secret;
}

/**
 * Those that sign now, the newest first. None where the endpoint has been deleted.
 * @throws SecretUnreadable
 */
export async function readSecrets(
  client: Queries,
  { schema, box }: Kept,
  endpoint: string,
  now: number,
): Promise<string[]> {
  const { rows } = await client.query<{ secret: string }>(
    `select secret from ${schema}.secrets where endpoint = $1 and (expires_at is null or expires_at > $2)
     order by id desc`,
    [endpoint, new Date(now)],
  );
  return rows.map(({ secret }) => box.open(endpoint, secret));
}
