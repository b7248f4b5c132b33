/** Whatever is sent: no 500, nothing that nobody caught, every answer as documented, and the books in order afterwards. */
import type { AddressInfo } from 'node:net';
import fc from 'fast-check';
import t from 'tap';
import { fuzzRound } from './testing/fuzz.ts';
import { startFuzzLedger } from './testing/fuzz-ledger.ts';
import { bytes, faultOfBytes, sendBytes } from './testing/fuzz-sockets.ts';

/** Here always the same; `pnpm fuzz` takes others, and longer. */
const SEED = 20_261_121;
const ROUNDS = 3;
const BURSTS = 100;

const ledger = await startFuzzLedger();
t.teardown(() => ledger.stop());

t.test('every route answers as documented, whatever it is sent', async (t) => {
  t.comment(`seed ${SEED}`);
  for (let round = 0; round < ROUNDS; round += 1) {
    t.equal(await fuzzRound(ledger, { seed: SEED + round, bursts: BURSTS }), null);
  }
});

t.test('every operation of the document was asked, and most said yes at least once', async (t) => {
  const operations = Object.entries(ledger.document.paths).flatMap(([path, methods]) =>
    Object.keys(methods).map((method) => `${method.toUpperCase()} ${path}`),
  );
  const statusesOf = (operation: string) => [...(ledger.statuses.get(operation)?.keys() ?? [])];
  t.same(
    operations.filter((operation) => statusesOf(operation).length === 0),
    [],
  );
  const refusing = operations.filter((operation) => !statusesOf(operation).some((status) => status < 300));
  t.ok(refusing.length <= operations.length / 4, `never a success: ${refusing.join(', ')}`);
});

t.test('a cursor that nobody was given is a fault of its sender, also with NUL in it', async (t) => {
  const cursor = Buffer.from(JSON.stringify(['accounts', '\0'])).toString('base64url');
  const headers = { authorization: `Bearer ${ledger.keys[0]}` };
  const answer = await ledger.app.inject({ url: `/v1/accounts?cursor=${cursor}`, headers });
  t.match(answer.json(), { status: 400, errors: [{ field: 'cursor' }] });
});

t.test('an answer to a URL that cannot be read has its request id, too', async (t) => {
  const answer = await ledger.app.inject({ url: '/v1/accounts/%/balance' });
  t.match(answer.json(), { status: 400, errors: [{ field: 'url' }] });
  t.ok(answer.headers['x-request-id']);
});

t.test(
  'what is hardly HTTP is refused with a problem or not at all, and the next caller is answered',
  async (t) => {
    await ledger.app.listen({ port: 0, host: '127.0.0.1' });
    const { port } = ledger.app.server.address() as AddressInfo;
    t.match(
      await sendBytes(port, 'no HTTP at all\r\n\r\n'),
      /^HTTP\/1.1 400 .*problem\+json.*malformed_request/s,
    );
    const property = fc.asyncProperty(bytes, async (text) => {
      const fault = faultOfBytes(await sendBytes(port, text));
      if (fault !== null) throw new Error(fault);
      const alive = await sendBytes(
        port,
        'GET /health/live HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n',
      );
      if (!alive?.startsWith('HTTP/1.1 200')) throw new Error(`it is not alive afterwards: ${alive}`);
    });
    await fc.assert(property, { seed: SEED, numRuns: 150 });
  },
);

t.test(
  'and the books are in order: every unit comes to zero, and a refold of all events gives the same rows',
  async (t) => {
    t.same(await ledger.audit(), []);
  },
);
