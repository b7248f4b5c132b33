import fc from 'fast-check';
import { test } from 'tap';
import { canonical } from './canonical.ts';
import { accounts, EntryBuilder, sumsOf } from './entry.ts';
import { entryId, isId, keys, parseEntryId, walletStream } from './ids.ts';

test('an entry sums to zero in every unit, whatever moves', async () => {
  const account = fc.constantFrom('a', 'b', 'c', 'd');
  const move = fc.tuple(account, account, fc.constantFrom('credits', 'USD'), fc.bigInt(-1_000n, 1_000n));
  fc.assert(
    fc.property(fc.array(move), (moves) => {
      const entry = new EntryBuilder();
      for (const [from, to, unit, steps] of moves) entry.move(from, to, unit, steps);
      const postings = entry.postings();
      const legs = new Set(postings.map((posting) => `${posting.account} ${posting.unit}`));
      return (
        [...sumsOf(postings).values()].every((sum) => sum === 0n) &&
        legs.size === postings.length &&
        postings.every(({ amount }) => amount !== '0')
      );
    }),
  );
});

test('what leaves an account is debited: a liability that is paid back comes nearer to zero', async (t) => {
  const entry = new EntryBuilder();
  entry.move(accounts.available('acme'), accounts.usage('gpt-4'), 'credits', 8_000_000n);
  t.same(entry.postings(), [
    { account: 'liabilities:wallets:acme:available', unit: 'credits', amount: '8' },
    { account: 'income:usage:gpt-4', unit: 'credits', amount: '-8' },
  ]);
});

test('legs that come to zero are left out, and so is a move to where it came from', async (t) => {
  const entry = new EntryBuilder();
  entry.move('a', 'b', 'USD', 5n);
  entry.move('b', 'a', 'USD', 5n);
  entry.move('a', 'a', 'USD', 5n);
  entry.move('a', 'b', 'USD', 0n);
  t.same(entry.postings(), []);
});

test("no model's name can forge an account", async (t) => {
  t.equal(accounts.usage('x:0'), 'income:usage:x%3A0');
  t.equal(accounts.usage('openai/gpt 4o'), 'income:usage:openai%2Fgpt%204o');
  t.equal(accounts.supplierExpense('a:b'), 'expenses:suppliers:a%3Ab');
});

test('an entry is named after its event', async (t) => {
  const id = entryId(walletStream('a.b@c+d_e-f'), 17);
  t.equal(id, 'wallet-a.b@c+d_e-f:17');
  t.same(parseEntryId(id), { stream: 'wallet-a.b@c+d_e-f', revision: 17 });
  for (const text of ['', 'wallet-acme', 'wallet-acme:', 'wallet-acme:-1', 'wallet-acme:1.5', 'acme:1:2']) {
    t.equal(parseEntryId(text), undefined, text);
  }
});

test('ids hold nothing that separates keys or forges streams', async (t) => {
  for (const text of ['a', 'A-1', 'user@example.org', `a${'b'.repeat(127)}`]) t.ok(isId(text), text);
  for (const text of ['', '-a', 'a:b', 'a b', 'a/b', 'a\n', 'ä', `a${'b'.repeat(128)}`])
    t.notOk(isId(text), text);
});

test('keys of different kinds and sources never meet; a settle claims the key of the usage (rule 13)', async (t) => {
  t.not(keys.usage('gw-1', '7'), keys.usage('gw-2', '7'));
  t.equal(keys.settle('h1'), keys.usage('', 'h1'));
  const all = [
    keys.usage('', '1'),
    keys.reprice('', '1'),
    keys.hold('1'),
    keys.void('1'),
    keys.topUp('', '1'),
    keys.grant('', '1'),
    keys.adjust('1'),
    keys.reverse(1),
    keys.open,
  ];
  t.equal(new Set(all).size, all.length);
});

test('the canonical text does not depend on the order or absence of members, but on everything else', async (t) => {
  t.equal(
    canonical({ b: 1, a: [1, { d: null, c: 'x' }], e: undefined }),
    '{"a":[1,{"c":"x","d":null}],"b":1}',
  );
  t.equal(canonical({ a: 1, b: 2 }), canonical({ b: 2, a: 1 }));
  t.not(canonical([1, 2]), canonical([2, 1]));
  t.not(canonical({ a: '1' }), canonical({ a: 1 }));
  fc.assert(
    fc.property(fc.jsonValue(), (value) => {
      const back = JSON.parse(canonical(value)) as unknown;
      return canonical(back) === canonical(value);
    }),
  );
});
