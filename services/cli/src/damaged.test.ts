/** Events damaged by hand: every command that adds up events names them, and answers all the same. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { text } from 'node:stream/consumers';
import { createPostgresStore } from '@tallystick/event-store';
import { startPostgres } from '@tallystick/event-store/testing';
import { charge, openTestLedger, topUp } from '@tallystick/projections/testing';
import pg from 'pg';
import t, { type Test } from 'tap';
import { runCli } from './cli.ts';

const server = await startPostgres();
const pool = new pg.Pool({ connectionString: server.url });
const folder = mkdtempSync(join(tmpdir(), 'tallystick-cli-'));
const store = await createPostgresStore({ connectionString: server.url });
const ledger = await openTestLedger(store);
await ledger.open('acme', '10');
await ledger.run('acme', topUp('r1', 100, { paid: { amount: '90.5', currency: 'USD' } }));
await ledger.run('acme', charge('u1', 3, { model: 'maker/costly' }), charge('u2', 2));
const { events } = await store.readAll({ after: null, limit: 1_000 });
const positionOf = (revision: number): string =>
  String(events.find((event) => event.stream === 'wallet-acme' && event.revision === revision)?.position);
t.teardown(async () => {
  await store.close();
  await pool.end();
  await server.stop();
  rmSync(folder, { recursive: true, force: true });
});

async function run(...args: string[]): Promise<{ code: number; out: string; said: string }> {
  const results = new PassThrough();
  const out = text(results);
  const lines: string[] = [];
  const output = { results, isTerminal: false, line: (line: string) => void lines.push(line) };
  const code = await runCli(args, { environment: { LEDGER_POSTGRES_URL: server.url }, output });
  results.end();
  return { code, out: await out, said: lines.join('\n') };
}

const COMMANDS = [
  ['balance', 'acme'],
  ['balance', 'income:'],
  ['trial-balance'],
  ['explain', 'acme'],
  ['export', '--format', 'csv', '--output', join(folder, 'damaged.csv')],
] as const;

/** Each command names it, with its answer; in JSON as well. */
async function allName(t: Test, said: RegExp, difference: object): Promise<void> {
  for (const args of COMMANDS) {
    const answered = await run(...args);
    t.match(answered, { code: 1, said }, args.join(' '));
    t.notMatch(answered.out + answered.said, /undefined/);
    const { code, out } = await run(...args, '--json');
    t.match({ code, ...JSON.parse(out) }, { code: 1, differences: [difference] }, `${args.join(' ')} --json`);
  }
}

t.test('an event that was deleted is named by every command that adds up events', async (t) => {
  await pool.query(
    `create table kept as select * from ledger_events.events where stream = 'wallet-acme' and revision = 2`,
  );
  await pool.query(`delete from ledger_events.events where stream = 'wallet-acme' and revision = 2`);
  await allName(
    t,
    /DIFFERS {2}wallet-acme:2: events are missing; .*\n.*DIFFERS {2}wallet-acme:3 credits: available after/s,
    {
      what: 'events are missing',
      stream: 'wallet-acme',
      revision: 2,
    },
  );
  t.match(await run('balance', 'acme'), { out: /^acme, in credits\n/ });
  t.equal((await run('balance', 'acme', '--at', positionOf(1))).code, 0, 'before it all was well');
  const { rows } = await pool.query<{ names: string }>(`select string_agg(column_name, ',') as names
    from information_schema.columns where table_schema = 'ledger_events' and table_name = 'events' and is_generated = 'NEVER'`);
  const names = rows[0]?.names;
  await pool.query(
    `insert into ledger_events.events (${names}) overriding system value select ${names} from kept`,
  );
  await pool.query('drop table kept');
  for (const args of COMMANDS) t.equal((await run(...args)).code, 0, args.join(' '));
});

t.test('an event that does not carry what it must is named, and is in no sum', async (t) => {
  const where = `where stream = 'wallet-acme' and revision = 2`;
  const { rows } = await pool.query(`select data from ledger_events.events ${where}`);
  await pool.query(`update ledger_events.events set data = '{}' ${where}`);
  await allName(t, /DIFFERS {2}wallet-acme:2: the event does not carry .*recorded_at, usage_id/, {
    what: 'the event does not carry what its type must carry',
    stream: 'wallet-acme',
    revision: 2,
  });
  await pool.query(`update ledger_events.events set data = $1 ${where}`, [rows[0].data]);
});

t.test('an entry that was changed by hand is found where it does not come to zero', async (t) => {
  const forge = `update ledger_events.events set data = replace(data, $1, $2) where stream = 'wallet-acme' and revision = 1`;
  const posting = ['"unit":"credits","amount":"100"', '"unit":"credits","amount":"101"'];
  const { rowCount } = await pool.query(forge, posting);
  t.equal(rowCount, 1);
  t.match(await run('trial-balance'), {
    code: 1,
    said: /DIFFERS {2}wallet-acme:1 credits: the entry does not come to zero; expected 0, found 1/,
  });
  t.equal((await run('trial-balance', '--at', positionOf(0))).code, 0, 'before it all was well');
  await pool.query(forge, [...posting].reverse());
  const moved = ['"to":"free","credits":"100"', '"to":"free","credits":"90"'];
  await pool.query(forge, moved);
  t.match(await run('balance', 'acme'), { code: 1, said: /DIFFERS {2}wallet-acme:1: / });
  await pool.query(forge, [...moved].reverse());
  t.equal((await run('balance', 'acme')).code, 0);
});
