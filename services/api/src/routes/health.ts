/** Is it alive, is it ready, how is it doing. */
import { Type } from 'typebox';
import type { Api, App } from '../api.ts';
import { STALE_MS } from '../auth.ts';
import type { Metrics } from '../metrics.ts';

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

export function metricsRoute(app: App, metrics: Metrics, scopes: readonly ('read' | 'admin')[]): void {
  app.get('/metrics', { config: { access: { scopes } }, schema: { hide: true } }, async (_request, reply) => {
    const text = await metrics.text();
    return reply.header('content-type', metrics.contentType).send(text);
  });
}

async function readiness(api: Api) {
  const age = api.catalogue.ageMs();
  const [store, offset] = await Promise.all([
    inTime(api.store.head('ledger-genesis')),
    inTime(clockOffset(api)),
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

/** How far this process' clock is ahead of the database's, in milliseconds. */
async function clockOffset({ reads, now }: Api): Promise<number> {
  const before = now();
  const { rows } = await reads.queries.pool.query<{ ms: number }>(
    'select (extract(epoch from clock_timestamp()) * 1000)::float8 as ms',
  );
  const middle = (before + now()) / 2;
  return Math.round(middle - (rows[0]?.ms ?? 0));
}

/** Null where it fails or takes too long. */
function inTime<T>(work: Promise<T>): Promise<T | null> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => resolve(null), PATIENCE_MS);
    work
      .then(
        (value) => resolve(value),
        () => resolve(null),
      )
      .finally(() => clearTimeout(timer));
  });
}
