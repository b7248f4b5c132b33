/** One transaction on a connection of the pool. */
import type { Pool, PoolClient } from 'pg';

/**
 * `begin` may set what holds for the transaction only. After any failure the connection is closed, not reused: what it is
 * in the middle of is not known, and whether a failed commit was made is for the checkpoint to say.
 */
export async function inTransaction<T>(
  pool: Pool,
  begin: string,
  work: (client: PoolClient) => Promise<T>,
): Promise<T> {
  const client = await pool.connect();
  // Lost between two statements: without a listener that ends the process. The next statement fails by itself.
  const onError = (): void => undefined;
  client.on('error', onError);
  try {
    await client.query(begin);
    const result = await work(client);
    await client.query('commit');
    client.removeListener('error', onError);
    client.release();
    return result;
  } catch (error) {
    client.release(true);
    throw error;
  }
}
