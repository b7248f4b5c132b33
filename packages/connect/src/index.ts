export { type Catalogue, followCatalogue, type KnownKey } from './catalogue.ts';
export { type Clock, followTestClock, realClock, type TestClock } from './clock.ts';
export {
  type Connected,
  type ConnectOptions,
  connectLedger,
  connectPatiently,
  openStore,
} from './connect.ts';
export { type Database, openDatabase } from './database.ts';
export { inTime, nowAndThen } from './in-time.ts';
export { cannotListen } from './listen.ts';
export { createLog, type Log, withoutPasswords } from './log.ts';
export { type MailSettings, readMailSettings } from './mail-settings.ts';
export {
  createMeter,
  type Histogram,
  METRICS_TYPE,
  type Meter,
  type Reading,
  SECONDS,
  SIZES,
} from './meter.ts';
export { serveMetrics } from './metrics-port.ts';
export { type Part, runPart, stopSignal, untilStopped } from './part.ts';
export { formatPosition, POSITION_PATTERN, parsePosition } from './position.ts';
export { BadSettings, type LogLevel, parseSettings, type Settings } from './settings.ts';
export { startTracing, type Tracing } from './tracing.ts';
