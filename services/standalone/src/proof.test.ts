/**
 * The proofs that need whole processes: two on one database, one that is killed, and servers that go away under load.
 * Everything goes through real HTTP and real PostgreSQL; EventStoreDB is the stand-in.
 */
import { setTimeout as pause } from 'node:timers/promises';
import { startEventStoreDbStandIn, startPostgres } from '@tallystick/event-store/testing';
import t from 'tap';
import {
  balanceOf,
  expectSuccess,
  insist,
  type LedgerProcess,
  prepare,
  startLedger,
  trialTotals,
  usage,
} from './testing/ledger-process.ts';

t.jobs = 1;

t.test(
  'two processes on one database: 200 parallel charges and holds on 100 credits, exactly 100 pass',
  async (t) => {
    const postgres = await startPostgres();
    t.teardown(() => postgres.stop());
    const env = { LEDGER_POSTGRES_URL: postgres.url };
    const ledgers = [await startLedger(env), await startLedger(env)];
    t.teardown(() => Promise.all(ledgers.map((ledger) => ledger.kill())));
    const [one, two] = ledgers as [LedgerProcess, LedgerProcess];
    await prepare(one, 'shared', '100');

    const answers = await Promise.all(
      Array.from({ length: 200 }, async (_, n) => {
        const ledger = n % 2 === 0 ? one : two;
        if (n % 4 < 2) {
          const { status, body } = await ledger.call('POST', '/v1/usage', usage('shared', `u${n}`));
          return {
            passed: status === 201,
            refused: status === 402,
            position: String(body.position ?? '0'),
          };
        }
        const hold = {
          account: 'shared',
          model: 'call',
          estimate: { calls: 1 },
          hold: { id: `h${n}`, expires_in: 600 },
        };
        const { status, body } = await ledger.call('POST', '/v1/authorize', hold);
        const { allowed } = body;
        return {
          passed: status === 200 && allowed === true,
          refused: status === 200 && allowed === false,
          position: '0',
        };
      }),
    );
    t.equal(answers.filter(({ passed }) => passed).length, 100, 'exactly 100 pass');
    t.equal(answers.filter(({ refused }) => refused).length, 100, 'the others are refused');
    const last = answers.reduce((max, { position }) => (BigInt(position) > max ? BigInt(position) : max), 0n);
    const balance = await balanceOf(two, 'shared', last.toString());
    t.equal(balance.available, '0');
    t.same(await trialTotals(one), ['0']);
  },
);

t.test(
  'kill -9 in the middle of a batch load: sent again whole, each charge exists once, nothing acknowledged is missing',
  async (t) => {
    const postgres = await startPostgres();
    t.teardown(() => postgres.stop());
    const env = { LEDGER_POSTGRES_URL: postgres.url };
    let ledger = await startLedger(env);
    t.teardown(() => ledger.kill());
    await prepare(ledger, 'busy', '100000');

    const batches = Array.from({ length: 40 }, (_, b) =>
      Array.from({ length: 50 }, (_, n) => usage('busy', `${b}-${n}`)),
    );
    const acknowledged = new Map<string, string>();
    let answered = 0;
    const load = batches.map(async (batch, index) => {
      await pause(index * 10);
      const answer = await ledger.call('POST', '/v1/usage', batch).catch(() => null);
      if (answer?.status !== 200) return;
      answered += 1;
      for (const item of answer.body.results as { id: string; entry_id: string }[])
        acknowledged.set(item.id, item.entry_id);
    });
    while (answered < 5) await pause(5);
    await ledger.kill('SIGKILL');
    await Promise.all(load);
    t.ok(answered < batches.length, `${answered} of ${batches.length} batches were answered before the kill`);

    ledger = await startLedger(env);
    const entries = new Set<string>();
    let position = 0n;
    for (const batch of batches) {
      const { results } = expectSuccess(await insist(() => ledger, 'POST', '/v1/usage', batch));
      for (const item of results as { id: string; status: string; entry_id: string; position: string }[]) {
        if (item.status !== 'charged') t.fail(`${item.id} is ${item.status}`);
        const before = acknowledged.get(item.id);
        if (before !== undefined && before !== item.entry_id)
          t.fail(`${item.id} was ${before} and is ${item.entry_id}`);
        entries.add(item.entry_id);
        if (BigInt(item.position) > position) position = BigInt(item.position);
      }
    }
    t.equal(entries.size, 2_000);
    const balance = await balanceOf(ledger, 'busy', position.toString());
    t.equal(balance.consumed, '2000');
    t.same(await trialTotals(ledger), ['0']);
  },
);

