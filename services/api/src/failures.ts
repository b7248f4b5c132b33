/** From whatever went wrong to the problem that the caller sees. What is not expected is logged, and said only as 500. */
import type { Socket } from 'node:net';
import { StoreUnavailable } from '@tallystick/event-store';
import { BadCursor } from '@tallystick/projections';
import type { FastifyError, FastifyReply, FastifyRequest } from 'fastify';
import { malformed, PROBLEMS, type Problem, problemOf, Refused } from './problems.ts';

export function answerFailure(
  error: FastifyError | Error,
  request: FastifyRequest,
  reply: FastifyReply,
): void {
  const problem = problemOfError(error);
  tell(error, problem, request);
  sendProblem(reply, problem.status === 500 ? { ...problem, request_id: request.id } : problem);
}

/**
 * A refusal is an answer, not a failure: it must not wake anybody. An outage is told in one line, because every request
 * meets it at once; only a bug needs its stack.
 */
function tell(error: Error, { code, status }: Problem, { log }: FastifyRequest): void {
  if (code === 'internal_error') log.error({ err: error, code }, 'request failed');
  else if (error instanceof Refused || status < 500) log.debug({ code, status }, 'request refused');
  else log.warn({ code, reason: error.message }, 'request failed');
}

export function sendProblem(reply: FastifyReply, problem: Problem): void {
  reply.problemCode = problem.code;
  const { retryAfter } = PROBLEMS[problem.code];
  // Hooks set it, too; but for a URL that cannot be read none has run.
  reply.header('x-request-id', reply.request.id);
  if (retryAfter !== undefined) reply.header('retry-after', String(retryAfter));
  if (problem.status === 401) reply.header('www-authenticate', 'Bearer');
  // As bytes: to a text Fastify would add a charset, and some clients read a problem only by its exact type.
  reply.code(problem.status).header('content-type', 'application/problem+json');
  const send = () => void reply.send(Buffer.from(JSON.stringify(problem)));
  if (problem.status === 413) afterDrain(reply.request, send);
  else send();
}

/**
 * What Node's parser cannot read never becomes a request: the answer is written by hand, and the connection ends with
 * it. A caller that is cut off by the network hears nothing.
 */
export function answerUnreadable({ code }: Error & { readonly code?: string }, socket: Socket): void {
  if (code === 'ECONNRESET' || !socket.writable) {
    socket.destroy();
    return;
  }
  const rule = UNREADABLE[code ?? ''] ?? 'must be HTTP/1.1';
  const body = JSON.stringify(malformed({ field: 'request', rule }));
  socket.end(
    `HTTP/1.1 400 Bad Request\r\ncontent-type: application/problem+json\r\n` +
      `content-length: ${Buffer.byteLength(body)}\r\nconnection: close\r\n\r\n${body}`,
  );
}

const UNREADABLE: Readonly<Record<string, string>> = {
  HPE_HEADER_OVERFLOW: 'must have shorter headers',
  ERR_HTTP_REQUEST_TIMEOUT: 'must be sent whole, and in time',
};

const DRAIN_BYTES_MAX = 64 * 1024 * 1024;
const DRAIN_MS_MAX = 10_000;

/**
 * A connection that ends with bytes unread is reset, and a client that is still sending sees a broken pipe in place of
 * the 413. So the rest of the body is read and thrown away first, within limits: nobody may send for ever.
 */
function afterDrain({ raw }: FastifyRequest, answer: () => void): void {
  if (raw.readableEnded || raw.destroyed) {
    answer();
    return;
  }
  let bytes = 0;
  const timer = setTimeout(finish, DRAIN_MS_MAX);
  raw.on('data', count);
  raw.once('end', finish);
  raw.once('close', finish);
  raw.resume();
  function count(chunk: Buffer): void {
    bytes += chunk.length;
    if (bytes > DRAIN_BYTES_MAX) finish();
  }
  function finish(): void {
    clearTimeout(timer);
    raw.off('data', count).off('end', finish).off('close', finish);
    answer();
  }
}

export function problemOfError(error: Error): Problem {
  if (error instanceof Refused) return error.problem;
  if (error instanceof BadCursor) return malformed({ field: 'cursor', rule: 'is not one of this list' });
  if (error instanceof StoreUnavailable) {
    return problemOf(error.outcome === 'unknown' ? 'outcome_unknown' : 'store_unavailable');
  }
  if (isOutage(error)) return problemOf('reads_unavailable');
  return ofFramework(error as FastifyError);
}

/** Fastify's own: codes and statuses are its contract, its messages are not ours to show. */
function ofFramework({ code, statusCode = 500 }: Partial<FastifyError>): Problem {
  switch (true) {
    case statusCode === 413:
      return problemOf('payload_too_large');
    case statusCode === 415:
      return problemOf('unsupported_media_type');
    case statusCode === 404 || statusCode === 414:
      return problemOf('not_found');
    case statusCode >= 400 && statusCode < 500:
      return malformed(
        code === 'FST_ERR_BAD_URL'
          ? { field: 'url', rule: 'must be a URL' }
          : { field: 'body', rule: 'must be JSON' },
      );
    default:
      return problemOf('internal_error');
  }
}

const NETWORK = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'ENOTFOUND',
  'ETIMEDOUT',
  'EPIPE',
  'EHOSTUNREACH',
  'EAI_AGAIN',
]);
// The driver has no codes of its own for these.
const DRIVER =
  /connection terminated|timeout exceeded when trying to connect|client has encountered a connection error|client was closed|query read timeout/i;

/** PostgreSQL is away, starting, stopping or full (classes 08, 53, 57, 58), or the connection to it. */
export function isOutage(error: Error): boolean {
  const { code } = error as { code?: unknown };
  if (typeof code === 'string') return NETWORK.has(code) || /^(08|53|57|58)[0-9A-Z]{3}$/.test(code);
  return DRIVER.test(error.message);
}
