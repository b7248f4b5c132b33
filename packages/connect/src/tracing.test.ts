import { registerHooks } from 'node:module';
import t from 'tap';
import { startTracing, wantsTraces } from './tracing.ts';

const ENDPOINT = { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:4318' };

for (const [environment, wanted] of [
  [{}, false],
  [{ OTEL_SERVICE_NAME: 'ledger' }, false],
  [ENDPOINT, true],
  [{ OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: 'http://127.0.0.1:4318/v1/traces' }, true],
  [{ OTEL_TRACES_EXPORTER: 'console' }, true],
  [{ ...ENDPOINT, OTEL_TRACES_EXPORTER: 'none' }, false],
  [{ ...ENDPOINT, OTEL_SDK_DISABLED: 'TRUE' }, false],
] as const) {
  t.test(`${JSON.stringify(environment)} ${wanted ? 'switches' : 'does not switch'} traces on`, async (t) => {
    t.equal(wantsTraces(environment), wanted);
  });
}

t.test('without those variables there is no tracer to pay for, and the SDK is not even loaded', async (t) => {
  const asked: string[] = [];
  const hooks = registerHooks({
    resolve(specifier, context, next) {
      asked.push(specifier);
      return next(specifier, context);
    },
  });
  t.teardown(() => hooks.deregister());
  const SDK = '@opentelemetry/sdk-node';
  t.equal(await startTracing({}, 'test', () => undefined), null);
  t.notOk(asked.includes(SDK));
  const tracing = await startTracing({ OTEL_TRACES_EXPORTER: 'otlp' }, 'test', () => undefined);
  t.ok(asked.includes(SDK));
  await tracing?.stop();
});