/** Single charges in a loop while `disturb` takes something away and brings it back. */
async function loadThrough(ledger: LedgerProcess, account: string, disturb: () => Promise<void>) {
  const statuses = new Map<number, number>();
  let charged = 0;
  let position = 0n;
  let running = true;
  let next = 0;
  const worker = async (): Promise<void> => {
    while (running) {
      const item = usage(account, `u${next++}`);
      const first = await ledger.call('POST', '/v1/usage', item).catch(() => ({ status: 0, body: {} }));
      statuses.set(first.status, (statuses.get(first.status) ?? 0) + 1);
      const { status, body } =
        first.status === 201 ? first : await insist(() => ledger, 'POST', '/v1/usage', item);
      if (status === 200 || status === 201) charged += 1;
      const at = BigInt(String((body as Record<string, unknown>).position ?? '0'));
      if (at > position) position = at;
    }
  };
  const workers = Array.from({ length: 8 }, worker);
  await pause(300);
  await disturb();
  await pause(300);
  running = false;
  await Promise.all(workers);
  return { statuses, charged, position: position.toString() };
}

t.test(
  'Postgres stops in the middle of a load: refusals are 503, nothing is lost or doubled, and it goes on by itself',
  async (t) => {
    const postgres = await startPostgres();
    t.teardown(() => postgres.stop());
    const { server } = postgres;
    if (server === null) {
      t.pass('the server that LEDGER_TEST_POSTGRES_URL names is not ours to stop', {
        skip: 'not our server',
      });
      return;
    }
    const ledger = await startLedger({ LEDGER_POSTGRES_URL: postgres.url });
    t.teardown(() => ledger.kill());
    await prepare(ledger, 'idle', '1');
    await prepare(ledger, 'steady', '1000000');
    const load = await loadThrough(ledger, 'steady', async () => {
      await server.halt('crash');
      // Another account's wallet has no append under way that could wait for the database: it is refused at once.
      for (const [method, path, body] of [
        ['POST', '/v1/usage', usage('idle', 'x')],
        ['GET', '/v1/accounts/idle/balance', undefined],
      ] as const) {
        const refused = await ledger.call(method, path, body);
        t.match(refused, { status: 503, retryAfter: /^\d+$/, body: { code: String } }, `${method} ${path}`);
      }
      await server.start();
    });
    t.same(
      [...load.statuses.keys()].filter((status) => status !== 201 && status !== 503),
      [],
      'every refusal is a 503',
    );
    const balance = await balanceOf(ledger, 'steady', load.position);
    t.equal(balance.consumed, String(load.charged));
    t.same(await trialTotals(ledger), ['0']);
  },
);

t.test(
  'the EventStoreDB stand-in stops, freezes and loses answers under load: nothing is lost or doubled',
  async (t) => {
    const postgres = await startPostgres();
    t.teardown(() => postgres.stop());
    const standIn = await startEventStoreDbStandIn();
    t.teardown(() => standIn.stop());
    const ledger = await startLedger({ LEDGER_POSTGRES_URL: postgres.url, LEDGER_ESDB_URL: standIn.url });
    t.teardown(() => ledger.kill());
    await prepare(ledger, 'steady', '1000000');
    const load = await loadThrough(ledger, 'steady', async () => {
      standIn.loseNextAnswers(3);
      await pause(300);
      standIn.cutConnections();
      await pause(300);
      await standIn.stop();
      await pause(500);
      await standIn.start();
      await pause(300);
    });
    t.same(
      [...load.statuses.keys()].filter((status) => status !== 201 && status !== 503 && status !== 200),
      [],
    );
    const balance = await balanceOf(ledger, 'steady', load.position);
    t.equal(balance.consumed, String(load.charged));
    t.same(await trialTotals(ledger), ['0']);
  },
);
