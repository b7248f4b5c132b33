/**
 * One attempt to hand a message over: one look-up of the name, one connection to an address that may be had, one
 * answer. No redirect is followed, little of the answer is read, and all of it has one time limit: a receiver that is
 * slow, or answers without end, holds nobody up (billing rule 15).
 */
import { type ClientRequest, type IncomingMessage, request as requestHttp } from 'node:http';
import { request as requestHttps } from 'node:https';
import { hostOf, isAllowedAddress } from './addresses.ts';
import { type Resolve, type ResolvedAddress, resolveName, Unresolved } from './resolve.ts';

/**
 * Why there was no answer. `forbidden_address`: the name leads to where no message may go. `unresolved`: nobody said in
 * time where it leads, so nothing was tried, and nothing is known of the receiver.
 */
export type SendFault =
  | 'no_address'
  | 'unresolved'
  | 'forbidden_address'
  | 'no_connection'
  | 'bad_certificate'
  | 'timeout';

export type Sent = {
  /** Of the attempt; whole. */
  readonly tookMs: number;
} & (
  | {
      readonly kind: 'answered';
      readonly status: number;
      /** The beginning of what came back, as text. */
      readonly response: string;
      /** How long the receiver asks to be left alone; null where it does not. */
      readonly retryAfterMs: number | null;
    }
  | { readonly kind: 'unanswered'; readonly fault: SendFault }
);

export interface SendOptions {
  readonly allowPrivate: boolean;
  readonly timeoutMs: number;
  readonly resolve?: Resolve;
  /** Certificates of authorities, in PEM, in place of those that Node knows. */
  readonly ca?: string;
}

export interface Letter {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

const RESPONSE_BYTES_MAX = 16 * 1024;
const RESPONSE_TEXT_MAX = 1_000;
const RETRY_AFTER_MS_MAX = 24 * 3_600_000;

type Result = Omit<Extract<Sent, { kind: 'answered' }>, 'tookMs'> | { kind: 'unanswered'; fault: SendFault };

export async function send(letter: Letter, options: SendOptions): Promise<Sent> {
  const startedAt = performance.now();
  const result = await attempt(letter, options);
  return { ...result, tookMs: Math.round(performance.now() - startedAt) };
}

async function attempt(letter: Letter, options: SendOptions): Promise<Result> {
  const limit = new AbortController();
  const timer = setTimeout(() => limit.abort(), options.timeoutMs);
  try {
    const url = new URL(letter.url);
    const found = await addressFor(url, options, limit.signal);
    return 'kind' in found ? found : await exchange(letter, url, found, options, limit.signal);
  } finally {
    clearTimeout(timer);
  }
}

const unanswered = (fault: SendFault): Result => ({ kind: 'unanswered', fault });

/** A name of which only one address is forbidden is forbidden: which one a connection takes must not matter. */
async function addressFor(
  url: URL,
  { resolve = resolveName, allowPrivate }: SendOptions,
  signal: AbortSignal,
): Promise<ResolvedAddress | Result> {
  let addresses: readonly ResolvedAddress[];
  try {
    addresses = await Promise.race([resolve(hostOf(url)), ended(signal)]);
  } catch (error) {
    return unanswered(signal.aborted || error instanceof Unresolved ? 'unresolved' : 'no_address');
  }
  const [first] = addresses;
  if (first === undefined) return unanswered('no_address');
  const allowed = addresses.every(({ address }) => isAllowedAddress(address, allowPrivate));
  return allowed ? first : unanswered('forbidden_address');
}

function ended(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    signal.addEventListener('abort', () => reject(new Error('the time is over')), { once: true });
  });
}

function exchange(
  { headers, body }: Letter,
  url: URL,
  { address, family }: ResolvedAddress,
  { ca }: SendOptions,
  signal: AbortSignal,
): Promise<Result> {
  const { promise, resolve } = Promise.withResolvers<Result>();
  const open = url.protocol === 'https:' ? requestHttps : requestHttp;
  const bytes = Buffer.from(body);
  let request: ClientRequest;
  try {
    request = open(url, {
      method: 'POST',
      headers: { ...headers, 'content-length': String(bytes.length), connection: 'close' },
      // A connection of its own: one that was made to another address, for another name, is not used again.
      agent: false,
      lookup: (_, { all }, done) => (all ? done(null, [{ address, family }]) : done(null, address, family)),
      signal,
      ...(ca === undefined ? {} : { ca }),
    });
  } catch {
    // Headers or a URL that Node does not send.
    return Promise.resolve(unanswered('no_connection'));
  }
  let answering = false;
  const end = (fault: SendFault): void => {
    if (!answering) resolve(unanswered(signal.aborted ? 'timeout' : fault));
  };
  request.on('response', (response) => {
    answering = true;
    readBeginning(response).then((text) => resolve(answered(response, text)));
  });
  request.on('error', (error) => end(faultOf(error)));
  // An answer that is none, such as another protocol: nothing else would tell.
  request.on('close', () => end('no_connection'));
  request.end(bytes);
  return promise;
}

function answered({ statusCode = 0, headers }: IncomingMessage, response: string): Result {
  return {
    kind: 'answered',
    status: statusCode,
    response,
    retryAfterMs: retryAfterOf(headers['retry-after']),
  };
}

/** The status has been said by then: whatever becomes of the body, the receiver has answered. */
function readBeginning(response: IncomingMessage): Promise<string> {
  const { promise, resolve } = Promise.withResolvers<string>();
  const chunks: Buffer[] = [];
  let length = 0;
  const finish = (): void => {
    response.destroy();
    const text = Buffer.concat(chunks).toString('utf8').slice(0, RESPONSE_TEXT_MAX);
    // As a database can store it.
    resolve(text.toWellFormed().replaceAll('\0', '\ufffd'));
  };
  response.on('data', (chunk: Buffer) => {
    chunks.push(chunk);
    length += chunk.length;
    if (length >= RESPONSE_BYTES_MAX) finish();
  });
  response.on('end', finish);
  response.on('error', finish);
  response.on('close', finish);
  return promise;
}

function retryAfterOf(header: string | undefined): number | null {
  if (header === undefined) return null;
  const ms = /^\d{1,9}$/.test(header) ? Number(header) * 1_000 : Date.parse(header) - Date.now();
  return ms > 0 ? Math.min(ms, RETRY_AFTER_MS_MAX) : null;
}

function faultOf(error: Error): SendFault {
  const { code = '' } = error as { code?: string };
  return /CERT|SIGNATURE|ISSUER|^ERR_TLS|^ERR_SSL|^EPROTO$/.test(code) ? 'bad_certificate' : 'no_connection';
}
