/** Bytes that are hardly HTTP, sent over a socket: there the parser answers, before any route is asked. */
import { connect } from 'node:net';
import fc, { type Arbitrary } from 'fast-check';

const METHODS = ['GET', 'POST', 'BREW', 'get', '', 'G\0T', 'PRI'];
const TARGETS = [
  '/health/live',
  '/v1/usage',
  '/v1/accounts/\xff',
  '/ /',
  '',
  '*',
  'http://[',
  '//',
  '/\0',
  '/\u{1f}',
  '?',
  `/${'a'.repeat(20_000)}`,
];
const VERSIONS = ['HTTP/1.1', 'HTTP/1.0', 'HTTP/9.9', 'HTTP/1.1 x', '', 'HTTPS/1.1'];
const HEADERS = [
  'host: x',
  'host: x\r\nhost: y',
  'content-length: 5',
  'content-length: -1',
  'content-length: 5\r\ncontent-length: 6',
  'content-length: 99999999999999999999',
  'transfer-encoding: chunked',
  'transfer-encoding: chunked\r\ncontent-length: 5',
  'transfer-encoding: gzip, x',
  'expect: 100-continue',
  'expect: coffee',
  'upgrade: websocket\r\nconnection: upgrade',
  'content-type: application/json',
  'content-type: \xff',
  'no colon',
  ': no name',
  'bad name: x',
  'x: a\0b',
  'x: a\nb',
  `x: ${'a'.repeat(20_000)}`,
];
const BODIES = [
  '',
  '{}',
  '{"id":',
  '5\r\n{"a":\r\n',
  'zz\r\n',
  'ffffffffffffffff\r\n',
  '0\r\n\r\n',
  'GET / HTTP/1.1\r\n\r\n',
];

export const bytes: Arbitrary<string> = fc.oneof(
  {
    weight: 1,
    arbitrary: fc.uint8Array({ maxLength: 200 }).map((data) => Buffer.from(data).toString('latin1')),
  },
  {
    weight: 8,
    arbitrary: fc
      .tuple(
        fc.constantFrom(...METHODS),
        fc.constantFrom(...TARGETS),
        fc.constantFrom(...VERSIONS),
        fc.subarray(HEADERS, { maxLength: 4 }),
        fc.constantFrom(...BODIES),
      )
      .map(([method, target, version, headers, body]) =>
        [`${method} ${target} ${version}`, ...headers, '', body].join('\r\n'),
      ),
  },
);

const PATIENCE_MS = 2_000;

/** Sends and says no more. All that came back until the other side was done; null where it leaves us waiting. */
export function sendBytes(port: number, text: string): Promise<string | null> {
  return new Promise((resolve) => {
    const chunks: Buffer[] = [];
    const socket = connect(port, '127.0.0.1', () => socket.end(text, 'latin1'));
    const timer = setTimeout(() => {
      socket.destroy();
      resolve(null);
    }, PATIENCE_MS);
    socket.on('data', (chunk) => chunks.push(chunk));
    // Cut off while we still send: what has come counts.
    socket.on('error', () => undefined);
    socket.on('close', () => {
      clearTimeout(timer);
      resolve(Buffer.concat(chunks).toString());
    });
  });
}

/**
 * What is wrong with the first answer; null where it is a success, a problem, or none at all. Node's own server refuses
 * by itself, with no body, what lacks a Host or expects what nobody knows.
 */
export function faultOfBytes(answer: string | null): string | null {
  if (answer === null) return 'it neither answers nor ends';
  if (answer === '') return null;
  const [head = '', body = ''] = answer.replace(/^HTTP\/1\.1 100 Continue\r\n\r\n/, '').split('\r\n\r\n', 2);
  const status = Number(/^HTTP\/1\.1 (\d{3}) /.exec(head)?.[1]);
  if (status >= 200 && status < 400) return null;
  if (!(status >= 400 && status < 500)) return `neither a success nor a refusal: ${head}`;
  if (body === '' || body === '0') return null;
  const isProblem = /\r\ncontent-type: application\/problem\+json(\r\n|$)/i.test(head);
  return isProblem && body.includes('"code":"') ? null : `no problem: ${answer.slice(0, 400)}`;
}
