/**
 * OpenTelemetry traces, switched on by the usual `OTEL_*` variables. Where they are absent the SDK is not even loaded,
 * and whoever could trace is given null, so that it costs nothing.
 */
import { DiagLogLevel, diag, type Tracer, trace } from '@opentelemetry/api';

export interface Tracing {
  readonly tracer: Tracer;
  /**
   * Sends what has been gathered, for two seconds at most. The exporter may go on trying a collector that is away: end
   * the process after this by `process.exit`.
   */
  stop(): Promise<void>;
}

type Environment = Readonly<Record<string, string | undefined>>;

const FAREWELL_MS_MAX = 2_000;

/** Wanted where an exporter or where to send to is named, and neither is taken back. */
export function wantsTraces(environment: Environment): boolean {
  if (environment.OTEL_SDK_DISABLED?.toLowerCase() === 'true') return false;
  const exporter = environment.OTEL_TRACES_EXPORTER;
  if (exporter) return exporter !== 'none';
  return Boolean(environment.OTEL_EXPORTER_OTLP_TRACES_ENDPOINT || environment.OTEL_EXPORTER_OTLP_ENDPOINT);
}

/**
 * @param service the service's name, unless the environment has another
 * @param tell told what the SDK has to complain about, such as a collector that is away
 */
export async function startTracing(
  environment: Environment,
  service: string,
  tell: (message: string) => void,
): Promise<Tracing | null> {
  if (!wantsTraces(environment)) return null;
  const { NodeSDK } = await import('@opentelemetry/sdk-node');
  const isNamed =
    environment.OTEL_SERVICE_NAME || /\bservice\.name=/.test(environment.OTEL_RESOURCE_ATTRIBUTES ?? '');
  // Logs and metrics have their own ways out of here; left to itself the SDK would send logs as well.
  const sdk = new NodeSDK({
    logRecordProcessors: [],
    metricReaders: [],
    instrumentations: [],
    ...(isNamed ? {} : { serviceName: service }),
  });
  const quiet = (): void => undefined;
  const logger = { error: tell, warn: tell, info: quiet, debug: quiet, verbose: quiet };
  diag.setLogger(logger, { logLevel: DiagLogLevel.WARN, suppressOverrideMessage: true });
  sdk.start();
  return {
    tracer: trace.getTracer('tallystick'),
    async stop() {
      const { promise: late, resolve } = Promise.withResolvers<void>();
      const timer = setTimeout(() => {
        tell('the collector of traces has not taken the last spans');
        resolve();
      }, FAREWELL_MS_MAX);
      await Promise.race([sdk.shutdown().catch((error: unknown) => tell(String(error))), late]);
      clearTimeout(timer);
    },
  };
}
