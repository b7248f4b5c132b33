import { startPostgres } from '@tallystick/event-store/testing';
import pg from 'pg';
import t from 'tap';
import { jobsContract } from './contract.ts';

const postgres = await startPostgres();
const pool = new pg.Pool({ connectionString: postgres.url, max: 1 });
t.teardown(async () => {
  await pool.end();
  await postgres.stop();
});

t.test('pg-boss on Postgres keeps the contract', { timeout: 110_000 }, async (t) => {
  await jobsContract(t, {
    postgresUrl: postgres.url,
    redisUrl: null,
    async forsake(namespace, _, id) {
      const table = `"${namespace}_pgboss".job`;
      await pool.query(`update ${table} set started_on = now() - interval '16 minutes' where id = $1`, [id]);
    },
  });
});
