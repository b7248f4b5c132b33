import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { createPostgresStore } from '@tallystick/event-store';
import { startPostgres } from '@tallystick/event-store/testing';
import { findLocalPostgres, startLocalPostgres } from '@tallystick/local-postgres';
import { dropSchema, startProjector } from '@tallystick/projections';
import { liveThrough, openTestLedger } from '@tallystick/projections/testing';
import pg from 'pg';
import t from 'tap';
import { runCli } from './cli.ts';

const server = await startPostgres();
const pool = new pg.Pool({ connectionString: server.url, max: 4 });
t.teardown(async () => {
  await pool.end();
  await server.stop();
});

type Environment = Parameters<typeof runCli>[1]['environment'];

async function run(environment: Environment, ...args: string[]) {
  const results = new PassThrough();
  const messages: string[] = [];
  const output = { results, isTerminal: false, line: (text: string) => void messages.push(text) };
  const code = await runCli(args, { environment, output });
  return { code, out: String(results.read() ?? ''), said: messages.join('\n') };
}
const ledger = (...args: string[]) => run({ LEDGER_POSTGRES_URL: server.url }, ...args);
const json = async (...args: string[]) => {
  const { out, ...rest } = await ledger(...args, '--json');
  return { ...rest, ...(JSON.parse(out) as Record<string, unknown>) };
};

const COMMANDS = [['verify'], ['rebuild'], ['replay', '--into', 'beside']] as const;

t.test('where no event was ever stored no command finds a ledger, and none makes anything', async (t) => {
  for (const command of COMMANDS)
    t.match(await ledger(...command), { code: 2, out: '', said: /no ledger here/ }, command.join(' '));
  const { rows } = await pool.query(`select 1 from pg_namespace where nspname like 'ledger%'`);
  t.same(rows, []);
});

t.test('what is asked wrongly ends with 2, and says what is wrong', async (t) => {
  t.match(await ledger('replay', '--into', 'No Schema'), { code: 2, said: /lower-case letters/ });
  t.match(await ledger('replay'), { code: 2, said: /--into/ });
  t.match(await ledger('replay', '--into', 'x', '--until', 'noon'), { code: 2, said: /a position, a time/ });
  t.match(await ledger('verify', 'it'), { code: 2, said: /too many arguments/ });
  t.match(await ledger('frobnicate'), { code: 2, said: /unknown command/ });
  t.match(await run({ LEDGER_POSTGRES_URL: 'mysql://x' }, 'rebuild'), {
    code: 2,
    said: /LEDGER_POSTGRES_URL/,
  });
  t.match(await ledger('verify', '--help'), { code: 0, out: /\nExit codes: 0 /, said: '' });
  t.match(await ledger('--help'), { code: 0, out: /verify.*replay.*rebuild/s, said: '' });
});

t.test('without a connection every command ends with 2', async (t) => {
  for (const command of COMMANDS) {
    const away = await run({ LEDGER_POSTGRES_URL: 'postgres://127.0.0.1:1/none' }, ...command);
    t.match(away, { code: 2, out: '', said: /no connection: .*ECONNREFUSED/ }, command.join(' '));
  }
  const esdb = 'esdb://admin:secret@127.0.0.1:1?tls=false';
  const away = await run({ LEDGER_POSTGRES_URL: server.url, LEDGER_ESDB_URL: esdb }, 'balance', 'acme');
  t.match(away, {
    code: 2,
    out: '',
    said: /^ledger: no connection: esdb:\/\/\*\*\*@127\.0\.0\.1:1: the event store/,
  });
});

