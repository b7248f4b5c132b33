/** The log of a process: structured lines on standard error, without secrets. */
import { type Logger, pino } from 'pino';

export type Log = Logger;

/**
 * Of an error only what helps: the driver's errors carry their connection along, with its settings and its password.
 * Of a request and an answer as well: no headers, and of the URL no query, which is the caller's affair.
 */
export function createLog(level: string, name: string): Log {
  const serializers = { err: describeError, req: describeRequest, res: describeAnswer };
  const destination = pino.destination({ fd: 2, sync: true });
  // Of a terminal that was closed; of a closed pipe pino knows by itself. Whoever is stopping must not stumble over it.
  destination.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EIO') throw error;
    destination.write = () => true;
  });
  return pino({ level, name, serializers }, destination);
}

/** Takes user and password out of connection strings, wherever they stand in a text. */
export function withoutPasswords(text: string): string {
  return text.replace(/([a-z][a-z0-9+.-]*:\/\/)[^\s/?#]*@/gi, '$1***@');
}

function describeError(error: unknown): object {
  if (!(error instanceof Error)) return { message: withoutPasswords(String(error)) };
  const { name, message, stack = '', cause } = error;
  const { code } = error as { code?: unknown };
  return {
    type: name,
    message: withoutPasswords(message),
    ...(code === undefined ? {} : { code }),
    stack: withoutPasswords(stack),
    ...(cause === undefined ? {} : { cause: describeError(cause) }),
  };
}

function describeRequest({ method, url }: { method?: string; url?: string }): object {
  return { method, path: url?.split('?', 1)[0] };
}

function describeAnswer({ statusCode }: { statusCode?: number }): object {
  return { status: statusCode };
}
