import fc from 'fast-check';
import t from 'tap';
import {
  beancountAccount,
  beancountCommodity,
  fromBeancountAccount,
  fromBeancountCommodity,
  fromHledgerCommodity,
  hledgerAccount,
  hledgerCommodity,
} from './names.ts';

/** Whatever can stand in a segment: an id, or a model of any characters that can be stored. */
const segment = fc
  .oneof(
    fc.stringMatching(/^[A-Za-z0-9][A-Za-z0-9._@+-]{0,12}$/),
    fc.string({ unit: 'grapheme', minLength: 1, maxLength: 12 }),
    // The marks of the mapping itself.
    fc.stringMatching(/^[-Xx02d]{1,8}$/),
  )
  .map(encodeURIComponent);
const account = fc
  .tuple(
    fc.constantFrom('assets', 'liabilities', 'equity', 'income', 'expenses'),
    fc.array(segment, { minLength: 1, maxLength: 3 }),
  )
  .map(([root, segments]) => [root, ...segments].join(':'));
const COMPONENT = /^[A-Z0-9][A-Za-z0-9-]*$/;

t.test('every account has a beancount name that is allowed, and that gives the account back', async () => {
  fc.assert(
    fc.property(account, (name) => {
      const mapped = beancountAccount(name);
      const [root = '', ...rest] = mapped.split(':');
      if (!['Assets', 'Liabilities', 'Equity', 'Income', 'Expenses'].includes(root)) return false;
      return rest.every((part) => COMPONENT.test(part)) && fromBeancountAccount(mapped) === name;
    }),
    { numRuns: 2_000 },
  );
});

t.test('names read naturally where they can', async (t) => {
  for (const [name, mapped] of [
    ['liabilities:wallets:acme:available', 'Liabilities:Wallets:Acme:Available'],
    ['liabilities:wallets:Acme:held', 'Liabilities:Wallets:Acme-:Held'],
    ['liabilities:deferred-revenue', 'Liabilities:Deferred-revenue'],
    ['income:usage:openai%2Fgpt-4o', 'Income:Usage:Openai--2fgpt-4o'],
    ['income:usage:~x', 'Income:Usage:X--7ex--'],
    ['income:usage:4o', 'Income:Usage:4o'],
    ['expenses:suppliers:a-', 'Expenses:Suppliers:A--2d'],
  ] as const) {
    t.equal(beancountAccount(name), mapped);
    t.equal(fromBeancountAccount(mapped), name);
  }
});

t.test('hledger takes the names of the ledger as they are, and nothing else passes for one', async (t) => {
  fc.assert(fc.property(account, (name) => hledgerAccount(name) === name));
  for (const forged of [
    'income',
    'income:',
    'income:a  b',
    'income:a;b',
    'income:a\nb',
    'Income:a',
    '(income:a)',
  ])
    t.throws(() => hledgerAccount(forged), /not an account/, forged);
});

t.test('units come back from both; credits and currencies stay readable', async (t) => {
  const unit = fc.oneof(
    fc.constantFrom('credits', 'USD', 'EUR', 'calls', 'CREDITS', 'Q.USD'),
    fc.string({ unit: 'grapheme', minLength: 1, maxLength: 6 }),
  );
  fc.assert(
    fc.property(unit, (name) => {
      const quoted = hledgerCommodity(name);
      return /^([A-Za-z]+|"[^";\n]+")$/.test(quoted) && fromHledgerCommodity(quoted) === name;
    }),
  );
  fc.assert(
    fc.property(unit, (name) => {
      if (Buffer.byteLength(name) > 7) return true;
      const mapped = beancountCommodity(name);
      return /^[A-Z][A-Z0-9'._-]{0,22}[A-Z0-9]$/.test(mapped) && fromBeancountCommodity(mapped) === name;
    }),
  );
  t.same(['credits', 'USD', 'gpt calls'].map(hledgerCommodity), ['credits', 'USD', '"gpt%20calls"']);
  t.same(['credits', 'USD', 'gpt calls'].map(beancountCommodity), ['CREDITS', 'USD', "Q.GPT'20CALLS"]);
  t.throws(() => beancountCommodity('a unit of very many letters'), /no room/);
});
