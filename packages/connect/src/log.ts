/** The log of a process: structured lines on standard error, without secrets. */
import { type Logger, pino } from 'pino';

/**
 * Of an error only what helps: the driver's errors carry their connection along, with its settings and its password.
 */
export function createLog(level: string, name: string): Logger {
  return pino({ level, name, serializers: { err: describeError } }, pino.destination({ fd: 2, sync: true }));
}

function describeError(error: unknown): object {
  if (!(error instanceof Error)) return { message: String(error) };
  const { name, message, stack, cause } = error;
  const { code } = error as { code?: unknown };
  return {
    type: name,
    message,
    ...(code === undefined ? {} : { code }),
    stack,
    ...(cause === undefined ? {} : { cause: describeError(cause) }),
  };
}
