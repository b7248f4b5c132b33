/** Traces of a whole process: from a caller's own trace through API, round and append to the projection. */
import { createPostgresStore, traceOf } from '@tallystick/event-store';
import { startPostgres } from '@tallystick/event-store/testing';
import t from 'tap';
import { type CollectedSpan, startCollector } from './testing/collector.ts';
import { expectSuccess, KEY, prepare, startLedger, usage } from './testing/ledger-process.ts';

const CALLER = { trace: '0af7651916cd43dd8448eb211c80319c', span: 'b7ad6b7169203331' };

t.test(
  'one charge is one trace from the caller to the append, and the projection is linked with it',
  async (t) => {
    const postgres = await startPostgres();
    t.teardown(() => postgres.stop());
    const collector = await startCollector();
    t.teardown(() => collector.stop());
    const ledger = await startLedger({
      LEDGER_POSTGRES_URL: postgres.url,
      OTEL_EXPORTER_OTLP_ENDPOINT: collector.url,
      OTEL_EXPORTER_OTLP_PROTOCOL: 'http/json',
      OTEL_BSP_SCHEDULE_DELAY: '100',
    });
    t.teardown(() => ledger.kill());
    await prepare(ledger, 'acme', '100');
    const answer = await fetch(`${ledger.url}/v1/usage`, {
      method: 'POST',
      headers: {
        authorization: `Bearer ${KEY}`,
        'content-type': 'application/json',
        traceparent: `00-${CALLER.trace}-${CALLER.span}-01`,
      },
      body: JSON.stringify(usage('acme', 'u1')),
    });
    t.equal(answer.status, 201);
    const { position } = (await answer.json()) as { position: string };
    expectSuccess(await ledger.call('GET', `/v1/accounts/acme/balance?min_position=${position}`));
    // Ending sends what has been gathered.
    await ledger.kill();

    const ours = collector.spans.filter(({ traceId }) => traceId === CALLER.trace);
    const one = (name: string): CollectedSpan | undefined => ours.find((span) => span.name === name);
    const [request, round, append] = [one('POST /v1/usage'), one('decide and record'), one('append')];
    t.equal(request?.parentSpanId, CALLER.span);
    t.equal(round?.parentSpanId, request?.spanId);
    t.equal(append?.parentSpanId, round?.spanId);
    t.equal(ours.length, 3);
    const isLinked = ({ name, links = [] }: CollectedSpan): boolean =>
      name === 'project a batch' && links.some(({ spanId }) => spanId === request?.spanId);
    t.ok(collector.spans.some(isLinked), 'a batch of the projector knows whose events it holds');
    t.same([...collector.services], ['tallystick']);
    t.same(collector.otherPaths, [], 'logs and metrics are not sent');

    const store = await createPostgresStore({ connectionString: postgres.url });
    t.teardown(() => store.close());
    const charge = (await store.readStream('wallet-acme', { from: 0, limit: 10 })).at(-1);
    const made = charge === undefined ? null : traceOf(charge);
    t.equal(made, `00-${CALLER.trace}-${request?.spanId}-01`, 'the event says which request made it');
  },
);

t.test('a collector that is away costs nobody an answer, and does not keep the process', async (t) => {
  const postgres = await startPostgres();
  t.teardown(() => postgres.stop());
  const ledger = await startLedger({
    LEDGER_POSTGRES_URL: postgres.url,
    OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:9',
    OTEL_EXPORTER_OTLP_PROTOCOL: 'http/json',
    OTEL_SERVICE_NAME: 'books',
  });
  t.teardown(() => ledger.kill('SIGKILL'));
  await prepare(ledger, 'acme', '100');
  expectSuccess(await ledger.call('POST', '/v1/usage', usage('acme', 'u1')));
  await ledger.kill();
  t.match(ledger.output(), /has not taken the last spans/, 'and the log says so');
});
