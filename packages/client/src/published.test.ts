/** The package as its users get it: built, without types to strip, on the oldest Node that it promises to run on. */
import { execFile, execFileSync } from 'node:child_process';
import { readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import t from 'tap';
import { ACCOUNT, CREDITS, MODEL, startServed } from './testing/served.ts';
import { tsc } from './testing/tsc.ts';

const PACKAGE = join(import.meta.dirname, '..');
const manifest = JSON.parse(readFileSync(join(PACKAGE, 'package.json'), 'utf8'));
const folder = t.testdir();
/** Laid out as in a project that has installed the package. */
const installed = join(folder, 'node_modules/@tallystick/client');

t.test('it builds', async (t) => {
  const project = join(PACKAGE, 'tsconfig.build.json');
  t.strictSame(await tsc('-p', project, '--outDir', join(installed, 'dist')), []);
  const { name, type, publishConfig, dependencies } = manifest;
  writeFileSync(
    join(installed, 'package.json'),
    JSON.stringify({ name, type, dependencies, exports: publishConfig.exports }),
  );
  symlinkSync(join(PACKAGE, 'node_modules'), join(installed, 'node_modules'));
});

t.test('its types are found by those who import it, and they are strict', async (t) => {
  const lines = (body: string): string =>
    `import { createClient } from '@tallystick/client';
const client = createClient({ url: 'http://127.0.0.1', key: 'k' });
export const answer = ${body};
`;
  const usage = '{ account: "a", model: "m", usage: { calls: 1 } }';
  const authorize = '{ account: "a", model: "m", estimate: { calls: 1 } }';
  const good = {
    charge: `client.usage.charge(${usage}).then(({ status }): 'charged' | 'unpriced' => status)`,
    policy: `client.authorize(${authorize}, { timeoutMs: 50, onTimeout: 'deny' })`,
  };
  const bad = {
    misspelt: `client.usage.charge({ ...${usage}, acount: 'b', usage: { cals: 1 } })`,
    silent: `client.authorize(${authorize}, { timeoutMs: 50 })`,
  };
  const all = { ...good, ...bad };
  for (const [name, body] of Object.entries(all)) writeFileSync(join(folder, `${name}.ts`), lines(body));
  const compilerOptions = {
    strict: true,
    noEmit: true,
    module: 'nodenext',
    // Nothing of Node's own types is needed to call it.
    lib: ['es2022', 'esnext.disposable'],
    types: [],
  };
  const files = Object.keys(all).map((name) => `${name}.ts`);
  writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify({ compilerOptions, files }));
  t.match((await tsc('-p', folder)).sort(), [/misspelt\.ts.*'cals'/, /silent\.ts.*onTimeout/]);
});

const SCRIPT = `
import { createClient, LedgerRefused } from '@tallystick/client';
const [url, key, account, model] = process.argv.slice(2);
const client = createClient({ url, key });
const item = (tokens) => ({ account, model, usage: { input_tokens: tokens } });
const charges = await Promise.all(Array.from({ length: 20 }, () => client.usage.charge(item(1))));
const refused = await client.usage.charge(item(1_000_000)).catch((error) => error);
const held = { account, model, estimate: { input_tokens: 9 }, expires_in: 60 };
const { charge } = await client.withHold(held, async (hold) => ({ usage: { input_tokens: 5 } }));
const policy = { timeoutMs: 100, onTimeout: 'deny' };
const away = createClient({ url: 'http://127.0.0.1:1', key });
const denied = await away.authorize({ account, model, estimate: { input_tokens: 1 } }, policy);
const { available } = await client.accounts.balance(account, { min_position: charge.position });
await client.close();
console.log(JSON.stringify({
  node: process.version,
  charged: charges.filter(({ status }) => status === 'charged').length,
  refused: refused instanceof LedgerRefused ? refused.code : String(refused),
  settled: charge.credits,
  denied: denied.decidedBy,
  available,
}));
`;

const node20 = findNode20();
const skip = node20 === null ? 'there is no Node 20 on the PATH' : false;

t.test('built, it runs on Node 20', { skip }, async (t) => {
  const served = await startServed();
  t.teardown(() => served.stop());
  const script = join(folder, 'script.mjs');
  writeFileSync(script, SCRIPT);
  const output = await new Promise<string>((resolve, reject) => {
    const args = [script, served.url, served.key, ACCOUNT, MODEL];
    execFile(node20 ?? '', args, { env: {}, timeout: 60_000 }, (error, stdout) =>
      error ? reject(error) : resolve(stdout),
    );
  });
  t.match(JSON.parse(output), {
    node: /^v20\./,
    charged: 20,
    refused: 'insufficient_credits',
    settled: '5',
    denied: 'policy',
    available: String(CREDITS - 20 - 5),
  });
});

/** The one that runs the tests is another. */
function findNode20(): string | null {
  for (const folder of (process.env.PATH ?? '').split(delimiter)) {
    const path = join(folder, process.platform === 'win32' ? 'node.exe' : 'node');
    if (statSync(path, { throwIfNoEntry: false })?.isFile() !== true) continue;
    try {
      if (/^v20\./.test(execFileSync(path, ['--version'], { env: {}, encoding: 'utf8' }))) return path;
    } catch {
      // Not one that runs here; the next may.
    }
  }
  return null;
}
