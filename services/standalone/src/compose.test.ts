/**
 * No container engine is needed to keep docker-compose.yml honest: whatever it names must exist, and whatever it sets
 * must be something that the services' own settings know and take.
 */
import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parseSettings } from '@tallystick/connect';
import t from 'tap';
import { parse } from 'yaml';

const root = (path: string): string => fileURLToPath(new URL(`../../../${path}`, import.meta.url));
const read = (path: string): string => readFileSync(root(path), 'utf8');

interface Service {
  readonly image?: string;
  readonly command?: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  readonly ports?: readonly string[];
  readonly volumes?: readonly string[];
  readonly restart?: string;
  readonly healthcheck?: object;
  readonly depends_on?: Readonly<Record<string, { readonly condition: string }>>;
}
const compose: { readonly services: Record<string, Service>; readonly volumes: Record<string, object> } =
  parse(read('docker-compose.yml'), { merge: true });
const {
  scripts,
  devDependencies,
}: Record<'scripts' | 'devDependencies', Record<string, string>> = JSON.parse(read('package.json'));

const services = Object.entries(compose.services);
/** Those that run this repository; the others are stores. */
const own = services.filter(([, { image }]) => image?.startsWith('node:'));
const [, api] = own.find(([name]) => name === 'api') ?? [];

/** The variables that the parser looks at, found by watching it. */
function knownSettings(): Set<string> {
  const asked = new Set<string>();
  const watch = (_: object, name: string | symbol): undefined => void asked.add(String(name));
  parseSettings(new Proxy({}, { get: watch }));
  return asked;
}

/** `postgresql://ledger:ledger@postgres:5432/ledger` of a service's settings. */
const urlOf = (service: Service | undefined, name: string): URL =>
  new URL(service?.environment?.[name] ?? `missing:${name}`);

const majorOf = (service: Service | undefined): number => Number(/:(\d+)/.exec(service?.image ?? '')?.[1]);

t.test('the services that the set-up is made of are there', async (t) => {
  t.same(services.map(([name]) => name).sort(), [
    'api',
    'eventstoredb',
    'install',
    'postgres',
    'projector',
    'redis',
    'worker',
  ]);
  t.same(own.map(([name]) => name).sort(), ['api', 'install', 'projector', 'worker']);
});

for (const [name, { environment = {} }] of own) {
  t.test(`${name}: every variable is one that the settings know, and they take its value`, async (t) => {
    const known = knownSettings();
    t.same(
      Object.keys(environment).filter((variable) => !known.has(variable)),
      [],
    );
    t.ok(
      Object.values(environment).every((value) => typeof value === 'string'),
      'YAML reads no number or boolean out of them',
    );
    t.doesNotThrow(() => parseSettings(environment));
  });
}

for (const [name, { command = [], image }] of own) {
  t.test(`${name}: its command is a script that exists, on the Node of the repository`, async (t) => {
    const [npx, yes, pnpm, ...rest] = command;
    t.same([npx, yes], ['npx', '-y']);
    t.ok(read('.ci/run').includes(`${pnpm} `), 'the pnpm that the tests run with');
    t.equal(image?.match(/^node:(\d+)/)?.[1], devDependencies.node?.match(/^\^(\d+)/)?.[1]);
    if (rest[0] === 'install') {
      t.ok(existsSync(root('pnpm-lock.yaml')), 'a frozen lockfile is there');
      return;
    }
    const [run, script = ''] = rest;
    t.equal(run, 'run');
    const file = / (\S+\.ts)$/.exec(scripts[script] ?? '')?.[1];
    t.ok(file !== undefined && existsSync(root(file)), `${script}: ${file}`);
  });
}

t.test('services wait for services that are there, and for what these can tell', async (t) => {
  for (const [name, { depends_on = {} }] of services) {
    for (const [other, { condition }] of Object.entries(depends_on)) {
      const awaited = compose.services[other];
      if (awaited === undefined) t.fail(`${name} waits for ${other}`);
      else if (condition === 'service_healthy') t.ok(awaited.healthcheck, `${other} tells its health`);
      else t.equal(awaited.restart, 'no', `${other} ends, so ${name} may wait for that`);
    }
  }
  for (const name of ['api', 'projector', 'worker'])
    t.same(Object.keys(compose.services[name]?.depends_on ?? {}).sort(), [
      'eventstoredb',
      'install',
      'postgres',
    ]);
});

