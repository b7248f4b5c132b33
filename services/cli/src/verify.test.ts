import { PassThrough } from 'node:stream';
import { gatherSeal } from '@tallystick/audit';
import { SEAL_ID, sealDecider } from '@tallystick/domain';
import { createPostgresStore, createRunner } from '@tallystick/event-store';
import { startPostgres } from '@tallystick/event-store/testing';
import { startProjector } from '@tallystick/projections';
import { openTestLedger, topUp } from '@tallystick/projections/testing';
import pg from 'pg';
import t from 'tap';
import { runCli } from './cli.ts';

const server = await startPostgres();
const pool = new pg.Pool({ connectionString: server.url, max: 4 });
const store = await createPostgresStore({ connectionString: server.url });
t.teardown(async () => {
  await store.close();
  await pool.end();
  await server.stop();
});
const ledger = await openTestLedger(store);
await ledger.open('acme');

async function seal(after: number, cursor: string | null): Promise<string> {
  const gathered = await gatherSeal(store, cursor);
  if (gathered === null) throw new Error('there is nothing to seal');
  const runner = createRunner<null>({
    store,
    keyIndex: store,
    snapshots: { read: async () => null },
    catalogue: { current: () => null, fresh: async () => null },
    now: ledger.now,
  });
  const { content } = gathered;
  const command = { type: 'SealLedger', key: null, fingerprint: null, after, ...content } as const;
  const order = { id: SEAL_ID, command, cause: { actor: 'test', request: '' } };
  await runner.execute(sealDecider, [order], ledger.now() + 60_000);
  return content.cursor;
}

async function project(): Promise<void> {
  const projector = startProjector({ store, pool, schema: 'ledger_reads' });
  await projector.caughtUp();
  await projector.stop();
}

async function run(...args: string[]) {
  const results = new PassThrough();
  const messages: string[] = [];
  const output = { results, isTerminal: false, line: (text: string) => void messages.push(text) };
  const environment = { LEDGER_POSTGRES_URL: server.url };
  const code = await runCli(args, { environment, output });
  return { code, out: String(results.read() ?? ''), said: messages.join('\n') };
}

const verify = (...args: string[]) => run('verify', ...args);

await project();

t.test('a ledger without seals says so', async (t) => {
  t.match(await verify(), { code: 0, out: /\nno seals\n/ });
  t.match(JSON.parse((await verify('--json')).out), { seals: { count: 0, last: null } });
});

t.test('with seals it says how many, and the last one as it is to be kept', async (t) => {
  const cursor = await seal(0, null);
  await ledger.run('acme', topUp('r1', 100, { paid: { amount: '90', currency: 'USD' } }));
  await seal(1, cursor);
  await project();
  const { code, out } = await verify();
  t.equal(code, 0);
  const [, kept = ''] = /\n2 seals, the last is (2:[0-9a-f]{64})\n/.exec(out) ?? [];
  t.match(JSON.parse((await verify('--json')).out).seals, {
    count: 2,
    last: { number: 2, hash: kept.slice(2) },
  });

  t.test('a seal that was kept and is there agrees', async (t) => {
    t.match(await verify('--seal', kept), { code: 0, out: /everything agrees/ });
    t.match(await verify('--seal', kept.toUpperCase()), { code: 0 });
  });

  t.test('one that the ledger has with another hash differs', async (t) => {
    const forged = `1:${kept.slice(2)}`;
    t.match(await verify('--seal', kept, '--seal', forged), {
      code: 1,
      out: /seal-ledger:0: the hash of a seal that was kept; expected [0-9a-f]{64}, found .*\n1 thing differs/,
    });
  });

  t.test('one that the ledger does not have differs', async (t) => {
    const { code, out } = await verify('--seal', `9:${kept.slice(2)}`, '--json');
    const findings = [{ what: 'a seal that was kept is missing', found: 'seal 2 is the last' }];
    t.match([code, JSON.parse(out)], [1, { count: 1, findings }]);
  });
});

t.test('a seal without its number, or that is none, is asked wrongly', async (t) => {
  for (const seal of ['0'.repeat(64), '1:abc', 'x'])
    t.match(
      await verify('--seal', seal),
      { code: 2, out: '', said: /<number>:<64 hexadecimal digits>/ },
      seal,
    );
});

t.test('where the last event is a seal, the books name it by its number too', async (t) => {
  t.match(await run('trial-balance'), { code: 0, out: /Up to seal-ledger:1 \(seal 2\), recorded at/ });
  t.match(await run('balance', 'acme'), { code: 0, out: /Up to wallet-acme:1, recorded at/ });
});
