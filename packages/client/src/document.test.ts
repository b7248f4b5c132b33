/**
 * The client's types and the API's own document must be the same, field for field and in both directions: the document
 * is written out as types beside a comparison of each part of each route, and the compiler is the judge.
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { startTestLedger } from '../../../services/api/src/testing/ledger.ts';
import { type DocumentedRoute, type OpenApi, routesOf } from './testing/document-types.ts';
import { ROOT, tsc } from './testing/tsc.ts';

/** For whoever runs the ledger, not for its callers. */
const LEFT_OUT = ['GET /health/live', 'GET /health/ready'];
const PARTS = ['path', 'query', 'body', 'answers'] as const;

const ledger = await startTestLedger();
t.teardown(() => ledger.stop());
const documented = routesOf(ledger.app.swagger() as unknown as OpenApi).filter(
  ({ name }) => !LEFT_OUT.includes(name),
);

/** Identical, not only assignable: a field more or less, optional or not, makes another type. */
const HEAD = `
import type { Problem, Routes } from ${JSON.stringify(join(import.meta.dirname, 'index.ts'))};
type Flat<T> = T extends object ? { [K in keyof T]: Flat<T[K]> } : T;
type Same<A, B> =
  (<T>() => T extends Flat<A> ? 1 : 2) extends (<T>() => T extends Flat<B> ? 1 : 2) ? true : false;
type Part<R, P> = R extends keyof Routes ? (P extends keyof Routes[R] ? Routes[R][P] : 'missing') : 'missing';
`;

/** One line per comparison, so that the compiler's line says which has failed. */
function comparisonsOf(routes: readonly DocumentedRoute[]): { what: string; line: string }[] {
  const names = routes.map(({ name }) => JSON.stringify(name)).join(' | ');
  return [
    { what: 'routes', line: compare('keyof Routes', names) },
    ...routes.flatMap((route) => [
      ...PARTS.map((part) => ({
        what: `${route.name} ${part}`,
        line: compare(`Part<${JSON.stringify(route.name)}, '${part}'>`, route[part]),
      })),
      { what: `${route.name} problem`, line: compare('Problem', route.problem ?? 'never') },
    ]),
  ];
}

let count = 0;
const compare = (ours: string, theirs: string): string =>
  `export const same${++count}: Same<${ours}, ${theirs}> = true;`;

/** What the compiler finds different. */
async function differences(t: Test, routes: readonly DocumentedRoute[]): Promise<string[]> {
  const folder = t.testdir();
  const comparisons = comparisonsOf(routes);
  const head = HEAD.split('\n').length - 1;
  writeFileSync(join(folder, 'same.ts'), HEAD + comparisons.map(({ line }) => line).join('\n'));
  const config = { extends: join(ROOT, 'tsconfig.base.json'), files: ['same.ts'] };
  writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify(config));
  const lines = await tsc('-p', folder);
  return lines.map((line) => {
    const at = /same\.ts\((\d+),\d+\): error TS2322/.exec(line)?.[1];
    return at === undefined ? line : (comparisons[Number(at) - head - 1]?.what ?? line);
  });
}

t.test('every route, field and status of the document is in the client, and nothing else', async (t) => {
  t.ok(documented.length >= 32);
  t.strictSame(await differences(t, documented), []);
});

t.test('any difference is found and named', async (t) => {
  const change = (name: string, part: (typeof PARTS)[number], from: string, to: string): void => {
    const index = changed.findIndex((route) => route.name === name);
    const route = changed[index];
    if (route === undefined || !route[part].includes(from)) throw new Error(`${name} has no ${from}`);
    changed[index] = { ...route, [part]: route[part].replace(from, to) };
  };
  const changed = documented.filter(({ name }) => name !== 'GET /v1/trial-balance');
  change('POST /v1/quotes', 'answers', 'readonly "credits": string', 'readonly "credits"?: string');
  change('POST /v1/authorize', 'body', 'readonly "model": string; ', '');
  change('POST /v1/accounts', 'answers', '"frozen"', '"closed"');
  change('GET /v1/accounts/{id}/lots', 'query', 'boolean', 'string');
  change('POST /v1/usage', 'answers', 'readonly 202', 'readonly 204');
  change('GET /v1/accounts/{id}', 'path', '"id"', '"account"');
  const problems = changed.map((route) =>
    route.name === 'GET /v1/api-keys' ? { ...route, problem: '{ readonly code: string }' } : route,
  );
  t.strictSame(
    new Set(await differences(t, problems)),
    new Set([
      'routes',
      'POST /v1/quotes answers',
      'POST /v1/authorize body',
      'POST /v1/accounts answers',
      'GET /v1/accounts/{id}/lots query',
      'POST /v1/usage answers',
      'GET /v1/accounts/{id} path',
      'GET /v1/api-keys problem',
    ]),
  );
});
