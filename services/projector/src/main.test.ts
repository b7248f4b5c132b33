import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { startPostgres } from '@tallystick/event-store/testing';
import pg from 'pg';
import t from 'tap';

const main = fileURLToPath(new URL('main.ts', import.meta.url));

t.test('wrong settings end the process with 2', async (t) => {
  const child = spawn(process.execPath, [main], { env: {}, stdio: ['ignore', 'ignore', 'pipe'] });
  const [code] = await once(child, 'exit');
  t.equal(code, 2);
});

t.test('as a process it fills the read models, and stops on SIGTERM', async (t) => {
  const server = await startPostgres();
  t.teardown(() => server.stop());
  const env = { LEDGER_POSTGRES_URL: server.url, LEDGER_NAMESPACE: 'own' };
  const child = spawn(process.execPath, [main], { env, stdio: ['ignore', 'pipe', 'inherit'] });
  const pool = new pg.Pool({ connectionString: server.url });
  const ended = once(child, 'exit');
  while (!(await hasCheckpoint(pool))) {
    if (child.exitCode !== null) throw new Error(`it ended with ${child.exitCode}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  child.kill('SIGTERM');
  t.same(await ended, [0, null]);
  await pool.end();
});

async function hasCheckpoint(pool: pg.Pool): Promise<boolean> {
  const found = await pool
    .query('select cursor from own_reads.checkpoints where cursor is not null')
    .catch(() => null);
  return (found?.rowCount ?? 0) > 0;
}