t.test('ports are published on loopback only', async (t) => {
  const published = services.flatMap(([, { ports = [] }]) => ports);
  t.ok(published.length > 0);
  for (const port of published) t.match(port, /^127\.0\.0\.1:\d+:\d+$/);
});

t.test(
  'the published port of the API is the one that it listens on, on an address that can be reached',
  async (t) => {
    const inside = api?.ports?.map((port) => port.split(':').at(-1));
    t.same(inside, [api?.environment?.PORT]);
    t.equal(api?.environment?.HOST, '0.0.0.0');
  },
);

t.test('the projector follows the store that the API writes, into the database that it reads', async (t) => {
  const { projector } = compose.services;
  for (const name of ['LEDGER_ESDB_URL', 'LEDGER_POSTGRES_URL', 'LEDGER_NAMESPACE'])
    t.equal(projector?.environment?.[name], api?.environment?.[name], name);
});

t.test(
  'the worker works on the ledger that the API serves, with jobs on the Redis of the set-up',
  async (t) => {
    const { worker } = compose.services;
    for (const name of ['LEDGER_ESDB_URL', 'LEDGER_POSTGRES_URL', 'LEDGER_NAMESPACE'])
      t.equal(worker?.environment?.[name], api?.environment?.[name], name);
    t.equal(urlOf(worker, 'LEDGER_REDIS_URL').hostname, 'redis');
  },
);

t.test('connection strings name services of the set-up, with the users that these make', async (t) => {
  const { postgres, eventstoredb } = compose.services;
  const database = urlOf(api, 'LEDGER_POSTGRES_URL');
  t.equal(database.hostname, 'postgres');
  const { POSTGRES_USER, POSTGRES_PASSWORD, POSTGRES_DB } = postgres?.environment ?? {};
  t.same(
    [database.username, database.password, database.pathname],
    [POSTGRES_USER, POSTGRES_PASSWORD, `/${POSTGRES_DB}`],
  );
  const events = urlOf(api, 'LEDGER_ESDB_URL');
  t.equal(events.hostname, 'eventstoredb');
  const insecure = eventstoredb?.environment?.EVENTSTORE_INSECURE === 'true';
  t.equal(events.searchParams.get('tls') === 'false', insecure, 'both sides agree on TLS');
  t.equal(urlOf(api, 'LEDGER_REDIS_URL').hostname, 'redis');
});

t.test('PostgreSQL is 15 or later, and its data outlive its container', async (t) => {
  const { postgres } = compose.services;
  t.ok(majorOf(postgres) >= 15, postgres?.image ?? '');
  // From 18 on the image keeps its data one folder further up than before.
  const folder = majorOf(postgres) >= 18 ? '/var/lib/postgresql' : '/var/lib/postgresql/data';
  t.same(postgres?.volumes, [`postgres:${folder}`]);
});

t.test('EventStoreDB keeps its events on disk, and runs no projections of its own', async (t) => {
  const { environment, volumes } = compose.services.eventstoredb ?? {};
  t.equal(environment?.EVENTSTORE_MEM_DB, 'false');
  t.equal(environment?.EVENTSTORE_RUN_PROJECTIONS, 'None');
  t.same(volumes, ['eventstoredb:/var/lib/eventstore']);
});

t.test('Redis evicts nothing: a job that it forgets would be work undone', async (t) => {
  t.match(compose.services.redis?.command?.join(' ') ?? '', /--maxmemory-policy noeviction/);
  t.match(compose.services.redis?.command?.join(' ') ?? '', /--appendonly yes/);
});

t.test('every named volume is declared, and every declared one is used', async (t) => {
  const used = services.flatMap(([, { volumes = [] }]) => volumes.map((volume) => volume.split(':')[0]));
  t.same([...new Set(used)].filter((name) => name !== '.').sort(), Object.keys(compose.volumes).sort());
});
