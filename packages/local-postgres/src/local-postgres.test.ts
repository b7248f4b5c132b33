import { existsSync, mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import t from 'tap';
import { findLocalPostgres, startLocalPostgres } from './index.ts';

function folder(t: { teardown(handler: () => void): void }): string {
  // Private to its owner: where the tests run as root, PostgreSQL's own user could not even enter it.
  const path = mkdtempSync(join(tmpdir(), 'tallystick-local-'));
  t.teardown(() => rmSync(path, { recursive: true, force: true }));
  return path;
}

t.test('a server starts in a folder that only we may enter, and stops', async (t) => {
  const path = folder(t);
  const server = await startLocalPostgres({ folder: path, settings: ['fsync=off'] });
  t.match(await findLocalPostgres(path), { url: server.url, pid: server.pid });
  await server.stop();
  t.equal(await findLocalPostgres(path), null);
  t.notOk(existsSync(join(path, 'postgres', 'postmaster.pid')));
});

t.test('nobody gets in without the password, not from the same machine either', async (t) => {
  const path = folder(t);
  const server = await startLocalPostgres({ folder: path, settings: ['fsync=off'] });
  t.teardown(() => server.stop('crash'));
  const open = async (url: string): Promise<void> => {
    const client = new pg.Client({ connectionString: url });
    await client.connect();
    await client.end();
  };
  await open(server.url);
  const without = new URL(server.url);
  without.password = '';
  await t.rejects(open(without.href));
  without.password = 'guess';
  await t.rejects(open(without.href), { code: '28P01' });
  t.equal(statSync(join(path, 'postgres.password')).mode & 0o077, 0);
});

t.test('a server that was left running is adopted, or ended and started anew', async (t) => {
  const path = folder(t);
  const left = await startLocalPostgres({ folder: path, settings: ['fsync=off'] });
  const adopted = await startLocalPostgres({ folder: path, adopt: true });
  t.equal(adopted.pid, left.pid);
  await adopted.stop();
  t.match(await findLocalPostgres(path), { pid: left.pid }, 'who adopts does not end');
  const anew = await startLocalPostgres({ folder: path, settings: ['fsync=off'] });
  t.not(anew.pid, left.pid);
  await anew.stop('crash');
});
