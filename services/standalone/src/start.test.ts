/** What a newcomer meets: first starts, second starts, starts that cannot be. On the embedded PostgreSQL. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { startEventStoreDbStandIn, startPostgres } from '@tallystick/event-store/testing';
import { findLocalPostgres } from '@tallystick/local-postgres';
import t from 'tap';
import { startLedger } from './testing/ledger-process.ts';

const MAIN = join(import.meta.dirname, 'main.ts');
const ADMIN_KEY = /tally_admin_[A-Za-z0-9_-]+/;

function newFolder(t: Tap): string {
  const folder = mkdtempSync(join(tmpdir(), 'tallystick-start-'));
  t.teardown(async () => {
    const left = await findLocalPostgres(folder);
    if (left !== null) process.kill(left.pid, 'SIGQUIT');
    rmSync(folder, { recursive: true, force: true, maxRetries: 20, retryDelay: 100 });
  });
  return folder;
}
interface Tap {
  teardown(handler: () => Promise<void> | void): void;
}

/** Runs it to its end, which it should come to by itself. */
async function failedStart(env: Record<string, string>): Promise<{ code: number | null; said: string }> {
  const { PATH = '', HOME = '' } = process.env;
  const child = spawn(process.execPath, [MAIN], {
    env: { PATH, HOME, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let said = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (chunk: Buffer) => {
      said += chunk.toString();
    });
  }
  const [code] = await once(child, 'exit');
  return { code, said };
}

t.test(
  'the admin key is printed once, at the first start that serves: a taken port does not lose it',
  async (t) => {
    const folder = newFolder(t);
    const other = createServer().listen(0, '127.0.0.1');
    await once(other, 'listening');
    t.teardown(() => void other.close());
    const address = other.address();
    const taken = typeof address === 'object' && address !== null ? String(address.port) : '';
    const failed = await failedStart({ LEDGER_DATA_DIR: folder, PORT: taken });
    t.equal(failed.code, 1);
    t.match(failed.said, new RegExp(`^cannot start: 127.0.0.1, port ${taken} \\(PORT\\), is taken\n$`));

    const first = await startLedger({ LEDGER_DATA_DIR: folder, LEDGER_ADMIN_KEY: '' });
    const key = ADMIN_KEY.exec(first.output())?.[0] ?? '';
    t.not(key, '', 'now it is printed');
    const two = await failedStart({ LEDGER_DATA_DIR: folder, PORT: '0' });
    t.match(two, { code: 1, said: /runs on .* already \(process \d+\)/ }, 'one ledger for one folder');
    await first.kill('SIGKILL');

    const second = await startLedger({ LEDGER_DATA_DIR: folder, LEDGER_ADMIN_KEY: '' });
    t.teardown(() => second.kill());
    t.notMatch(second.output(), ADMIN_KEY, 'and never again');
    const answer = await fetch(`${second.url}/v1/api-keys`, { headers: { authorization: `Bearer ${key}` } });
    t.equal(answer.status, 200, 'it still opens the door, after kill -9 too');
  },
);

t.test('whatever stops it in good order, the embedded PostgreSQL ends with it', async (t) => {
  const folder = newFolder(t);
  for (const signal of ['SIGHUP', 'SIGINT', 'SIGTERM'] as const) {
    const ledger = await startLedger({ LEDGER_DATA_DIR: folder });
    t.not(await findLocalPostgres(folder), null);
    await ledger.kill(signal);
    t.equal(await findLocalPostgres(folder), null, `after ${signal}`);
    t.notOk(existsSync(join(folder, 'tallystick.pid')), 'and the folder is free');
  }
});

const noTerminal =
  existsSync('/usr/bin/script') && process.platform === 'linux' ? false : 'no script(1) here';

t.test(
  'so it does when its terminal is closed, in the middle of its log',
  { skip: noTerminal },
  async (t) => {
    const folder = newFolder(t);
    const { PATH = '', HOME = '' } = process.env;
    // The shell stays: it ends with the terminal too, and that is a second SIGHUP.
    const terminal = spawn('script', ['-qec', `${process.execPath} ${MAIN}; true`, '/dev/null'], {
      env: { PATH, HOME, LEDGER_DATA_DIR: folder, PORT: '0', LOG_LEVEL: 'info' },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    let said = '';
    for await (const chunk of terminal.stdout) {
      said += chunk;
      if (said.includes('Ctrl-C stops it')) break;
    }
    t.not(await findLocalPostgres(folder), null);
    terminal.kill('SIGKILL');
    while (existsSync(join(folder, 'tallystick.pid'))) await pause(20);
    t.equal(await findLocalPostgres(folder), null);
  },
);

t.test('wrong settings are told in one line each, and end with 2', async (t) => {
  const bad = await failedStart({ PORT: 'x', LEDGER_NAMESPACE: 'Two Words' });
  t.equal(bad.code, 2);
  t.match(bad.said, /^cannot start:\n {2}PORT must be .*\n {2}LEDGER_NAMESPACE must be .*\n$/);
});

t.test('so are those of what only the worker in it does', async (t) => {
  const bad = await failedStart({ LEDGER_SMTP_URL: 'http://me:hush@mx', LEDGER_MAIL_FROM: 'nobody' });
  t.equal(bad.code, 2);
  t.match(bad.said, /^cannot start:\n {2}LEDGER_SMTP_URL must be .*\n {2}LEDGER_MAIL_FROM must be .*\n$/);
  t.notMatch(bad.said, /hush/);
});

t.test('read models without their event store: no new ledger is opened over them', async (t) => {
  const folder = newFolder(t);
  const standIn = await startEventStoreDbStandIn();
  t.teardown(() => standIn.stop());
  const ledger = await startLedger({ LEDGER_DATA_DIR: folder, LEDGER_ESDB_URL: standIn.url });
  await ledger.kill();
  const forgotten = await failedStart({ LEDGER_DATA_DIR: folder, PORT: '0' });
  t.equal(forgotten.code, 1);
  t.match(forgotten.said, /the event store is empty, but the read models .* LEDGER_ESDB_URL/);
  const again = await startLedger({ LEDGER_DATA_DIR: folder, LEDGER_ESDB_URL: standIn.url });
  await again.kill();
});

t.test('a database that does not exist is told at once, not waited for', async (t) => {
  const postgres = await startPostgres();
  t.teardown(() => postgres.stop());
  const url = new URL(postgres.url);
  url.pathname = '/nowhere';
  const failed = await failedStart({ LEDGER_POSTGRES_URL: url.href, PORT: '0' });
  t.equal(failed.code, 2);
  t.match(failed.said, /LEDGER_POSTGRES_URL: .*"nowhere" does not exist/);
});
