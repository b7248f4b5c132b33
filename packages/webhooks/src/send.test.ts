import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer as createSecureServer } from 'node:https';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { createResolve, type Resolve } from './resolve.ts';
import { type SendOptions, type Sent, send } from './send.ts';
import { startNames } from './testing/names.ts';
import { answer, startReceiver } from './testing/receiver.ts';

const receiver = await startReceiver();
t.teardown(() => receiver.stop());

const HERE = { allowPrivate: true, timeoutMs: 2_000 };
const letter = (url = receiver.url) => ({ url, headers: { 'x-test': 'yes' }, body: '{"a":"ä"}' });
const sendTo = (url: string, options: Partial<SendOptions> = {}): Promise<Sent> =>
  send(letter(url), { ...HERE, ...options });

t.beforeEach(() => {
  receiver.received.length = 0;
  receiver.behave = answer(204);
});

t.test('a message arrives whole, and what came back is told', async (t) => {
  receiver.behave = answer(200, 'thanks');
  const sent = await sendTo(receiver.url);
  t.match(sent, { kind: 'answered', status: 200, response: 'thanks', retryAfterMs: null });
  t.match(receiver.received, [
    {
      method: 'POST',
      path: '/hook',
      body: '{"a":"ä"}',
      headers: { 'x-test': 'yes', 'content-length': '10', host: `127.0.0.1:${receiver.port}` },
    },
  ]);
});

t.test('any status is told as it is', async (t) => {
  for (const status of [201, 400, 404, 410, 429, 500, 503]) {
    receiver.behave = answer(status);
    t.match(await sendTo(receiver.url), { kind: 'answered', status });
  }
});

t.test('a redirect is an answer like any other: nobody goes there', async (t) => {
  for (const status of [301, 302, 303, 307, 308]) {
    receiver.received.length = 0;
    receiver.behave = answer(status, '', { location: `${receiver.url}/elsewhere` });
    t.match(await sendTo(receiver.url), { kind: 'answered', status });
    t.equal(receiver.received.length, 1);
  }
});

t.test('a receiver that never answers is left when the time is over', async (t) => {
  receiver.behave = () => undefined;
  const sent = await sendTo(receiver.url, { timeoutMs: 100 });
  t.match(sent, { kind: 'unanswered', fault: 'timeout' });
  t.ok(sent.tookMs >= 90 && sent.tookMs < 1_500, `${sent.tookMs} ms`);
});

t.test('a status counts though its body never ends', async (t) => {
  receiver.behave = (response) => {
    response.writeHead(200);
    response.write('so far');
  };
  const sent = await sendTo(receiver.url, { timeoutMs: 200 });
  t.match(sent, { kind: 'answered', status: 200, response: 'so far' });
});

t.test('a drip of bytes does not stretch the time', async (t) => {
  const drips: NodeJS.Timeout[] = [];
  t.teardown(() => drips.map(clearInterval));
  receiver.behave = (response) => {
    response.writeHead(200);
    drips.push(setInterval(() => response.write('.'), 20));
  };
  const sent = await sendTo(receiver.url, { timeoutMs: 200 });
  t.ok(sent.tookMs < 1_500, `${sent.tookMs} ms`);
});

t.test('of a huge body only the beginning is read', async (t) => {
  let written = 0;
  receiver.behave = (response) => {
    const chunk = Buffer.alloc(64 * 1024, 'x');
    const more = (): void => {
      while (!response.destroyed && response.write(chunk)) written += chunk.length;
      if (!response.destroyed) response.once('drain', more);
    };
    response.on('close', () => response.destroy());
    more();
  };
  const sent = await sendTo(receiver.url);
  t.match(sent, { kind: 'answered', status: 200 });
  t.equal(sent.kind === 'answered' && sent.response, 'x'.repeat(1_000));
  t.ok(written < 64 * 1024 * 1024, `${written} bytes were taken`);
});

t.test('what comes back is kept as a text that can be stored', async (t) => {
  receiver.behave = (response) => {
    response.writeHead(500).end(Buffer.from([0x61, 0, 0xff, 0x62]));
  };
  const sent = await sendTo(receiver.url);
  t.equal(sent.kind === 'answered' && sent.response, 'a\ufffd\ufffdb');
});

t.test('a connection that ends without an answer, or in the middle of one, is no answer', async (t) => {
  receiver.behave = (_, request) => request.socket.destroy();
  t.match(await sendTo(receiver.url), { kind: 'unanswered', fault: 'no_connection' });
  receiver.behave = (_, request) => request.socket.end('HTTP/1.1 200 OK\r\ncontent-le');
  t.match(await sendTo(receiver.url), { kind: 'unanswered', fault: 'no_connection' });
  receiver.behave = (_, request) => request.socket.end('SSH-2.0-hello\r\n');
  t.match(await sendTo(receiver.url), { kind: 'unanswered', fault: 'no_connection' });
  receiver.behave = (_, request) => {
    request.socket.write('HTTP/1.1 101 Switching Protocols\r\nupgrade: x\r\nconnection: upgrade\r\n\r\n');
  };
  t.match(await sendTo(receiver.url, { timeoutMs: 500 }), { kind: 'unanswered' });
});

t.test('where nobody listens there is no connection', async (t) => {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  t.match(await sendTo(`http://127.0.0.1:${port}/`), { kind: 'unanswered', fault: 'no_connection' });
});

t.test('headers without end are no answer', async (t) => {
  receiver.behave = (_, request) => {
    request.socket.on('error', () => undefined);
    request.socket.write(`HTTP/1.1 200 OK\r\nx: ${'y'.repeat(100_000)}`);
  };
  t.match(await sendTo(receiver.url), { kind: 'unanswered', fault: 'no_connection' });
});

