/** The HTTP application, without a port: routes, schemas, who may call, and how failures are told. */
import { randomBytes } from 'node:crypto';
import { createMeter } from '@tallystick/connect';
import Fastify, { type FastifyInstance, LogController } from 'fastify';
import { rememberAcknowledged } from './acknowledged.ts';
import { type Api, type ApiParts, type App, LIMITS } from './api.ts';
import { type Access, allow, createAuthenticator, type Principal } from './auth.ts';
import { refuseStrayBodies } from './bodiless.ts';
import { describe } from './document.ts';
import { answerFailure, answerUnreadable, sendProblem } from './failures.ts';
import { allowedMethods } from './methods.ts';
import { measureApi, type Observe } from './metrics.ts';
import { type ProblemCode, problemOf } from './problems.ts';
import { createRateLimits } from './rate-limit.ts';
import { accountCouponsRoutes } from './routes/account-coupons.ts';
import { accountsRoutes } from './routes/accounts.ts';
import { alertsRoutes } from './routes/alerts.ts';
import { apiKeysRoutes } from './routes/api-keys.ts';
import { authorizeRoutes } from './routes/authorize.ts';
import { autoTopUpRoutes } from './routes/auto-top-up.ts';
import { balancesRoutes } from './routes/balances.ts';
import { billingRoutes } from './routes/billing/billing.ts';
import { couponsRoutes } from './routes/coupons.ts';
import { creditsRoutes } from './routes/credits.ts';
import { entriesRoutes } from './routes/entries.ts';
import { explainRoutes } from './routes/explain.ts';
import { healthRoutes, metricsRoute } from './routes/health.ts';
import { holdsRoutes } from './routes/holds.ts';
import { packagesRoutes } from './routes/packages.ts';
import { plansRoutes } from './routes/plans.ts';
import { priceBooksRoutes } from './routes/price-books.ts';
import { purchasesRoutes } from './routes/purchases.ts';
import { quotasRoutes } from './routes/quotas.ts';
import { quotesRoutes } from './routes/quotes.ts';
import { receiptsRoutes } from './routes/receipts.ts';
import { referralsRoutes } from './routes/referrals.ts';
import { subscriptionChangesRoutes } from './routes/subscription-changes.ts';
import { subscriptionPaymentsRoutes } from './routes/subscription-payments.ts';
import { subscriptionsRoutes } from './routes/subscriptions.ts';
import { testClockRoutes } from './routes/test-clock.ts';
import { usageRoutes } from './routes/usage.ts';
import { usageReadsRoutes } from './routes/usage-reads.ts';
import { webhooksRoutes } from './routes/webhooks.ts';
import { traceRequests } from './trace-requests.ts';
import { compileValidator } from './validation.ts';

declare module 'fastify' {
  interface FastifyContextConfig {
    access?: Access;
  }
  interface FastifyRequest {
    /** Set for every route that asks for a scope. */
    principal: Principal;
  }
  interface FastifyReply {
    /** Why the request was refused; null where it was not. */
    problemCode: ProblemCode | null;
  }
}

export async function buildApp(parts: ApiParts): Promise<FastifyInstance> {
  const { now = Date.now, isStarted = () => true, log, meter = createMeter(), tracer = null } = parts;
  const { realNow = now, testClock = null } = parts;
  const { runner, store, catalogue, reads, webhooks, epoch } = parts;
  const api: Api = {
    runner,
    store,
    catalogue,
    reads,
    webhooks,
    epoch,
    now,
    realNow,
    testClock,
    isStarted,
    sealSeconds: parts.sealSeconds ?? 60,
    limits: { ...LIMITS, ...parts.limits },
    rateLimits: parts.rateLimits ?? createRateLimits({ redisUrl: null, namespace: '' }),
    acknowledged: rememberAcknowledged(),
    ...countRefusals(),
  };
  const app = Fastify({
    ...(log === undefined ? {} : { loggerInstance: log }),
    // One line per request costs as much as the request: only where it is asked for.
    logController: new LogController({ disableRequestLogging: !(log?.isLevelEnabled('info') ?? false) }),
    bodyLimit: api.limits.bodyBytes,
    genReqId: requestIds(),
    routerOptions: { maxParamLength: 200 },
    forceCloseConnections: 'idle',
    // Requests on open connections are still answered: the runner is closed after this.
    return503OnClosing: false,
    frameworkErrors: answerFailure,
    clientErrorHandler: answerUnreadable,
  }) as unknown as App;
  app.setValidatorCompiler(compileValidator);
  app.setErrorHandler(answerFailure);
  acceptEmptyBodies(app);
  refuseStrayBodies(app);
  app.decorateRequest('span', null);
  app.decorateReply('problemCode', null);
  if (tracer !== null) traceRequests(app, tracer);
  authenticate(app, api);
  measure(app, api, measureApi(meter, api));
  refuseUnknown(app);
  await describe(app);
  await app.register(async (routes) => {
    addRoutes(routes as unknown as App, api);
    metricsRoute(routes as unknown as App, meter);
  });
  return app as unknown as FastifyInstance;
}

