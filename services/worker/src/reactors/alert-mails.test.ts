import {
  type AlertTerms,
  keys,
  NO_CATALOGUES,
  parseCredits,
  profileDecider,
  walletDecider,
} from '@tallystick/domain';
import { createPostgresStore, createRunner } from '@tallystick/event-store';
import { startPostgres } from '@tallystick/event-store/testing';
import pg from 'pg';
import t, { type Test } from 'tap';
import { type Envelope, MailRefused } from '../mail/mailer.ts';
import { sendNext, startSending } from '../mail/sending.ts';
import { MAIL_RETRY_AFTER_MS, type Mails, openMails } from '../mail/waiting.ts';
import { alertLetter, alertMailReactor } from './alert-mails.ts';
import { moveReactions, openCheckpoint, startReactors } from './follow.ts';

const postgres = await startPostgres();
const pool = new pg.Pool({ connectionString: postgres.url, max: 8 });
pool.on('error', () => undefined);
let stores = 0;
t.teardown(async () => {
  await pool.end();
  await postgres.stop();
});

const CAUSE = { actor: 'test', request: '' };
const BELOW_100: AlertTerms = { enabled: true, thresholds: [{ on: 'balance', credits: '100' }] };
const DAY = 24 * 3_600_000;

/** A ledger of its own, what is mailed in it, and a clock for the tries. */
async function ledger(t: Pick<Test, 'teardown'>) {
  stores += 1;
  const namespace = `alertmails${stores}`;
  const store = await createPostgresStore({ connectionString: postgres.url, namespace });
  const catalogue = { current: () => NO_CATALOGUES, fresh: async () => NO_CATALOGUES };
  const snapshots = { read: async () => null };
  const runner = createRunner({ store, keyIndex: store, snapshots, catalogue });
  t.teardown(async () => {
    await runner.close();
    await store.close();
  });
  const mails = await openMails(pool, namespace);
  const schema = await openCheckpoint(pool, namespace);
  const sent: Envelope[] = [];
  let failing: Error | null = null;
  let ahead = 0;
  let ledgerAhead = 0;
  let queued = 0;
  const mailer = {
    async send(mail: Envelope) {
      if (failing !== null) throw failing;
      sent.push(mail);
    },
    close: () => undefined,
  };
  const errors: unknown[] = [];
  const sending = {
    mails,
    store,
    mailer,
    letterOf: alertLetter,
    now: () => Date.now() + ahead,
    onError: (error: unknown) => void errors.push(error),
  };
  const reactor = alertMailReactor({
    mails,
    now: () => Date.now() + ledgerAhead,
    onQueued: () => {
      queued += 1;
    },
  });
  const following = { store, pool, namespace, reactors: [reactor], onError: sending.onError };
  const until = (): number => Date.now() + 10_000;
  let references = 0;
  return {
    ...{ sent, errors, mails, sending, following, reactor, store },
    queued: () => queued,
    later: (ms: number) => {
      ahead += ms;
    },
    yearsLater: () => {
      ledgerAhead += 365 * DAY;
    },
    fail: (error: Error | null) => {
      failing = error;
    },
    /** 150 credits, and somebody who wants to know when there are less than 100. */
    async account(id: string, email: string | null) {
      const terms = { price_book: null, overdraft_limit: '0', time_zone: 'UTC', currency: null };
      const no = { key: null, fingerprint: null };
      const orders = [
        { type: 'OpenAccount', key: keys.open, fingerprint: 'open', terms },
        { type: 'SetAlerts', ...no, terms: BELOW_100 },
      ] as const;
      await runner.execute(
        walletDecider,
        orders.map((command) => ({ id, command, cause: CAUSE })),
        until(),
      );
      await this.adjust(id, '150');
      if (email !== null) await this.address(id, email);
    },
    async address(id: string, email: string | null) {
      const command = { type: 'SetProfile', key: null, fingerprint: null, email } as const;
      await runner.execute(profileDecider, [{ id, command, cause: CAUSE }], until());
    },
    async adjust(id: string, credits: string) {
      const reference = `a${++references}`;
      const key = keys.adjust(reference);
      const fields = { credits: parseCredits(credits), reason: 'a reason', reference };
      const command = { type: 'AdjustCredits', key, fingerprint: key, ...fields } as const;
      await runner.execute(walletDecider, [{ id, command, cause: CAUSE }], until());
    },
    async react() {
      while (await moveReactions(following, schema));
    },
    async send() {
      while (await sendNext(sending));
    },
    async statuses(): Promise<string[]> {
      const { rows } = await pool.query<{ status: string }>(
        `select status from ${mails.schema}.mails order by id`,
      );
      return rows.map(({ status }) => status);
    },
    async mailed(): Promise<string[]> {
      await this.react();
      await this.send();
      return sent.map(({ to }) => to);
    },
  };
}

