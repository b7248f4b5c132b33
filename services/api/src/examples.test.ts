import t from 'tap';
import { EXAMPLES } from './examples.ts';
import { startTestLedger } from './testing/ledger.ts';

const ledger = await startTestLedger();
t.teardown(() => ledger.stop());

/** What the examples call the things that their paths name. */
const NAMES: Readonly<Record<string, string>> = {
  '/v1/price-books/:name': '/v1/price-books/default',
  '/v1/plans/:id': '/v1/plans/team',
  '/v1/packages/:id': '/v1/packages/credits-500',
  '/v1/coupons/:code': '/v1/coupons/SPRING10',
};

t.test('the examples of the document, sent one after the other, are all accepted', async (t) => {
  for (const [route, body] of EXAMPLES) {
    const [method = '', path = ''] = route.split(' ');
    const url = (NAMES[path] ?? path)
      .replace(':id', 'acme')
      .replace(':hold', 'call-2')
      .replace(':purchase', 'order-17');
    const answer = await ledger.call(method as 'POST' | 'PUT', url, body);
    t.ok(answer.status === 201 || answer.status === 200, `${route} ${answer.text}`);
    if (path.endsWith('/paid')) t.equal(answer.body.applied, true, 'the sum is what the coupon leaves');
    if (path === '/v1/authorize') t.equal(answer.body.allowed, true, answer.text);
  }
});

t.test('each stands in the document, beside the scopes that its route needs', async (t) => {
  const { body } = await ledger.call('GET', '/openapi.json', undefined, null);
  for (const [route, example] of EXAMPLES) {
    const [method = '', path = ''] = route.split(' ');
    const operation = body.paths[path.replaceAll(/:(\w+)/g, '{$1}')]?.[method.toLowerCase()];
    const { example: shown, schema } = operation?.requestBody.content['application/json'] ?? {};
    t.same(shown ?? schema?.examples?.[0], example, route);
  }
});

t.test('each route tells which scopes suffice, as the door asks for them', async (t) => {
  const { body } = await ledger.call('GET', '/openapi.json', undefined, null);
  const told = (path: string, method: string): string => body.paths[path][method].description;
  t.equal(told('/v1/usage', 'post'), 'Scope: `usage`. Not with a key of one account.');
  t.equal(told('/v1/accounts/{id}/top-ups', 'post'), 'Scope: `finance`. Not with a key of one account.');
  t.equal(
    told('/v1/accounts/{id}/subscription', 'post'),
    'Scope: `usage` or `manage`. Also with a key of the account.',
  );
  t.equal(told('/v1/plans', 'get'), 'Scope: `usage`, `read` or `finance`. Also with a key of the account.');
  for (const [path, operations] of Object.entries<Record<string, { description?: string }>>(body.paths)) {
    for (const [method, { description = '' }] of Object.entries(operations))
      t.match(description, /(^|\n)(Scope: `|Needs no key\.)/, `${method} ${path}`);
  }
});

interface Shape {
  readonly description?: string;
  readonly anyOf?: readonly Shape[];
  readonly items?: Shape;
  readonly properties?: Readonly<Record<string, Shape>>;
}

/** The members that nobody has said anything of. */
function unsaid(shape: Shape | undefined, path: string): string[] {
  const { anyOf = [], items, properties = {} } = shape ?? {};
  const said = (member: Shape): boolean =>
    member.description !== undefined ||
    (member.anyOf ?? []).some(({ description }) => description !== undefined);
  return [
    ...anyOf.flatMap((one) => unsaid(one, path)),
    ...(items === undefined ? [] : unsaid(items, path)),
    ...Object.entries(properties).flatMap(([name, member]) => [
      ...(said(member) ? [] : [`${path}.${name}`]),
      ...unsaid(member, `${path}.${name}`),
    ]),
  ];
}

t.test('every field of what is sold, bought and warned of is described', async (t) => {
  const { body } = await ledger.call('GET', '/openapi.json', undefined, null);
  const told =
    /\/(plans|packages|coupons|purchases|subscription|alerts|auto-top|webhook|usage$|authorize|top-ups)/;
  let bodies = 0;
  for (const [path, operations] of Object.entries<Record<string, object>>(body.paths)) {
    if (!told.test(path)) continue;
    for (const [method, operation] of Object.entries(operations)) {
      const { requestBody } = operation as { requestBody?: { content: Record<string, { schema: Shape }> } };
      if (requestBody === undefined) continue;
      bodies += 1;
      t.same(unsaid(requestBody.content['application/json']?.schema, ''), [], `${method} ${path}`);
    }
  }
  t.ok(bodies > 15);
});
