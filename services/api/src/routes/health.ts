/** Is it alive, is it ready, how is it doing. */
import { inTime, METRICS_TYPE, type Meter } from '@tallystick/connect';
import { Type } from 'typebox';
import type { Api, App } from '../api.ts';
import { STALE_MS } from '../auth.ts';

/** Rule 9: not ready while further than this off the store's clock. */
const CLOCK_MS_MAX = 2_000;
const PATIENCE_MS = 2_000;

const Check = Type.Object({ ok: Type.Boolean(), ms: Type.Optional(Type.Number()) });
const Readiness = Type.Object({
  status: Type.Union([Type.Literal('ready'), Type.Literal('not_ready')]),
  checks: Type.Object({
    start: Check,
    catalogue: Check,
    store: Check,
    clock: Check,
    projections: Check,
  }),
});

export function healthRoutes(app: App, api: Api): void {
  const open = { access: { scopes: [] } } as const;
  const tags = ['health'];

  app.get(
    '/health/live',
    {
      config: open,
      schema: {
        tags,
        summary: 'Is the process alive?',
        response: { 200: Type.Object({ status: Type.Literal('live') }) },
      },
    },
    async () => ({ status: 'live' as const }),
  );

  app.get(
    '/health/ready',
    {
      config: open,
      schema: {
        tags,
        summary: 'May the process be sent requests?',
        response: { 200: Readiness, 503: Readiness },
      },
    },
    async (_request, reply) => {
      const checks = await readiness(api);
      const ready = checks.start.ok && checks.catalogue.ok && checks.store.ok && checks.clock.ok;
      if (!ready) reply.code(503).header('retry-after', '1');
      return { status: ready ? ('ready' as const) : ('not_ready' as const), checks };
    },
  );
}

export function metricsRoute(app: App, meter: Meter): void {
  const config = { access: { scopes: ['admin', 'read'] } } as const;
  app.get('/metrics', { config, schema: { hide: true } }, async (_request, reply) =>
    reply.header('content-type', METRICS_TYPE).send(await meter.text()),
  );
}

async function readiness(api: Api) {
  const age = Math.max(api.catalogue.ageMs(), api.testClock?.ageMs() ?? 0);
  const [store, offset] = await Promise.all([
    inTime(api.store.head('ledger-genesis'), PATIENCE_MS),
    inTime(clockOffset(api), PATIENCE_MS),
  ]);
  const lag = api.reads.lagMs();
  return {
    // The port is taken before the last steps of the start: so that nothing is made that a taken port would lose.
    start: { ok: api.isStarted() },
    catalogue: { ok: age <= STALE_MS, ...(Number.isFinite(age) ? { ms: Math.round(age) } : {}) },
    store: { ok: store !== null },
    clock: {
      ok: offset !== null && Math.abs(offset) <= CLOCK_MS_MAX,
      ...(offset === null ? {} : { ms: offset }),
    },
    // Reported only: the ledger can charge while its read models are behind.
    projections: { ok: lag !== null || offset !== null, ...(lag === null ? {} : { ms: Math.round(lag) }) },
  };
}

/** How far this process' clock, the real one, is ahead of the database's, in milliseconds. */
async function clockOffset({ reads, realNow }: Api): Promise<number> {
  const before = realNow();
  const { rows } = await reads.queries.pool.query<{ ms: number }>(
    'select (extract(epoch from clock_timestamp()) * 1000)::float8 as ms',
  );
  const middle = (before + realNow()) / 2;
  return Math.round(middle - (rows[0]?.ms ?? 0));
}
