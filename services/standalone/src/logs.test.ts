/** The log of a whole process, at its most talkative: what it must say, and what it must never say. */
import { startPostgres } from '@tallystick/event-store/testing';
import t from 'tap';
import { expectSuccess, insist, KEY, prepare, startLedger, usage } from './testing/ledger-process.ts';

const WRONG_KEY = 'tally_usage_wrong-key-of-somebody';

interface Line {
  readonly level: number;
  readonly reqId?: string;
  readonly req?: object;
  readonly msg: string;
}

const linesOf = (output: string): Line[] =>
  output
    .split('\n')
    .filter((line) => line.startsWith('{'))
    .map((line) => JSON.parse(line));

t.test('bad requests and a lost database: all is told, with request ids, and no secret is', async (t) => {
  const postgres = await startPostgres();
  t.teardown(() => postgres.stop());
  const { password } = new URL(postgres.url);
  const ledger = await startLedger({ LEDGER_POSTGRES_URL: postgres.url, LOG_LEVEL: 'trace' });
  t.teardown(() => ledger.kill());
  await prepare(ledger, 'acme', '100');
  expectSuccess(await ledger.call('POST', '/v1/usage', usage('acme', 'u1')));
  const refused = async (path: string, init: RequestInit): Promise<void> => {
    const answer = await fetch(`${ledger.url}${path}`, init);
    t.ok(answer.status >= 400, `${path} is refused with ${answer.status}`);
    const id = answer.headers.get('x-request-id');
    t.ok(
      linesOf(ledger.output()).some(({ reqId, msg }) => reqId === id && msg === 'request refused'),
      'and its line has the id that the caller was given',
    );
  };
  const authorization = `Bearer ${KEY}`;
  const json = 'application/json';
  await refused('/v1/accounts?key=in-a-query', { headers: { authorization: `Bearer ${WRONG_KEY}` } });
  await refused('/v1/usage', {
    method: 'POST',
    headers: { authorization, 'content-type': json },
    body: '{"id":',
  });
  await refused('/v1/accounts/nobody/balance', {
    headers: { authorization, cookie: `session=${WRONG_KEY}` },
  });

  await postgres.server?.halt('crash');
  if (postgres.server !== null) {
    const { status } = await ledger.call('POST', '/v1/usage', usage('acme', 'u2'));
    t.equal(status, 503);
    await ledger.call('GET', '/v1/accounts/acme/balance');
    await fetch(`${ledger.url}/health/ready`);
  }
  await postgres.server?.start();
  expectSuccess(await insist(() => ledger, 'POST', '/v1/usage', usage('acme', 'u2')));
  await ledger.kill();

  const output = ledger.output();
  const lines = linesOf(output);
  t.ok(lines.length > 20, `${lines.length} lines`);
  for (const line of lines)
    if (line.req !== undefined || /request/.test(line.msg)) t.ok(line.reqId, line.msg);
  if (postgres.server !== null) t.ok(lines.some(({ level, msg }) => level === 40 && /away|waits/.test(msg)));
  t.not(password, '', 'there is a password that could be told');
  for (const secret of [KEY, password, WRONG_KEY, 'in-a-query'])
    t.notOk(output.includes(secret), `not ${secret.slice(0, 5)}…`);
});

t.test('without being asked, nothing is logged of requests that go well', async (t) => {
  const postgres = await startPostgres();
  t.teardown(() => postgres.stop());
  const ledger = await startLedger({ LEDGER_POSTGRES_URL: postgres.url });
  t.teardown(() => ledger.kill());
  await prepare(ledger, 'acme', '100');
  expectSuccess(await ledger.call('POST', '/v1/usage', usage('acme', 'u1')));
  await ledger.kill();
  t.same(linesOf(ledger.output()), []);
});
