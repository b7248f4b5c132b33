import { test } from 'tap';
import { readWebhookSettings } from './settings.ts';

const read = (environment: Record<string, string>) => {
  const faults: string[] = [];
  return { settings: readWebhookSettings(environment, faults), faults };
};

test('without settings nothing private is sent to, and nothing is encrypted', async (t) => {
  t.same(read({}), {
    settings: { allowPrivate: false, secretKeys: [], timeoutMs: 15_000, keepDays: 30 },
    faults: [],
  });
  t.same(read({ LEDGER_WEBHOOKS_ALLOW_PRIVATE: '', LEDGER_SECRETS_KEY: '' }).faults, []);
});

test('settings are read', async (t) => {
  const { settings, faults } = read({
    LEDGER_WEBHOOKS_ALLOW_PRIVATE: '1',
    LEDGER_SECRETS_KEY: `${'ab'.repeat(32)},${Buffer.alloc(32, 1).toString('base64')}`,
    LEDGER_WEBHOOKS_TIMEOUT_SECONDS: '5',
    LEDGER_WEBHOOKS_KEEP_DAYS: '7',
  });
  t.same(faults, []);
  t.same(settings, {
    allowPrivate: true,
    secretKeys: [Buffer.alloc(32, 0xab), Buffer.alloc(32, 1)],
    timeoutMs: 5_000,
    keepDays: 7,
  });
});

test('every fault names its variable, and no key is repeated', async (t) => {
  const { faults } = read({
    LEDGER_WEBHOOKS_ALLOW_PRIVATE: 'yes',
    LEDGER_SECRETS_KEY: 'hush',
    LEDGER_WEBHOOKS_TIMEOUT_SECONDS: '0',
    LEDGER_WEBHOOKS_KEEP_DAYS: '1.5',
  });
  t.equal(faults.length, 4);
  t.match(faults.join('\n'), /ALLOW_PRIVATE must be 0 or 1.*yes/);
  t.match(faults.join('\n'), /LEDGER_SECRETS_KEY must be 32 bytes/);
  t.match(faults.join('\n'), /TIMEOUT_SECONDS must be a whole number from 1 to 60.*"0"/);
  t.match(faults.join('\n'), /KEEP_DAYS must be a whole number/);
  t.notMatch(faults.join('\n'), 'hush');
});
