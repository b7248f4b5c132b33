import t from 'tap';
import { BadSettings, parseSettings } from './settings.ts';

t.test('nothing needs to be set', async (t) => {
  t.same(parseSettings({}), {
    port: 3000,
    host: '127.0.0.1',
    postgresUrl: null,
    dataDir: './.data',
    esdbUrl: null,
    redisUrl: null,
    adminKey: null,
    namespace: 'ledger',
    logLevel: 'warn',
    metricsPort: null,
    partitions: 1,
    takes: null,
    sealSeconds: 60,
    testClock: false,
    seedCatalogues: true,
    referralPercent: '10',
    referralDays: 7,
    webhooks: { allowPrivate: false, secretKeys: [], timeoutMs: 15_000, keepDays: 30 },
    mail: { smtpUrl: null, from: 'ledger@localhost', dir: null },
  });
});

t.test('an empty variable counts as not set', async (t) => {
  t.same(parseSettings({ PORT: '', LEDGER_ESDB_URL: '' }), parseSettings({}));
});

const BAD: [string, string, RegExp][] = [
  ['PORT', '70000', /PORT must be a port from 0 to 65535/],
  ['PORT', '3e3', /PORT must be a port/],
  ['METRICS_PORT', 'x', /METRICS_PORT must be a port/],
  ['LEDGER_POSTGRES_URL', 'mysql://secret', /LEDGER_POSTGRES_URL must start with postgres/],
  ['LEDGER_ESDB_URL', 'http://secret', /LEDGER_ESDB_URL must start with esdb/],
  ['LEDGER_REDIS_URL', 'secret', /LEDGER_REDIS_URL must start with redis/],
  ['LEDGER_ADMIN_KEY', 'short', /LEDGER_ADMIN_KEY must have 8 to 256/],
  ['LEDGER_NAMESPACE', 'Two Words', /LEDGER_NAMESPACE must be a lower-case letter/],
  ['LOG_LEVEL', 'loud', /LOG_LEVEL must be one of trace, debug/],
  ['LEDGER_PARTITIONS', '0', /LEDGER_PARTITIONS must be a whole number from 1 to 64/],
  ['LEDGER_TAKES', '0,1', /LEDGER_TAKES must list different partitions from 0 to 0/],
  ['LEDGER_TAKES', 'all', /LEDGER_TAKES must list different partitions/],
  ['LEDGER_SEAL_SECONDS', '86401', /LEDGER_SEAL_SECONDS must be a whole number from 0 to 86400/],
  ['LEDGER_SEAL_SECONDS', '-1', /LEDGER_SEAL_SECONDS must be a whole number/],
  ['LEDGER_TEST_CLOCK', 'yes', /LEDGER_TEST_CLOCK must be 0 or 1/],
  ['LEDGER_REFERRAL_PERCENT', '101', /LEDGER_REFERRAL_PERCENT must be a decimal from 0 to 100/],
  ['LEDGER_REFERRAL_PERCENT', '-1', /LEDGER_REFERRAL_PERCENT must be a decimal/],
  ['LEDGER_REFERRAL_DAYS', '1.5', /LEDGER_REFERRAL_DAYS must be a whole number from 0 to 3650/],
  ['LEDGER_SEED_CATALOGUES', 'no', /LEDGER_SEED_CATALOGUES must be 0 or 1/],
  ['LEDGER_SMTP_URL', 'http://secret', /LEDGER_SMTP_URL must be a URL that starts with smtp/],
  ['LEDGER_SMTP_URL', 'smtp://', /LEDGER_SMTP_URL must be a URL that .* names a host/],
  ['LEDGER_SMTP_URL', 'smtp://secret', /LEDGER_MAIL_FROM must be given where LEDGER_SMTP_URL is/],
  ['LEDGER_MAIL_FROM', 'nobody', /LEDGER_MAIL_FROM must be an address/],
];
for (const [name, value, message] of BAD) {
  t.test(`${name}=${value} is refused by its name and rule, and no secret is repeated`, async (t) => {
    t.throws(() => parseSettings({ [name]: value }), { name: 'BadSettings', message });
    t.doesNotThrow(() => {
      try {
        parseSettings({ [name]: value });
      } catch (error) {
        if (String(error).includes('secret')) throw error;
      }
    });
  });
}

t.test('a sender that is empty is none', async (t) => {
  const given = { LEDGER_SMTP_URL: 'smtp://mx.example.com', LEDGER_MAIL_FROM: '' };
  t.throws(() => parseSettings(given), { message: /LEDGER_MAIL_FROM must be given/ });
});

t.test('every fault is told at once', async (t) => {
  const error = t.throws(() => parseSettings({ PORT: 'x', LOG_LEVEL: 'loud' })) as unknown;
  t.type(error, BadSettings);
  t.match(String(error), /PORT[\s\S]*LOG_LEVEL/);
});
