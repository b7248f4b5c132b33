import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { fileURLToPath } from 'node:url';
import { startPostgres } from '@tallystick/event-store/testing';
import { startRedis } from '@tallystick/jobs/testing';
import t from 'tap';

const main = fileURLToPath(new URL('main.ts', import.meta.url));
const postgres = await startPostgres();
const redis = await startRedis();
t.teardown(async () => {
  if (typeof redis !== 'string') await redis.stop();
  await postgres.stop();
});

for (const [env, message] of [
  [{}, /LEDGER_POSTGRES_URL must name/],
  [
    { LEDGER_POSTGRES_URL: postgres.url, LEDGER_SMTP_URL: 'http://me:hush@mx' },
    /LEDGER_SMTP_URL must be a URL/,
  ],
  [{ LEDGER_POSTGRES_URL: postgres.url, LEDGER_SECRETS_KEY: 'hush' }, /LEDGER_SECRETS_KEY must be 32 bytes/],
] as const) {
  t.test(`wrong settings end the process with 2: ${message.source}`, async (t) => {
    const child = spawn(process.execPath, [main], { env, stdio: ['ignore', 'ignore', 'pipe'] });
    let said = '';
    child.stderr.on('data', (chunk: Buffer) => {
      said += chunk.toString();
    });
    const [code] = await once(child, 'close');
    t.equal(code, 2);
    t.match(said, message);
    t.notMatch(said, /hush/, 'and no password is told');
  });
}

for (const [name, env, skip] of [
  ['Postgres', {}, false],
  [
    'Redis',
    { LEDGER_REDIS_URL: typeof redis === 'string' ? '' : redis.url },
    typeof redis === 'string' && redis,
  ],
] as const) {
  t.test(`as a process on ${name} it tells of its queues, and stops on SIGTERM`, { skip }, async (t) => {
    const metricsPort = await freePort();
    const child = spawn(process.execPath, [main], {
      env: {
        ...env,
        LEDGER_POSTGRES_URL: postgres.url,
        LEDGER_NAMESPACE: `of_${name.toLowerCase()}`,
        METRICS_PORT: String(metricsPort),
        LOG_LEVEL: 'info',
      },
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    let said = '';
    child.stderr.on('data', (chunk: Buffer) => {
      said += chunk.toString();
    });
    const ended = once(child, 'exit');
    let text = '';
    while (!/^tallystick_jobs\{queue="wake",state="waiting"\} 0$/m.test(text)) {
      if (child.exitCode !== null) throw new Error(`it ended with ${child.exitCode}: ${said}`);
      await new Promise((resolve) => setTimeout(resolve, 50));
      text = await fetch(`http://127.0.0.1:${metricsPort}/metrics`).then(
        (answer) => answer.text(),
        () => '',
      );
    }
    t.match(text, /^tallystick_webhooks_waiting 0$/m);
    t.match(text, /^tallystick_reactions_set_aside 0$/m);
    for (const follower of ['webhooks', 'reactions'])
      t.match(text, new RegExp(`^tallystick_follower_lag_seconds\\{follower="${follower}"\\} \\d`, 'm'));
    child.kill('SIGTERM');
    t.same(await ended, [0, null]);
    t.match(said, new RegExp(`the worker works, on ${name}`));
    t.notMatch(said, /"level":[456]0/, 'and nothing to complain about');
  });
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}