t.test('a warning is mailed once to whoever has left an address, and to nobody else', async (t) => {
  const l = await ledger(t);
  await l.account('acme', 'owner@example.com');
  await l.account('silent', null);
  for (const id of ['acme', 'silent']) await l.adjust(id, '-51');
  t.same(await l.mailed(), ['owner@example.com']);
  t.match(l.sent, [
    {
      id: /^alert:acme:balance:100:\d+$/,
      notice: { kind: 'balance_warning', account: 'acme', threshold: '100', available: '99' },
    },
  ]);
  t.same(await l.statuses(), ['sent', 'unaddressed']);
  await l.adjust('acme', '-1');
  t.equal((await l.mailed()).length, 1, 'nothing more was crossed');
  await l.adjust('acme', '50');
  await l.adjust('acme', '-50');
  t.equal((await l.mailed()).length, 2);
  t.not(l.sent[0]?.id, l.sent[1]?.id);
});

t.test('an event that is followed twice is one mail', async (t) => {
  const l = await ledger(t);
  await l.account('acme', 'owner@example.com');
  await l.adjust('acme', '-51');
  await l.react();
  await pool.query(`update "${l.following.namespace}_reactions".checkpoint set cursor = null`);
  t.same(await l.mailed(), ['owner@example.com']);
  t.equal(l.queued(), 2, 'it was seen twice');
});

t.test('nobody is told of what is long past', async (t) => {
  const l = await ledger(t);
  await l.account('acme', 'owner@example.com');
  await l.adjust('acme', '-51');
  l.yearsLater();
  t.same(await l.mailed(), []);
  t.same(await l.statuses(), []);
});

t.test(
  'while the server is away it is tried again, further and further apart, and then given up',
  async (t) => {
    const l = await ledger(t);
    await l.account('acme', 'owner@example.com');
    await l.adjust('acme', '-51');
    l.fail(new Error('away'));
    t.same(await l.mailed(), []);
    t.same(await l.mailed(), [], 'not at once');
    t.equal(l.errors.length, 1);
    l.later(MAIL_RETRY_AFTER_MS[0] ?? 0);
    l.fail(null);
    t.same(await l.mailed(), ['owner@example.com']);

    await l.account('other', 'other@example.com');
    await l.adjust('other', '-51');
    l.fail(new Error('away'));
    await l.mailed();
    for (const ms of MAIL_RETRY_AFTER_MS) {
      t.same(await l.statuses(), ['sent', 'waiting']);
      l.later(ms);
      await l.send();
    }
    t.same(await l.statuses(), ['sent', 'given_up']);
    t.equal(l.errors.length, 2 + MAIL_RETRY_AFTER_MS.length);
  },
);

t.test('what a server refuses for good is not tried again, and holds up nobody else', async (t) => {
  const l = await ledger(t);
  await l.account('acme', 'gone@example.com');
  await l.account('other', 'other@example.com');
  await l.adjust('acme', '-51');
  await l.react();
  l.fail(new MailRefused('550'));
  await l.send();
  l.fail(null);
  await l.adjust('other', '-51');
  l.later(DAY);
  t.same(await l.mailed(), ['other@example.com']);
  t.same(await l.statuses(), ['refused', 'sent']);
});

/** What the mails' table is asked through, until the process "dies". */
function mortal(mails: Mails) {
  let dead = false;
  const mortalPool = new Proxy(mails.pool, {
    get(target, name) {
      if (dead) throw new Error('killed');
      const member: unknown = Reflect.get(target, name);
      return typeof member === 'function' ? member.bind(target) : member;
    },
  });
  return {
    mails: { ...mails, pool: mortalPool },
    die: () => {
      dead = true;
    },
  };
}

t.test(
  'a process that dies after it has sent sends the same mail again, when its lease is over',
  async (t) => {
    const l = await ledger(t);
    await l.account('acme', 'owner@example.com');
    await l.adjust('acme', '-51');
    await l.react();
    const { mails, die } = mortal(l.mails);
    const send = async (mail: Envelope) => {
      await l.sending.mailer.send(mail);
      die();
    };
    await t.rejects(sendNext({ ...l.sending, mails, mailer: { send, close: () => undefined } }), /killed/);
    t.same(await l.statuses(), ['waiting']);
    t.same(await l.mailed(), ['owner@example.com'], 'not at once: it might be under way still');
    l.later(10 * 60_000);
    t.same(await l.mailed(), ['owner@example.com', 'owner@example.com']);
    t.equal(l.sent[0]?.id, l.sent[1]?.id);
  },
);

