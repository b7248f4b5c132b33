import { once } from 'node:events';
import { createServer, type Socket } from 'node:net';
import t from 'tap';
import { type Answer, Connection } from './connection.ts';
import { requestsOf } from './requests.ts';

type Teardown = { teardown(handler: () => void): void };

/** A server that answers each request with what `answer` writes to the socket. */
async function serve(t: Teardown, answer: (socket: Socket, request: string) => void): Promise<string> {
  const server = createServer((socket) => {
    t.teardown(() => socket.destroy());
    socket.on('data', (chunk) => answer(socket, chunk.toString()));
  }).listen(0, '127.0.0.1');
  t.teardown(() => server.close());
  await once(server, 'listening');
  const address = server.address();
  return `http://127.0.0.1:${typeof address === 'object' ? address?.port : 0}`;
}

const ask = (connection: Connection, request: string): Promise<Answer> =>
  new Promise((resolve) => connection.send(request, resolve));

t.test('an answer is read whole, however it is cut into pieces', async (t) => {
  const text = 'HTTP/1.1 201 Created\r\nContent-Length: 13\r\nx: y\r\n\r\n{"id":"äb"}\n';
  const bytes = Buffer.from(text);
  for (const cut of [1, 12, 30, 50, 60, bytes.length - 1]) {
    const url = await serve(t, (socket) => {
      socket.setNoDelay(true);
      socket.write(bytes.subarray(0, cut));
      setTimeout(() => socket.write(bytes.subarray(cut)), 5);
    });
    const connection = await Connection.open(url, t.fail);
    for (let times = 0; times < 2; times += 1) {
      t.same(await ask(connection, 'x'), { status: 201, body: '{"id":"äb"}\n' });
    }
    connection.close();
  }
});

t.test('a connection that the server closes is told of once; one that we close is not', async (t) => {
  const url = await serve(t, (socket) => socket.destroy());
  const lost: string[] = [];
  const theirs = await Connection.open(url, ({ message }) => lost.push(message));
  theirs.send('x', () => t.fail('there was no answer'));
  while (lost.length === 0) await new Promise((resolve) => setTimeout(resolve, 5));
  const ours = await Connection.open(url, () => t.fail('we closed it ourselves'));
  ours.close();
  await new Promise((resolve) => setTimeout(resolve, 20));
  t.same(lost, ['the server closed a connection']);
});

t.test('an answer without its length is a fault, not a hang', async (t) => {
  const url = await serve(t, (socket) =>
    socket.write('HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n'),
  );
  const lost = Promise.withResolvers<string>();
  const connection = await Connection.open(url, ({ message }) => lost.resolve(message));
  connection.send('x', () => t.fail('there was no answer'));
  t.equal(await lost.promise, 'an answer without its length');
});

t.test('every usage has an id of its own, and its length is right', async (t) => {
  const sending = { key: 'k', prefix: 'p', wallets: 10, items: 20, walletsPerArray: 5 };
  const single = requestsOf({ ...sending, kind: 'charge' });
  const many = requestsOf({ ...sending, kind: 'array' });
  const texts = [...Array.from({ length: 30 }, () => single()), many(), many()];
  const bodies = texts.map((text) => {
    const [head = '', body = ''] = text.split('\r\n\r\n');
    t.equal(Number(/content-length: (\d+)/.exec(head)?.[1]), Buffer.byteLength(body));
    return JSON.parse(body) as { id: string; account: string } | { id: string; account: string }[];
  });
  const singles = bodies.slice(0, 30).flat();
  t.equal(new Set(singles.map(({ id }) => id)).size, 30);
  t.equal(new Set(singles.map(({ account }) => account)).size, 10);
  const items = bodies.slice(30).flat();
  t.equal(new Set(items.map(({ id }) => id)).size, 40);
  t.equal(new Set(items.slice(0, 20).map(({ account }) => account)).size, 5);
});
