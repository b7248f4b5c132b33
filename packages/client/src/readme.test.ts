/** The README's examples, one after the other as one program: the compiler takes it, and a real ledger answers it. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import t from 'tap';
import { startTestLedger } from '../../../services/api/src/testing/ledger.ts';
import { createClient } from './client.ts';
import { ROOT, tsc } from './testing/tsc.ts';

const readme = readFileSync(join(import.meta.dirname, '../README.md'), 'utf8');
const examples = [...readme.matchAll(/^```ts\n(.*?)^```$/gms)].map(([, code = '']) => code);
const folder = t.testdir();
const program = join(folder, 'program.ts');
const here = JSON.stringify(join(import.meta.dirname, 'index.ts'));
writeFileSync(program, examples.join('\n').replaceAll(`'@tallystick/client'`, here));

t.test('they are taken by the compiler', async (t) => {
  t.ok(examples.length >= 5);
  const config = { extends: join(ROOT, 'tsconfig.base.json'), files: ['program.ts'] };
  writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify(config));
  t.strictSame(await tsc('-p', folder), []);
});

t.test('they run, and do what they say', async (t) => {
  const ledger = await startTestLedger();
  t.teardown(() => ledger.stop());
  const url = await ledger.app.listen({ host: '127.0.0.1', port: 0 });
  const { accounts, priceBooks, usage } = createClient({ url, key: ledger.adminKey });
  const prices = { input_tokens: { credits: '0.1', per: 1 }, output_tokens: { credits: '0.2', per: 1 } };
  await priceBooks.publish('default', { models: { 'gpt-4o': { prices } } });
  const log = t.capture(console, 'log');
  process.env.LEDGER_URL = url;
  process.env.LEDGER_KEY = ledger.adminKey;
  await import(pathToFileURL(program).href);
  t.match(
    log().map(({ args }) => args),
    [
      ['charged', '886'],
      [402, 'insufficient_credits', '886', []],
      [Boolean, /^(ledger|policy)$/],
      ['an answer', 'charged'],
      ['770', '0'],
    ],
  );
  t.match(await usage.get('acme', 'req_1'), { credits: '114', mode: 'record' });
  t.match(await accounts.get('acme'), { name: 'Acme' });
});