t.test('while a server takes its time nothing is open in the database, and nobody else sends', async (t) => {
  const l = await ledger(t);
  await l.account('acme', 'owner@example.com');
  await l.adjust('acme', '-51');
  await l.react();
  const seen: unknown[] = [];
  const send = async (mail: Envelope) => {
    const open = await pool.query(`select from pg_stat_activity where state like 'idle in transaction%'`);
    const { rows } = await pool.query(`select status, attempts from ${l.mails.schema}.mails`);
    seen.push({ open: open.rows.length, rows, others: await sendNext(l.sending) });
    await l.sending.mailer.send(mail);
  };
  await sendNext({ ...l.sending, mailer: { send, close: () => undefined } });
  t.same(seen, [{ open: 0, rows: [{ status: 'waiting', attempts: 1 }], others: false }]);
  t.same(await l.mailed(), ['owner@example.com'], 'once');
  t.same(await l.statuses(), ['sent']);
});

t.test('a server that never ends is left, and a mail that ends every process is given up', async (t) => {
  const l = await ledger(t);
  await l.account('acme', 'owner@example.com');
  await l.adjust('acme', '-51');
  await l.react();
  const endless = { send: () => new Promise<void>(() => undefined), close: () => undefined };
  t.equal(await sendNext({ ...l.sending, mailer: endless, limitMs: 50 }), true);
  t.match(l.errors, [/not taken within 0.05 s/]);
  for (let n = 0; n < MAIL_RETRY_AFTER_MS.length; n++) {
    l.later(DAY);
    const { mails, die } = mortal(l.mails);
    const send = async () => die();
    await t.rejects(sendNext({ ...l.sending, mails, mailer: { send, close: () => undefined } }), /killed/);
  }
  t.same(await l.statuses(), ['waiting']);
  l.later(DAY);
  t.same(await l.mailed(), []);
  t.same(await l.statuses(), ['given_up']);
});

t.test('two processes send each mail once', async (t) => {
  const l = await ledger(t);
  for (let n = 0; n < 10; n++) {
    await l.account(`a${n}`, `owner${n}@example.com`);
    await l.adjust(`a${n}`, '-51');
  }
  await l.react();
  await Promise.all([l.send(), l.send(), l.send()]);
  t.equal(l.sent.length, 10);
  t.equal(new Set(l.sent.map(({ to }) => to)).size, 10);
});

t.test('an address that was taken away meanwhile gets nothing; a new one does', async (t) => {
  const l = await ledger(t);
  await l.account('acme', 'old@example.com');
  await l.account('other', 'old@example.com');
  for (const id of ['acme', 'other']) await l.adjust(id, '-51');
  await l.react();
  await l.address('acme', null);
  await l.address('other', 'new@example.com');
  t.same(await l.mailed(), ['new@example.com']);
  t.notMatch(JSON.stringify((await pool.query(`select * from ${l.mails.schema}.mails`)).rows), 'example.com');
});

t.test('running, they see to it by themselves', async (t) => {
  const l = await ledger(t);
  const sending = startSending(l.sending);
  const reactions = await startReactors({
    ...l.following,
    reactors: [alertMailReactor({ mails: l.mails, now: Date.now, onQueued: () => sending.wake() })],
  });
  await l.account('acme', 'owner@example.com');
  await l.adjust('acme', '-51');
  const end = performance.now() + 20_000;
  while (l.sent.length === 0 && performance.now() < end) await new Promise((done) => setTimeout(done, 20));
  await reactions.stop();
  await sending.stop();
  t.same(
    l.sent.map(({ to }) => to),
    ['owner@example.com'],
  );
});

t.test('each kind of warning is a notice of its own', async (t) => {
  const letter = (data: object) =>
    alertLetter({ stream: 'wallet-acme', data } as unknown as Parameters<typeof alertLetter>[0]);
  const quota = { unit: 'calls', model: '*', granted: '15', used: '8', held: '5', period_end: 'then' };
  t.same(letter({ alert: 'quota', threshold: '80', key: 'k', ...quota }), {
    id: 'alert:acme:k',
    notice: {
      ...{ kind: 'quota_warning', account: 'acme', percent: 86, unit: 'calls', model: '*' },
      ...{ used: '13', granted: '15', periodEnd: 'then' },
    },
  });
  t.same(letter({ alert: 'daily_spend', threshold: '5', key: 'k', spent: '6', day: '2026-01-31' }).notice, {
    ...{ kind: 'spend_warning', account: 'acme', threshold: '5', spent: '6', day: '2026-01-31' },
  });
});
