/** What the documents say about this repository is held against it: settings, services, scripts, files. */
import { execFile } from 'node:child_process';
import { existsSync, globSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { parseSettings } from '@tallystick/connect';
import { startPostgres } from '@tallystick/event-store/testing';
import t from 'tap';
import { parse } from 'yaml';
import { KEY, startLedger } from './testing/ledger-process.ts';

const root = fileURLToPath(new URL('../../../', import.meta.url));
const documents = globSync(['*.md', 'docs/**/*.md'], { cwd: root });
const SOURCES = [
  'packages/*/src/**/*.ts',
  'projections/src/**/*.ts',
  'services/*/src/**/*.ts',
  'examples/*/src/**/*.ts',
  'bench/src/**/*.ts',
  'simulation/src/**/*.ts',
];
const textOf = (name: string): string => readFileSync(join(root, name), 'utf8');

/** Every match of a pattern's first group, with the document that it stands in. */
function mentions(pattern: RegExp): { document: string; what: string }[] {
  return documents.flatMap((document) =>
    [...textOf(document).matchAll(pattern)].map(([, what = '']) => ({ document, what })),
  );
}

t.test('links between documents lead somewhere', async (t) => {
  const links = mentions(/\]\((?!https?:|#)([^)#]+)/g);
  t.ok(links.length > 5);
  for (const { document, what } of links)
    if (!existsSync(join(root, dirname(document), what))) t.fail(`${document}: ${what}`);
});

t.test('files that documents name by their path are there', async (t) => {
  const paths = mentions(/`((?:packages|projections|services|bench|simulation|examples|docs)\/[\w./-]+)`/g);
  t.ok(paths.length > 5);
  for (const { document, what } of paths) if (!existsSync(join(root, what))) t.fail(`${document}: ${what}`);
});

t.test('scripts that documents tell to run are there', async (t) => {
  const { scripts }: { scripts: Record<string, string> } = JSON.parse(textOf('package.json'));
  const named = mentions(/(?:^|`)(?:npx -y pnpm@12|pnpm) (?:run )?([a-z]+)/gm);
  t.ok(named.length > 5);
  for (const { document, what } of named)
    if (scripts[what] === undefined && what !== 'install') t.fail(`${document}: pnpm ${what}`);
});

t.test('the settings that operations.md lists are those that the services know', async (t) => {
  const asked = new Set<string>();
  const watch = (_: object, name: string | symbol): undefined => void asked.add(String(name));
  parseSettings(new Proxy({}, { get: watch }));
  const listed = [...textOf('docs/operations.md').matchAll(/^\| `([A-Z][A-Z_]+)` \|/gm)].map(
    ([, name]) => name,
  );
  t.same(listed.sort(), [...asked].sort());
});

t.test(
  'metrics: all that documents name are there, and operations.md says of each what it means',
  async (t) => {
    const postgres = await startPostgres();
    t.teardown(() => postgres.stop());
    const ledger = await startLedger({ LEDGER_POSTGRES_URL: postgres.url });
    t.teardown(() => ledger.kill());
    const headers = { authorization: `Bearer ${KEY}` };
    let text = '';
    // Ready is the API; the worker in it comes later, and its queues are the last that it measures.
    for (; !text.includes('tallystick_jobs{'); await pause(50))
      text = await (await fetch(`${ledger.url}/metrics`, { headers })).text();
    const there = [...text.matchAll(/^# HELP (tallystick_\w+) /gm)].map(([, name = '']) => name);
    t.ok(there.length > 20, `${there.length} metrics`);
    for (const { document, what } of mentions(/`(tallystick_\w+)/g))
      if (!there.includes(what)) t.fail(`${document}: ${what}`);
    const explained = [...textOf('docs/operations.md').matchAll(/^\|(.*?)\|/gm)].flatMap(([, cell = '']) =>
      [...cell.matchAll(/`(tallystick_\w+)/g)].map(([, name]) => name),
    );
    t.same(explained.sort(), there.sort());
  },
);

const FIRST_STEPS = 'docs/first-subscription.md';
/** A block of commands, and the answers below it, where it has any. */
const STEP = /^```sh\n(.*?)^```\n(?:```json\n(.*?)^```\n)?/gms;
const noCurl = existsSync('/usr/bin/curl') && existsSync('/bin/bash') ? false : 'no curl, or no bash';

t.test(`${FIRST_STEPS} runs as it stands, and answers what it says`, { skip: noCurl }, async (t) => {
  const postgres = await startPostgres();
  t.teardown(() => postgres.stop());
  const ledger = await startLedger({ LEDGER_POSTGRES_URL: postgres.url });
  t.teardown(() => ledger.kill());
  const steps = [...textOf(FIRST_STEPS).matchAll(STEP)].map(([, commands = '', told = '']) => ({
    commands: commands.replaceAll(/^export .*$/gm, ''),
    told: told.split('\n').filter((line) => line !== ''),
  }));
  const program = steps.map(({ commands }) => `${commands}\necho ---\n`).join('');
  const env = { ...process.env, LEDGER: ledger.url, KEY };
  const { stdout, stderr } = await promisify(execFile)('/bin/bash', ['-c', program], { env });
  t.equal(stderr, '');
  const answered = stdout.split('---\n').map((text) => text.split('\n').filter((line) => line !== ''));
  t.ok(steps.length > 10);
  for (const [index, { commands, told }] of steps.entries())
    t.same((answered[index] ?? []).map(steady), told.map(steady), commands.trim().slice(0, 60));
});

/** An answer without what differs from run to run. */
function steady(line: string): unknown {
  return JSON.parse(line, (name, value) => {
    if (name === 'position') return 'digits';
    return typeof value === 'string' && /^\d{4}-\d\d-\d\dT/.test(value) ? 'a time' : value;
  });
}

t.test('services that documents name in commands are services of docker-compose.yml', async (t) => {
  const { services }: { services: Record<string, object> } = parse(textOf('docker-compose.yml'), {
    merge: true,
  });
  const named = mentions(/docker compose (?:up|stop|start|restart|logs|exec|run)(?: -[-\w=]+)* ([a-z]+)/g);
  t.ok(named.length > 0);
  for (const { document, what } of named) if (services[what] === undefined) t.fail(`${document}: ${what}`);
});

t.test('rules.md has the rules 1 to 36, and the code cites no other', async (t) => {
  const numbers = [...textOf('docs/rules.md').matchAll(/^\*\*(\d+)\. /gm)].map(([, number]) =>
    Number(number),
  );
  t.same(
    numbers,
    Array.from({ length: 36 }, (_, index) => index + 1),
  );
  const cited = new Set<number>();
  for (const file of globSync(SOURCES, { cwd: root })) {
    for (const [, list = ''] of textOf(file).matchAll(/\brules? (\d+(?:(?:, | and )\d+)*)/gi))
      for (const [number] of list.matchAll(/\d+/g)) cited.add(Number(number));
  }
  t.ok(cited.size > 20);
  t.same(
    [...cited].filter((number) => !numbers.includes(number)),
    [],
  );
});