t.test('on a ledger', async (t) => {
  const store = await createPostgresStore({ connectionString: server.url });
  t.teardown(() => store.close());
  await liveThrough(await openTestLedger(store), { seed: 7, steps: 120 });
  const last = (await store.readAll({ after: null, limit: 10_000 })).position.toString();
  const project = async () => {
    const projector = startProjector({ store, pool, schema: 'ledger_reads' });
    await projector.caughtUp();
    await projector.stop();
  };

  t.test('without read models there is something that differs; a rebuild makes them', async (t) => {
    t.match(await ledger('verify'), { code: 1, out: /nothing to compare.*ledger_reads/ });
    t.match(await ledger('rebuild'), { code: 0, out: /everything agrees\nledger_reads was replaced/ });
    t.match(await ledger('verify'), { code: 0, out: /everything agrees/, said: '' });
  });

  t.test('a sound one agrees, and the answer says how far', async (t) => {
    t.match(await json('verify'), { code: 0, position: last, behind: 0, count: 0, findings: [] });
    t.match(await json('replay', '--into', 'beside'), { code: 0, position: last, count: 0, findings: [] });
    t.match(await ledger('replay', '--into', 'beside'), { code: 2, said: /not empty/ });
    t.match(await ledger('replay', '--into', 'ledger_reads'), { code: 2, said: /not free/ });
  });

  t.test('a replay ends at its moment, and does not compare what stands elsewhere', async (t) => {
    await dropSchema(pool, 'beside');
    const half = String(Math.floor(Number(last) / 2));
    const replayed = await json('replay', '--until', half, '--into', 'beside');
    t.match(replayed, { code: 0, events: Number(half), position: half });
    t.notHas(replayed, { count: 0 });
    const { rows } = await pool.query('select max(position) as position from beside.balances');
    t.ok(Number(rows[0].position) <= Number(half));
    await dropSchema(pool, 'beside');
    t.match(await ledger('replay', '--until', last, '--into', 'beside'), {
      code: 0,
      out: /everything agrees/,
    });
    for (const beyond of ['99999', '2099-01-01']) {
      await dropSchema(pool, 'beside');
      const whole = await json('replay', '--until', beyond, '--into', 'beside');
      t.match(whole, { code: 0, count: 0, position: last }, beyond);
    }
    await dropSchema(pool, 'beside');
    const early = await json('replay', '--until', '2026-03-01T11:59:59Z', '--into', 'beside');
    t.match(early, { code: 0, events: 0 });
  });

  t.test('a row changed by hand is named by all three, and replaced by force only', async (t) => {
    await dropSchema(pool, 'beside');
    await pool.query(`update ledger_reads.holds set credits = credits + 1500000 where hold = (
      select min(hold) from ledger_reads.holds)`);
    t.match(await ledger('verify'), {
      code: 1,
      out: /acme\+\d@example.org holds.credits hold i.*differs; expected/,
    });
    t.match(await ledger('replay', '--into', 'beside'), {
      code: 1,
      out: /holds.credits account acme.*\n1 row differs/,
    });
    t.match(await ledger('rebuild'), { code: 1, out: /holds.credits .*was left as it is/s });
    t.match(await json('rebuild'), { code: 1, switched: false, count: 1, findings: [{ table: 'holds' }] });
    t.match(await ledger('rebuild', '--force'), { code: 0, out: /was replaced/ });
    t.match(await ledger('verify'), { code: 0 });
    t.match(await ledger('rebuild'), { code: 0, out: /everything agrees/ });
  });

  t.test('read models of another version or of other partitions are replaced by force only', async (t) => {
    await pool.query('update ledger_reads.meta set version = 0');
    t.match(await ledger('verify'), { code: 1, out: /version 0/ });
    t.match(await ledger('rebuild'), { code: 1, out: /of version 0.*left as it is/s });
    t.match(await ledger('rebuild', '--force'), { code: 0, out: /was replaced/ });
    const three = { LEDGER_POSTGRES_URL: server.url, LEDGER_PARTITIONS: '3' };
    t.match(await run(three, 'rebuild'), { code: 1, out: /in 1 partition, and/ });
    t.match(await run(three, 'rebuild', '--force'), {
      code: 0,
      out: /in 1 partition, .*\nledger_reads: filled from \d+ events.*\nledger_reads was replaced/,
    });
    t.match(await run(three, 'verify'), { code: 0, out: /everything agrees/ });
    t.match(await run(three, 'rebuild'), { code: 0, out: /everything agrees/ });
    t.match(await ledger('rebuild', '--force'), { code: 0 });
  });

  t.test('what an interrupted rebuild has left is removed by the next', async (t) => {
    await pool.query('create schema ledger_reads_next; create table ledger_reads_next.meta (one int)');
    await pool.query('create schema ledger_reads_old');
    t.match(await ledger('rebuild'), { code: 0 });
    const { rows } = await pool.query(`select nspname from pg_namespace where nspname like 'ledger_reads%'`);
    t.same(rows, [{ nspname: 'ledger_reads' }]);
    await project();
    t.match(await ledger('verify'), { code: 0 }, 'and the projector goes on where it was');
  });
});

t.test(
  'without a named database it works on the embedded one, started for as long as it needs',
  async (t) => {
    const folder = mkdtempSync(join(tmpdir(), 'tallystick-cli-'));
    t.teardown(() => rmSync(folder, { recursive: true, force: true }));
    const verify = () => run({ LEDGER_DATA_DIR: folder }, 'verify');
    t.match(
      await verify(),
      { code: 2, said: /there is no ledger in/ },
      'a folder never started on is a slip of the pen',
    );
    t.same(readdirSync(folder), [], 'and nothing is made there');
    const started = await startLocalPostgres({ folder, settings: ['fsync=off'] });
    const store = await createPostgresStore({ connectionString: started.url });
    await openTestLedger(store);
    await store.close();
    await started.stop();
    t.match(await run({ LEDGER_DATA_DIR: folder }, 'rebuild'), { code: 0, out: /was replaced/ });
    t.match(await verify(), { code: 0, out: /1 events of 1 streams/ });
    t.equal(await findLocalPostgres(folder), null, 'the server is stopped again');
  },
);
