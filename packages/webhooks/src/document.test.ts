/** `docs/webhooks.md`: its receiver is started and sent to, its message is verified by its own recipe. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { join } from 'node:path';
import { Webhook } from 'standardwebhooks';
import t from 'tap';
import { OFFERED_TYPES } from './event-types.ts';
import { letterOf, testMessage } from './message.ts';
import { type Sent, send } from './send.ts';

const document = readFileSync(new URL('../../../docs/webhooks.md', import.meta.url), 'utf8');
const blocks = (language: string): string[] =>
  [...document.matchAll(new RegExp(`^\`\`\`${language}\\n([\\s\\S]*?)^\`\`\``, 'gm'))].map(
    ([, text = '']) => text,
  );
const [receiverSource = '', recipeSource = ''] = blocks('js');
const [exchange = ''] = blocks('http');

// Below this package, so that what is imported is found.
const modules = join(import.meta.dirname, '..', 'node_modules', '.document');
mkdirSync(modules, { recursive: true });
const folder = mkdtempSync(join(modules, 'test-'));
t.teardown(() => rmSync(folder, { recursive: true }));

function headersOf(message: string): { headers: Record<string, string>; body: string } {
  const [head = '', body = ''] = message.split('\n\n');
  const lines = head.split('\n').slice(1);
  const headers = lines.map((line) => [line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 2)]);
  return { headers: Object.fromEntries(headers) as Record<string, string>, body: body.trim() };
}

t.test(
  'the message of the document verifies by its recipe, and by the library, under its secret',
  async (t) => {
    const { headers, body } = headersOf(exchange);
    const secret = /`(whsec_[A-Za-z0-9+/=]+)`/.exec(document)?.[1] ?? '';
    const path = join(folder, 'recipe.mjs');
    writeFileSync(path, recipeSource);
    const { isGenuine } = (await import(path)) as {
      isGenuine: (secret: string, headers: object, body: string, now?: number) => boolean;
    };
    const at = Number(headers['webhook-timestamp']) * 1_000;
    t.equal(isGenuine(secret, headers, body, at + 60_000), true);
    t.equal(isGenuine(secret, headers, body, at + 301_000), false, 'later');
    t.equal(isGenuine(secret, headers, body, at - 301_000), false, 'earlier');
    t.equal(isGenuine(secret, headers, `${body} `, at), false, 'another body');
    t.equal(isGenuine('whsec_b3RoZXI=', headers, body, at), false, 'another secret');
    const both = { ...headers, 'webhook-signature': `v1,AAAA ${headers['webhook-signature']}` };
    t.equal(isGenuine(secret, both, body, at), true, 'while secrets follow on one another');
    const id = headers['webhook-id'] ?? '';
    t.equal(new Webhook(secret).sign(id, new Date(at), body), headers['webhook-signature']);
    const letter = letterOf('https://example.com/', { id, body }, [secret], at);
    t.match(headers, {
      'webhook-signature': letter.headers['webhook-signature'],
      'content-type': 'application/json',
    });
  },
);

t.test('the receiver of the document takes what is genuine, once, and refuses what is not', async (t) => {
  const path = join(folder, 'receiver.mjs');
  writeFileSync(path, receiverSource);
  const secret = `whsec_${Buffer.alloc(32, 3).toString('base64')}`;
  const port = await freePort();
  const environment = { ...process.env, WEBHOOK_SECRET: secret, PORT: String(port) };
  const receiver = spawn(process.execPath, [path], {
    env: environment,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  t.teardown(() => receiver.kill());
  let said = '';
  receiver.stdout.setEncoding('utf8').on('data', (text: string) => {
    said += text;
  });
  const sending = { allowPrivate: true, timeoutMs: 5_000 };
  const message = testMessage('whe_1', 'whd_1', Date.now());
  const tell = (by: string, at = Date.now()) =>
    send(letterOf(`http://127.0.0.1:${port}/`, message, [by], at), sending);
  const first = await untilItListens(() => tell(secret));
  t.match(first, { kind: 'answered', status: 204 });
  t.match(await tell(secret), { status: 204 }, 'again');
  t.match(await tell('whsec_b3RoZXI='), { status: 400 }, 'by somebody else');
  t.match(await tell(secret, Date.now() - 600_000), { status: 400 }, 'of long ago');
  receiver.kill();
  await once(receiver, 'close');
  t.equal(said, 'test a test\n', 'it was handled once');
});

t.test('the document names every type that is offered, and no other', async (t) => {
  const listed = /Types: ([\s\S]*?)\. `/.exec(document)?.[1] ?? '';
  t.same(
    [...listed.matchAll(/`(\w+)`/g)].map(([, type]) => type),
    OFFERED_TYPES,
  );
});

async function untilItListens(tell: () => Promise<Sent>): Promise<Sent> {
  for (;;) {
    const sent = await tell();
    if (sent.kind === 'answered') return sent;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}
