import { join } from 'node:path';
import t, { type Test } from 'tap';
import { createResolve, type ResolveOptions, Unresolved } from './resolve.ts';
import { startNames } from './testing/names.ts';

const HOSTS = '# a remark\n10.1.2.3 Beside.example beside\n::1 beside.example\nnonsense beside.example\n';
const HERE = [{ address: '127.0.0.1', family: 4 }];

async function resolving(t: Test, options: ResolveOptions = {}) {
  const names = await startNames(t);
  const folder = t.testdir({ hosts: HOSTS, 'resolv.conf': 'search first.example silent.example\n' });
  const resolve = createResolve({
    servers: [names.server],
    hostsFile: join(folder, 'hosts'),
    resolvConf: join(folder, 'resolv.conf'),
    limitMs: 300,
    ...options,
  });
  return { resolve, asked: names.asked };
}

t.test('a name is asked for at the name servers, in both families', async (t) => {
  const { resolve, asked } = await resolving(t);
  t.same(await resolve('hooks.example'), HERE);
  t.same(asked.toSorted(), ['hooks.example A', 'hooks.example AAAA']);
});

t.test('an address, this machine and what its file says are not asked for', async (t) => {
  const { resolve, asked } = await resolving(t);
  t.same(await resolve('8.8.8.8'), [{ address: '8.8.8.8', family: 4 }]);
  t.same(await resolve('::1'), [{ address: '::1', family: 6 }]);
  for (const name of ['localhost', 'LOCALHOST.', 'my.localhost'])
    t.match(await resolve(name), [{ address: '127.0.0.1' }, { address: '::1' }], name);
  t.same(await resolve('beside.example'), [
    { address: '10.1.2.3', family: 4 },
    { address: '::1', family: 6 },
  ]);
  t.same(asked, []);
});

t.test('however many wait for a name, it is asked for once at a time', async (t) => {
  const { resolve, asked } = await resolving(t);
  await Promise.all(Array.from({ length: 50 }, () => resolve('hooks.example')));
  t.equal(asked.length, 2);
  await resolve('hooks.example');
  t.equal(asked.length, 4, 'and anew the next time: what was found is not kept');
});

t.test('a name that nobody answers for is given up in time, and left alone for a while', async (t) => {
  const { resolve, asked } = await resolving(t, { silentMs: 200 });
  const began = performance.now();
  await t.rejects(resolve('silent.example'), Unresolved);
  const took = performance.now() - began;
  t.ok(took < 1_500, `${took} ms`);
  const questions = asked.length;
  await t.rejects(resolve('silent.example'), Unresolved);
  t.equal(asked.length, questions, 'not asked again');
  t.same(await resolve('hooks.example'), HERE, 'others are');
  await new Promise((after) => setTimeout(after, 250));
  const later = asked.length;
  await t.rejects(resolve('silent.example'), Unresolved);
  t.ok(asked.length > later, 'asked again later');
});

t.test('where there is no name server at all nobody has answered', async (t) => {
  const resolve = createResolve({ servers: ['127.0.0.1:1'], hostsFile: '/nowhere', limitMs: 300 });
  await t.rejects(resolve('hooks.example'), Unresolved);
});

t.test('that there is nothing, or that it is not told, is an answer', async (t) => {
  const { resolve } = await resolving(t);
  for (const name of ['none.example', 'nobody.example', 'broken.example'])
    t.same(await resolve(name), [], name);
});

t.test('a name without a dot is looked for where the machine says', async (t) => {
  const { resolve, asked } = await resolving(t);
  t.same(await resolve('hooks'), HERE);
  t.ok(asked.every((question) => question.startsWith('hooks.first.example ')));
});
