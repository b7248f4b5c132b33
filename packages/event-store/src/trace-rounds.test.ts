import { type Context, type SpanOptions, type Tracer, trace } from '@opentelemetry/api';
import t from 'tap';
import { traceAppends, traceRounds } from './trace-rounds.ts';

interface Started {
  readonly name: string;
  readonly parent: string | undefined;
  readonly links: readonly string[];
}

/** Keeps what was started; the spans themselves do nothing. */
function recordingTracer(): { tracer: Tracer; started: Started[] } {
  const started: Started[] = [];
  const startSpan = (name: string, options: SpanOptions = {}, parent?: Context) => {
    const links = (options.links ?? []).map(({ context }) => context.spanId);
    started.push({ name, parent: parent && trace.getSpanContext(parent)?.spanId, links });
    return trace.wrapSpanContext({ traceId: 'a'.repeat(32), spanId: 'f'.repeat(16), traceFlags: 1 });
  };
  return { tracer: { startSpan, startActiveSpan: () => undefined } as unknown as Tracer, started };
}

const caused = (span: string) => ({ actor: 'key', request: 'r', trace: `00-${'a'.repeat(32)}-${span}-01` });
const [ONE, TWO] = ['1'.repeat(16), '2'.repeat(16)];

t.test('a round stands below its first traced request and is linked once with each other', async (t) => {
  const { tracer, started } = recordingTracer();
  let worked = 0;
  const causes = [{ actor: 'sweep', request: '' }, caused(ONE), caused(TWO), caused(TWO), caused(ONE)];
  await traceRounds(tracer)('wallet-acme', causes, async () => {
    worked += 1;
  });
  t.same(started, [{ name: 'decide and record', parent: ONE, links: [TWO] }]);
  t.equal(worked, 1);
});

t.test(
  'what no traced request asked for makes no span, neither of the round nor of its append',
  async (t) => {
    const { tracer, started } = recordingTracer();
    const observe = traceAppends(tracer);
    await traceRounds(tracer)('wallet-acme', [{ actor: 'sweep', request: '' }], async () => {
      observe({ stream: 'wallet-acme', expected: -1, events: [] })('appended');
    });
    t.same(started, []);
  },
);

t.test('a round that fails fails as it would without traces', async (t) => {
  const { tracer } = recordingTracer();
  const fault = new Error('a bug');
  await t.rejects(
    traceRounds(tracer)('wallet-acme', [caused(ONE)], () => Promise.reject(fault)),
    fault,
  );
});
