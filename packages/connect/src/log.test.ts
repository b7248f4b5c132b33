import t from 'tap';
import { withoutPasswords } from './log.ts';

for (const [said, kept] of [
  [
    'cannot reach postgresql://ledger:secret@db:5432/books now',
    'cannot reach postgresql://***@db:5432/books now',
  ],
  ['esdb+discover://admin:sec@ret@a,b?tls=true', 'esdb+discover://***@a,b?tls=true'],
  ['"rediss://:secret@cache/0"', '"rediss://***@cache/0"'],
  ['at file:///srv/ledger/node_modules/@scope/a.ts:1', 'at file:///srv/ledger/node_modules/@scope/a.ts:1'],
  ['mail billing@example.org', 'mail billing@example.org'],
] as const) {
  t.test(`of ${JSON.stringify(said)} no password is left`, async (t) => {
    t.equal(withoutPasswords(said), kept);
  });
}
