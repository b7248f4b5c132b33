import { readdirSync, readFileSync } from 'node:fs';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import { readMailSettings } from '@tallystick/connect';
import { isMailAddress } from '@tallystick/domain';
import fc from 'fast-check';
import { SMTPServer, type SMTPServerOptions } from 'smtp-server';
import t, { type Test } from 'tap';
import { createMailer, type Envelope, MailRefused } from './mailer.ts';
import { type Notice, write } from './templates.ts';

const NOW = Date.parse('2026-03-01T12:00:00.000Z');
const LOW: Notice = { kind: 'balance_warning', account: 'acme', threshold: '100', available: '99.5' };
const mail = (more: Partial<Envelope> = {}): Envelope => ({
  id: 'balance:acme:1',
  to: 'owner@example.com',
  notice: LOW,
  ...more,
});

function filing(t: Test) {
  const dataDir = t.testdir();
  const mailer = createMailer({
    smtpUrl: null,
    from: 'ledger@example.org',
    dir: null,
    dataDir,
    now: () => NOW,
  });
  const folder = join(dataDir, 'mail');
  const read = () => readdirSync(folder).map((name) => readFileSync(join(folder, name), 'utf8'));
  return { mailer, folder, read };
}

t.test('without a server each mail is a file of its own', async (t) => {
  const { mailer, folder, read } = filing(t);
  await mailer.send(mail());
  await mailer.send(mail({ id: 'balance:acme:2' }));
  t.ok(readdirSync(folder).every((name) => /^[0-9a-f]{32}\.eml$/.test(name)));
  const [one] = read();
  t.equal(read().length, 2);
  t.match(one, /^From: ledger@example\.org\r\n/m);
  t.match(one, /^To: owner@example\.com\r\n/m);
  t.match(one, /^Subject: The balance is low: acme\r\n/m);
  t.match(one, /^Date: Sun, 01 Mar 2026 12:00:00 \+0000\r\n/m);
  t.match(one, /^Auto-Submitted: auto-generated\r\n/m);
  t.match(one, /\r\n\r\nAccount acme\r\n\r\n99\.5 credits are available, less than 100\.\r\n$/);
});

t.test('a mail that is sent twice is the same file', async (t) => {
  const { mailer, read } = filing(t);
  await mailer.send(mail());
  const [first] = read();
  await mailer.send(mail());
  t.same(read(), [first]);
});

t.test('no id leads out of the folder', async (t) => {
  const { mailer, folder } = filing(t);
  await mailer.send(mail({ id: '../../etc/passwd\0' }));
  t.equal(readdirSync(folder).length, 1);
});

t.test('an address is one mailbox and nothing else', async (t) => {
  for (const good of ['a@b.c', 'first.last+tag@sub.example.com', "o'neil@example.com", 'ledger@localhost'])
    t.ok(isMailAddress(good), good);
  const bad = [
    '',
    'a',
    '@b.c',
    'a@',
    'a@b@c.d',
    'a b@c.d',
    'a@b.c, d@e.f',
    'a@b.c;d@e.f',
    'A <a@b.c>',
    '"a"@b.c',
    'a@b.c\r\nBcc: d@e.f',
    'a@b.c\n',
    'a\0@b.c',
    '.a@b.c',
    'a..b@c.d',
    'a@-b.c',
    'a@b..c',
    'a@[127.0.0.1]',
    `${'a'.repeat(65)}@b.c`,
    `a@${'b.'.repeat(130)}c`,
    'ä@b.c',
  ];
  for (const text of bad) t.notOk(isMailAddress(text), JSON.stringify(text));
});

t.test('a mail to what is no address is refused for good', async (t) => {
  const { mailer, folder } = filing(t);
  for (const to of ['a@b.c, d@e.f', 'a@b.c\r\nBcc: d@e.f', ''])
    await t.rejects(mailer.send(mail({ to })), MailRefused);
  t.throws(() => readdirSync(folder), 'nothing was written');
});

t.test('whatever an account or a model is called, it adds no header and no line', async (t) => {
  const { mailer, read } = filing(t);
  const evil = 'acme\r\nBcc: thief@example.com\r\n\r\nHello\u2028\u0085 <b>';
  await mailer.send(
    mail({
      notice: {
        kind: 'quota_warning',
        account: evil,
        percent: 80,
        unit: 'calls',
        model: evil,
        used: '80',
        granted: '100',
        periodEnd: '2026-04-01T00:00:00.000Z',
      },
    }),
  );
  const [text = ''] = read();
  const head = text.slice(0, text.indexOf('\r\n\r\n'));
  t.notMatch(head, /^bcc:/im);
  t.same(
    head
      .replace(/\r\n[ \t]+/g, ' ')
      .split('\r\n')
      .map((header) => header.split(':', 1)[0])
      .toSorted(),
    [
      'Auto-Submitted',
      'Content-Transfer-Encoding',
      'Content-Type',
      'Date',
      'From',
      'MIME-Version',
      'Message-ID',
      'Subject',
      'To',
    ],
  );
});

t.test('no text makes a subject or a line of more than one line', async () => {
  const text = fc.string({ unit: 'binary' });
  fc.assert(
    fc.property(text, text, (account, model) => {
      const numbers = { percent: 80, used: '8', granted: '10', periodEnd: '2026-04-01T00:00:00.000Z' };
      const written = write({ kind: 'quota_warning', account, unit: 'tokens', model, ...numbers });
      return !/[\r\n]/.test(written.subject) && written.text.split(/\r|\n/).length === 5;
    }),
  );
});

