import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
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
  const metricsPort = await freePort();
  const env = { LEDGER_POSTGRES_URL: server.url, LEDGER_NAMESPACE: 'own', METRICS_PORT: String(metricsPort) };
  const child = spawn(process.execPath, [main], { env, stdio: ['ignore', 'pipe', 'inherit'] });
  const pool = new pg.Pool({ connectionString: server.url });
  const ended = once(child, 'exit');
  while (!(await hasCheckpoint(pool))) {
    if (child.exitCode !== null) throw new Error(`it ended with ${child.exitCode}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  let text = '';
  // The rows can be read a moment before their batch is counted.
  while (!/^tallystick_projection_batch_events_count [1-9]/m.test(text))
    text = await (await fetch(`http://127.0.0.1:${metricsPort}/metrics`)).text();
  t.match(text, /^tallystick_projection_state\{state="running"\} 1$/m);
  t.match(text, /^tallystick_projection_lag_seconds \d/m);
  t.match(text, /^process_resident_memory_bytes \d/m);
  child.kill('SIGTERM');
  t.same(await ended, [0, null]);
  await pool.end();
});

t.test('it stops in good order as well when its terminal is closed', async (t) => {
  const server = await startPostgres();
  t.teardown(() => server.stop());
  const env = { LEDGER_POSTGRES_URL: server.url, LEDGER_NAMESPACE: 'own', LOG_LEVEL: 'info' };
  const child = spawn(process.execPath, [main], { env, stdio: ['ignore', 'ignore', 'pipe'] });
  const ended = once(child, 'exit');
  await once(child.stderr, 'data');
  child.kill('SIGHUP');
  t.same(await ended, [0, null]);
});

async function hasCheckpoint(pool: pg.Pool): Promise<boolean> {
  const found = await pool
    .query('select cursor from own_reads.checkpoints where cursor is not null')
    .catch(() => null);
  return (found?.rowCount ?? 0) > 0;
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}
