/** What is told to the log, and what a client that is still sending gets to read. */
import { once } from 'node:events';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { StoreUnavailable } from '@tallystick/event-store';
import type { FastifyReply, FastifyRequest } from 'fastify';
import t from 'tap';
import { answerFailure } from './failures.ts';
import { malformed, problemOf, Refused } from './problems.ts';
import { startTestLedger } from './testing/ledger.ts';

interface Line {
  readonly level: string;
  readonly facts: Readonly<Record<string, unknown>>;
}

/** The lines that a failure leaves in the log. */
function linesOf(error: Error): Line[] {
  const lines: Line[] = [];
  const to = (level: string) => (facts: Line['facts']) => void lines.push({ level, facts });
  const log = { debug: to('debug'), info: to('info'), warn: to('warn'), error: to('error') };
  const reply = {
    request: { id: 'r' },
    header: () => reply,
    code: () => reply,
    send: () => reply,
    removeHeader: () => reply,
  };
  answerFailure(error, { id: 'r', log } as unknown as FastifyRequest, reply as unknown as FastifyReply);
  return lines;
}

t.test('a refusal is told at debug, without a stack', async (t) => {
  const refusals = [
    new Refused(problemOf('projection_behind')),
    new Refused(problemOf('insufficient_credits')),
    new Refused(problemOf('store_unavailable')),
    new Refused(malformed({ field: 'id', rule: 'is required' })),
    Object.assign(new Error('too large'), { statusCode: 415 }),
  ];
  for (const error of refusals) {
    const [line, ...more] = linesOf(error);
    t.equal(line?.level, 'debug', error.message);
    t.notOk(line?.facts.err, 'no stack');
    t.same(more, []);
  }
});

t.test('an outage is a warning of one line, and only a bug is an error with its stack', async (t) => {
  const [outage] = linesOf(new StoreUnavailable('unwritten', 'refused'));
  t.match(outage, { level: 'warn', facts: { code: 'store_unavailable', err: undefined } });
  const bug = new TypeError('x is undefined');
  t.match(linesOf(bug), [{ level: 'error', facts: { code: 'internal_error', err: bug } }]);
});

const ledger = await startTestLedger();
t.teardown(() => ledger.stop());
await ledger.app.listen({ port: 0, host: '127.0.0.1' });
const { port } = ledger.app.server.address() as AddressInfo;
const post = (body: string | ReadableStream) =>
  fetch(`http://127.0.0.1:${port}/v1/usage`, {
    method: 'POST',
    headers: { authorization: `Bearer ${ledger.adminKey}`, 'content-type': 'application/json' },
    body,
    duplex: 'half',
  } as RequestInit);

t.test('a client that is still sending a body over the limit reads the 413', async (t) => {
  for (let round = 0; round < 5; round += 1) {
    const known = await post(' '.repeat(17 * 1024 * 1024));
    t.equal(known.status, 413, 'where its length was said before');
    t.match(await known.json(), { code: 'payload_too_large' });
    const chunk = new Uint8Array(1024 * 1024).fill(32);
    const unknown = await post(ReadableStream.from(Array.from({ length: 20 }, () => chunk)));
    t.equal(unknown.status, 413, 'and where it turns out on the way');
    t.match(await unknown.json(), { code: 'payload_too_large' });
  }
});

/** Sends MiB after MiB without reading, as many clients do, until it is done or the connection ends. */
async function sendFirst(
  chunksMax: number,
): Promise<{ readonly readBytes: number; readonly answer: string }> {
  const accepted = once(ledger.app.server, 'connection');
  const socket = connect(port, '127.0.0.1');
  const [theirs] = (await accepted) as [Socket];
  let answer = '';
  let failed = false;
  socket.on('error', () => {
    failed = true;
  });
  socket.pause();
  socket.write(
    'POST /v1/usage HTTP/1.1\r\nhost: ledger\r\nconnection: close\r\ncontent-type: application/json\r\n' +
      `authorization: Bearer ${ledger.adminKey}\r\ntransfer-encoding: chunked\r\n\r\n`,
  );
  const chunk = `100000\r\n${' '.repeat(1024 * 1024)}\r\n`;
  for (let sent = 0; sent < chunksMax && !failed; sent += 1) {
    await new Promise((resolve) => socket.write(chunk, resolve));
  }
  const closed = new Promise((resolve) => (socket.closed ? resolve(null) : socket.once('close', resolve)));
  if (!failed) socket.write('0\r\n\r\n');
  socket.on('data', (data) => {
    answer += data.toString();
  });
  socket.resume();
  await closed;
  return { readBytes: theirs.bytesRead, answer };
}

const MIB = 1024 * 1024;

t.test('a client that reads only when all is sent gets the 413 as well', async (t) => {
  const { readBytes, answer } = await sendFirst(24);
  t.ok(readBytes > 24 * MIB, 'all of it was taken');
  t.match(answer, /^HTTP\/1\.1 413 /);
});

t.test('what a client sends without end is not read without end', async (t) => {
  const { readBytes } = await sendFirst(256);
  t.ok(readBytes >= 64 * MIB && readBytes < 128 * MIB, `${readBytes} bytes were read`);
});
