import { randomUUID } from 'node:crypto';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createPostgresStore } from '@tallystick/event-store';
import { startPostgres } from '@tallystick/event-store/testing';
import { findLocalPostgres, startLocalPostgres } from '@tallystick/local-postgres';
import pg from 'pg';
import t from 'tap';
import { runCli } from './cli.ts';

const server = await startPostgres();
t.teardown(() => server.stop());
const environment = { LEDGER_POSTGRES_URL: server.url };

async function ledger(...args: string[]): Promise<{ code: number; said: string }> {
  const lines: string[] = [];
  const output = { isTerminal: false, line: (text: string) => void lines.push(text) };
  const code = await runCli(args, { environment, output });
  return { code, said: lines.join('\n') };
}

t.test('a store without a ledger cannot be rebuilt from', async (t) => {
  const { code, said } = await ledger('rebuild');
  t.equal(code, 1);
  t.match(said, /no ledger to rebuild from/);
});

t.test('rebuild fills an empty schema, and a full one only by force', async (t) => {
  const store = await createPostgresStore({ connectionString: server.url });
  const hash = '0'.repeat(64);
  await store.append({
    stream: 'ledger-genesis',
    expected: -1,
    events: [
      {
        id: randomUUID(),
        type: 'LedgerOpened',
        key: null,
        data: '{"v":1,"recorded_at":"2026-03-01T12:00:00.000Z","store_id":"s","epoch":0,"test_clock":false}',
        meta: `{"v":1,"actor":"a","request":"r","left":0,"salt":"s","facts":{},"hash":"${hash}"}`,
      },
    ],
  });
  await store.close();
  t.match(await ledger('rebuild'), { code: 0, said: /ledger_reads: 1 events/ });
  t.match(await ledger('rebuild'), { code: 2, said: /not empty/ });
  t.match(await ledger('rebuild', '--force'), { code: 0 });
  t.match(await ledger('rebuild', '--into', 'beside'), { code: 0, said: /beside: 1 events/ });
  const pool = new pg.Pool({ connectionString: server.url });
  await pool.query(`update ledger_reads.meta set store_id = 'another'`);
  await pool.end();
  t.match(await ledger('rebuild', '--force'), { code: 0 }, 'read models of another store are replaced');
});

t.test('what is asked wrongly ends with 2, and says what is wrong', async (t) => {
  t.match(await ledger('rebuild', '--into', 'No Schema'), { code: 2, said: /lower-case letters/ });
  t.match(await ledger('frobnicate'), { code: 2, said: /unknown command/ });
  const output = { isTerminal: false, line: () => undefined };
  const bad = { LEDGER_POSTGRES_URL: 'mysql://x' };
  t.equal(await runCli(['rebuild'], { environment: bad, output }), 2);
  t.match(await ledger('--help'), { code: 0, said: /rebuild/ });
});

t.test(
  'without a named database it works on the embedded one, started for as long as it needs',
  async (t) => {
    const folder = mkdtempSync(join(tmpdir(), 'tallystick-cli-'));
    t.teardown(() => rmSync(folder, { recursive: true, force: true }));
    const lines: string[] = [];
    const output = { isTerminal: false, line: (text: string) => void lines.push(text) };
    const rebuild = () => runCli(['rebuild'], { environment: { LEDGER_DATA_DIR: folder }, output });
    t.equal(await rebuild(), 2, 'a folder that was never started on is a slip of the pen');
    t.same(readdirSync(folder), [], 'and nothing is made there');
    await (await startLocalPostgres({ folder, settings: ['fsync=off'] })).stop();
    t.equal(await rebuild(), 1);
    t.match(lines.join(), /no ledger to rebuild from/);
    t.equal(await findLocalPostgres(folder), null, 'the server is stopped again');
  },
);