function addRoutes(app: App, api: Api): void {
  accountsRoutes(app, api);
  priceBooksRoutes(app, api);
  plansRoutes(app, api);
  packagesRoutes(app, api);
  couponsRoutes(app, api);
  purchasesRoutes(app, api);
  accountCouponsRoutes(app, api);
  referralsRoutes(app, api);
  autoTopUpRoutes(app, api);
  alertsRoutes(app, api);
  billingRoutes(app, api);
  creditsRoutes(app, api);
  usageRoutes(app, api);
  authorizeRoutes(app, api);
  holdsRoutes(app, api);
  subscriptionsRoutes(app, api);
  subscriptionChangesRoutes(app, api);
  subscriptionPaymentsRoutes(app, api);
  quotasRoutes(app, api);
  quotesRoutes(app, api);
  balancesRoutes(app, api);
  usageReadsRoutes(app, api);
  entriesRoutes(app, api);
  explainRoutes(app, api);
  receiptsRoutes(app, api);
  apiKeysRoutes(app, api);
  webhooksRoutes(app, api);
  testClockRoutes(app, api);
  healthRoutes(app, api);
}

/** Unique over processes and restarts, at the price of an addition. */
function requestIds(): () => string {
  const process = randomBytes(6).toString('hex');
  let count = 0;
  return () => `${process}-${(++count).toString(36)}`;
}

/** Who calls is asked before the body is read: nobody else's megabytes are parsed. */
function authenticate(app: App, api: Api): void {
  const { identify } = createAuthenticator(api.catalogue, api.testClock);
  app.decorateRequest('principal');
  app.addHook('onRequest', (request, reply, done) => {
    reply.header('x-request-id', request.id);
    const { access } = request.routeOptions.config;
    if (access === undefined || access.scopes.length === 0) return done();
    try {
      const principal = identify(request.headers.authorization);
      if (principal instanceof Promise) {
        principal.then((late) => admit(late)).then(() => done(), done);
      } else {
        admit(principal);
        done();
      }
    } catch (error) {
      done(error as Error);
    }
    function admit(principal: Principal): void {
      request.principal = principal;
      allow(principal, access as Access, (request.params as { id?: string }).id);
    }
  });
}

function countRefusals(): Pick<Api, 'refusals' | 'countRefusal'> {
  const refusals = new Map<ProblemCode, number>();
  return { refusals, countRefusal: (code) => void refusals.set(code, (refusals.get(code) ?? 0) + 1) };
}

function measure(app: App, api: Api, observe: Observe): void {
  app.addHook('onResponse', (request, reply, done) => {
    const route = request.routeOptions.url ?? 'unknown';
    observe(request.method, route, reply.statusCode, reply.elapsedTime / 1000);
    if (reply.problemCode !== null) api.countRefusal(reply.problemCode);
    done();
  });
}

/** `void` has nothing to say, and clients that always send a content type send it with an empty body. */
function acceptEmptyBodies(app: App): void {
  const parse = app.getDefaultJsonParser('error', 'error');
  app.removeContentTypeParser(['application/json', 'text/plain']);
  app.addContentTypeParser('application/json', { parseAs: 'string' }, (request, body, done) => {
    if (body.length === 0) done(null, undefined);
    else parse(request as never, body as string, done);
  });
}

function refuseUnknown(app: App): void {
  const methodsOf = allowedMethods(app);
  app.setNotFoundHandler((request, reply) => {
    const allowed = methodsOf(request.url);
    if (allowed.length === 0) return sendProblem(reply, problemOf('not_found'));
    reply.header('allow', allowed.join(', '));
    sendProblem(reply, problemOf('method_not_allowed', { allowed }));
  });
}
