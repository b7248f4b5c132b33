import { randomBytes } from 'node:crypto';
import { test } from 'tap';
import { createSecretBox, readSecretKey, SecretUnreadable } from './secret-box.ts';

const [first, second] = [randomBytes(32), randomBytes(32)];

test('what is sealed opens for its owner, and tells nothing of itself', async (t) => {
  const box = createSecretBox([first]);
  const stored = box.seal('e1', 'whsec_secret');
  t.equal(box.encrypts, true);
  t.notMatch(stored, 'secret');
  t.not(stored, box.seal('e1', 'whsec_secret'), 'the same secret never looks the same');
  t.equal(box.open('e1', stored), 'whsec_secret');
});

test('what is sealed opens for nobody else, and not when it was changed', async (t) => {
  const box = createSecretBox([first]);
  const stored = box.seal('e1', 'whsec_secret');
  t.throws(() => box.open('e2', stored), SecretUnreadable);
  const [how, name, text = ''] = stored.split(':');
  const bytes = Buffer.from(text, 'base64');
  for (const at of [0, 12, 28, bytes.length - 1]) {
    const changed = Buffer.from(bytes);
    changed[at] = (changed[at] ?? 0) ^ 1;
    t.throws(() => box.open('e1', `${how}:${name}:${changed.toString('base64')}`), SecretUnreadable);
  }
  t.throws(() => box.open('e1', `${how}:${name}:`), SecretUnreadable);
});

test('a key that follows on another reads what the other wrote, and the other not what it writes', async (t) => {
  const old = createSecretBox([first]).seal('e1', 's');
  const both = createSecretBox([second, first]);
  t.equal(both.open('e1', old), 's');
  t.throws(() => createSecretBox([first]).open('e1', both.seal('e1', 's')), SecretUnreadable);
  t.throws(() => createSecretBox([]).open('e1', old), /LEDGER_SECRETS_KEY/);
});

test('without a key secrets are kept as they are, and are read when there is one', async (t) => {
  const box = createSecretBox([]);
  t.equal(box.encrypts, false);
  t.equal(box.seal('e1', 'a:b'), 'plain:a:b');
  t.equal(box.open('e1', 'plain:a:b'), 'a:b');
  t.equal(createSecretBox([first]).open('e1', 'plain:a:b'), 'a:b');
});

test('a key is 32 bytes in hex or base64, and nothing else', async (t) => {
  for (const form of ['hex', 'base64', 'base64url'] as const)
    t.same(readSecretKey(first.toString(form)), first, form);
  for (const text of [
    '',
    'secret',
    'a'.repeat(63),
    'a'.repeat(42),
    `${first.toString('hex')}00`,
    '!'.repeat(43),
  ])
    t.equal(readSecretKey(text), null, text);
});