t.test('a receiver may ask to be left alone for a while, but not for ever', async (t) => {
  const asked = async (value: string) => {
    receiver.behave = answer(429, '', { 'retry-after': value });
    const sent = await sendTo(receiver.url);
    return sent.kind === 'answered' ? sent.retryAfterMs : -1;
  };
  t.equal(await asked('120'), 120_000);
  t.equal(await asked('999999999'), 24 * 3_600_000);
  t.equal(await asked('0'), null);
  t.equal(await asked('soon'), null);
  const inAnHour = (await asked(new Date(Date.now() + 3_600_000).toUTCString())) ?? 0;
  t.ok(inAnHour > 3_500_000 && inAnHour <= 3_600_000, String(inAnHour));
});

t.test('a private address is sent nothing, and nobody connects to it', async (t) => {
  t.match(await sendTo(receiver.url, { allowPrivate: false }), {
    kind: 'unanswered',
    fault: 'forbidden_address',
  });
  const resolve: Resolve = async () => [{ address: '127.0.0.1', family: 4 }];
  const named = `http://hooks.example:${receiver.port}/`;
  t.match(await sendTo(named, { allowPrivate: false, resolve }), { fault: 'forbidden_address' });
  t.match(await sendTo('http://169.254.169.254/'), { fault: 'forbidden_address' }, 'metadata never');
  t.equal(receiver.received.length, 0);
});

t.test('a name that leads to one private address among public ones leads nowhere', async (t) => {
  const resolve: Resolve = async () => [
    { address: '93.184.215.14', family: 4 },
    { address: '127.0.0.1', family: 4 },
  ];
  const sent = await sendTo('http://hooks.example/', { allowPrivate: false, resolve });
  t.match(sent, { kind: 'unanswered', fault: 'forbidden_address' });
});

t.test('a name is resolved once, and the connection made to what was judged', async (t) => {
  // Given a name that is harmless when it is judged and would be something else at a second look
  const answers = ['127.0.0.1', '127.0.0.2'];
  let asked = 0;
  const resolve: Resolve = async () => [{ address: answers[asked++] ?? '', family: 4 }];
  const sent = await sendTo(`http://hooks.example:${receiver.port}/`, { resolve });
  // Then the first address is the one that is connected to, under the name that was asked for
  t.match(sent, { kind: 'answered', status: 204 });
  t.equal(asked, 1);
  t.equal(receiver.received[0]?.headers.host, `hooks.example:${receiver.port}`);
});

t.test('a name that is not known, or never found out, has no address', async (t) => {
  const unknown: Resolve = async () => {
    throw new Error('ENOTFOUND');
  };
  t.match(await sendTo('http://hooks.example/', { resolve: unknown }), { fault: 'no_address' });
  t.match(await sendTo('http://hooks.example/', { resolve: async () => [] }), { fault: 'no_address' });
  const silent: Resolve = () => new Promise(() => undefined);
  t.match(await sendTo('http://hooks.example/', { resolve: silent, timeoutMs: 50 }), { fault: 'unresolved' });
});

t.test('a name server that is silent keeps nobody waiting but those who send to its names', async (t) => {
  const names = await startNames(t);
  const resolve = createResolve({ servers: [names.server], limitMs: 1_000, hostsFile: '/nowhere' });
  const to = (host: string) => sendTo(`http://${host}:${receiver.port}/`, { resolve, timeoutMs: 5_000 });
  const silent = Promise.all(Array.from({ length: 16 }, () => to('silent.example')));
  const sent = await to('hooks.example');
  t.match(sent, { status: 204 });
  t.ok(sent.tookMs < 700, `${sent.tookMs} ms`);
  for (const one of await silent) t.match(one, { kind: 'unanswered', fault: 'unresolved' });
});

const certificate = makeCertificate();
const skip = certificate === null && 'openssl is not here to make a certificate';
t.test('a certificate that nobody vouches for, or for another name, is no receiver', { skip }, async (t) => {
  const { key, cert } = certificate ?? { key: '', cert: '' };
  const server = createSecureServer({ key, cert }, (_, response) => response.writeHead(204).end());
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => server.close());
  const { port } = server.address() as AddressInfo;
  const resolve: Resolve = async () => [{ address: '127.0.0.1', family: 4 }];
  const bad = { kind: 'unanswered', fault: 'bad_certificate' };
  t.match(await sendTo(`https://hooks.example:${port}/`, { resolve }), bad, 'nobody vouches');
  t.match(await sendTo(`https://other.example:${port}/`, { resolve, ca: cert }), bad, 'another name');
  t.match(await sendTo(`https://127.0.0.1:${port}/`, { ca: cert }), bad, 'no name');
  t.match(await sendTo(`https://hooks.example:${port}/`, { resolve, ca: cert }), { status: 204 });
});

/** For `hooks.example`, signed by itself. */
function makeCertificate(): { key: string; cert: string } | null {
  const folder = mkdtempSync(join(tmpdir(), 'tallystick-certificate-'));
  const [key, cert] = [join(folder, 'key.pem'), join(folder, 'cert.pem')];
  const how =
    'req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=hooks.example';
  const forWhom = ['-addext', 'subjectAltName=DNS:hooks.example', '-keyout', key, '-out', cert];
  try {
    execFileSync('openssl', [...how.split(' '), ...forWhom], { stdio: 'ignore' });
    return { key: readFileSync(key, 'utf8'), cert: readFileSync(cert, 'utf8') };
  } catch {
    return null;
  } finally {
    rmSync(folder, { recursive: true });
  }
}