t.test('each kind of notice says what it is about', async (t) => {
  const quota = { used: '80', granted: '100', periodEnd: '2026-04-01T00:00:00.000Z', percent: 80 };
  const notices: readonly (readonly [notice: Notice, subject: string, line: string])[] = [
    [LOW, 'The balance is low: acme', '99.5 credits are available, less than 100.'],
    [
      { kind: 'quota_warning', account: 'acme', unit: 'calls', model: '*', ...quota },
      '80 % of the quota is used: acme',
      'Of 100 calls, 80 are used: 80 %.',
    ],
    [
      { kind: 'quota_warning', account: 'acme', unit: 'tokens', model: 'openai/gpt-4o', ...quota },
      '80 % of the quota is used: acme',
      'Of 100 tokens of openai/gpt-4o, 80 are used: 80 %.',
    ],
    [
      { kind: 'spend_warning', account: 'acme', threshold: '50', spent: '51', day: '2026-03-01' },
      'Much was spent today: acme',
      'On 2026-03-01 51 credits have been spent, more than 50.',
    ],
  ];
  for (const [notice, subject, line] of notices) {
    const written = write(notice);
    t.equal(written.subject, subject);
    t.ok(written.text.split('\n').includes(line), written.text);
  }
});

async function serving(t: Test, options: SMTPServerOptions = {}) {
  const mails: { to: string[]; text: string }[] = [];
  const server = new SMTPServer({
    authOptional: true,
    disabledCommands: ['STARTTLS'],
    logger: false,
    onData(stream, session, done) {
      let text = '';
      stream.setEncoding('utf8');
      stream.on('data', (chunk: string) => {
        text += chunk;
      });
      stream.on('end', () => {
        mails.push({ to: session.envelope.rcptTo.map(({ address }) => address), text });
        done();
      });
    },
    ...options,
  });
  server.on('error', () => undefined);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.server.address() as AddressInfo;
  const settings = { from: 'ledger@example.org', dir: null, dataDir: t.testdir(), now: () => NOW };
  const mailer = createMailer({ smtpUrl: `smtp://127.0.0.1:${port}`, ...settings });
  t.teardown(() => {
    mailer.close();
    return new Promise<void>((resolve) => server.close(() => resolve()));
  });
  return { mailer, mails };
}

t.test('with a server mails are sent, each to one address', async (t) => {
  const { mailer, mails } = await serving(t);
  await mailer.send(mail());
  await mailer.send(mail({ id: 'other', to: 'second@example.com' }));
  t.same(
    mails.map(({ to }) => to),
    [['owner@example.com'], ['second@example.com']],
  );
  t.match(mails[0]?.text, /^Message-ID: <[0-9a-f]{32}@example\.org>\r$/m);
  t.match(mails[0]?.text, '99.5 credits are available');
});

t.test('what a server refuses for good is told apart from what may be tried again', async (t) => {
  const refusing = (responseCode: number) => ({
    onRcptTo: (_: unknown, __: unknown, done: (error: Error) => void) =>
      done(Object.assign(new Error('no'), { responseCode })),
  });
  const never = await serving(t, refusing(550));
  await t.rejects(never.mailer.send(mail()), MailRefused);
  const later = await serving(t, refusing(451));
  const error = await later.mailer.send(mail()).catch((reason: unknown) => reason);
  t.ok(error instanceof Error && !(error instanceof MailRefused));
});

t.test('a server that is away, or hangs up, is an outage', async (t) => {
  const sockets: Socket[] = [];
  const server = createServer((socket) => void sockets.push(socket.on('error', () => undefined).end()));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const settings = { from: 'ledger@example.org', dir: null, dataDir: t.testdir() };
  const mailer = createMailer({ smtpUrl: `smtp://127.0.0.1:${port}`, ...settings });
  const hungUp = await mailer.send(mail()).catch((reason: unknown) => reason);
  t.ok(hungUp instanceof Error && !(hungUp instanceof MailRefused));
  await new Promise((resolve) => server.close(resolve));
  const away = await mailer.send(mail()).catch((reason: unknown) => reason);
  t.ok(away instanceof Error && !(away instanceof MailRefused));
  mailer.close();
});

t.test('settings are read, and every fault names its variable but no password', async (t) => {
  const faults: string[] = [];
  t.same(readMailSettings({}, faults), { smtpUrl: null, from: 'ledger@localhost', dir: null });
  const given = { LEDGER_SMTP_URL: 'smtps://u:p@mx.example.com', LEDGER_MAIL_FROM: 'l@example.com' };
  t.same(readMailSettings({ ...given, LEDGER_MAIL_DIR: '/mails' }, faults), {
    smtpUrl: given.LEDGER_SMTP_URL,
    from: 'l@example.com',
    dir: '/mails',
  });
  t.same(faults, []);
  readMailSettings({ LEDGER_SMTP_URL: 'http://u:hush@mx', LEDGER_MAIL_FROM: 'A <a@b.c>' }, faults);
  t.match(faults, [/^LEDGER_SMTP_URL must be/, /^LEDGER_MAIL_FROM must be an address.*A <a@b.c>/]);
  t.notMatch(faults.join(), 'hush');
  const unsaid: string[] = [];
  readMailSettings({ LEDGER_SMTP_URL: 'smtp://mx.example.com' }, unsaid);
  t.match(unsaid, [/^LEDGER_MAIL_FROM must be given/]);
});
