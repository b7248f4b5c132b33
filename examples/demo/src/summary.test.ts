import t from 'tap';
import { type Books, isWhole, summaryLines } from './summary.ts';

const trial: Books = {
  units: [
    {
      unit: 'USD',
      total: '0',
      accounts: [
        { account: 'assets:cash', balance: '2000' },
        { account: 'expenses:suppliers:openai', balance: '1.25' },
        { account: 'income:usage', balance: '-1.6875' },
        { account: 'liabilities:prepaid', balance: '-1999.5625' },
      ],
    },
    {
      unit: 'credits',
      total: '0',
      accounts: [
        { account: 'income:usage:gpt-4o', balance: '-16875' },
        { account: 'wallets', balance: '16875' },
      ],
    },
  ],
};

const tallyOf = (answers: Record<string, number>, seconds = 2) => ({
  answers: new Map(Object.entries(answers)),
  seconds,
});

/** The value beside a name. */
function cellOf(lines: readonly string[], name: string): string | undefined {
  const line = lines.find((candidate) => candidate.startsWith(`  ${name} `));
  return line?.slice(name.length + 2).trim();
}

t.test('money is read off the trial balance, to the last digit', async (t) => {
  const lines = summaryLines(trial, tallyOf({ charged: 3_000 }));
  t.equal(cellOf(lines, 'credits charged'), '16,875');
  t.equal(cellOf(lines, 'revenue released'), '1.6875 USD');
  t.equal(cellOf(lines, 'supplier cost'), '1.25 USD');
  t.equal(cellOf(lines, 'profit'), '0.4375 USD');
  t.equal(cellOf(lines, 'USD'), '0   over 4 accounts');
});

t.test('a loss keeps its sign', async (t) => {
  const accounts = [{ account: 'expenses:suppliers:openai', balance: '0.000000001' }];
  const lines = summaryLines({ units: [{ unit: 'USD', total: '0', accounts }] }, tallyOf({ charged: 1 }));
  t.equal(cellOf(lines, 'profit'), '-0.000000001 USD');
});

t.test('only calls that were charged are called charges; the rate counts all', async (t) => {
  const lines = summaryLines(trial, tallyOf({ charged: 1_500, unpriced: 500 }));
  t.equal(cellOf(lines, 'charges'), '1,500');
  t.equal(cellOf(lines, 'unpriced'), '500');
  t.equal(cellOf(lines, 'calls per second'), '1,000');
});

t.test('where nothing was charged it says 0', async (t) => {
  t.equal(cellOf(summaryLines(trial, tallyOf({ unpriced: 1 })), 'charges'), '0');
});

t.test('where all was charged there is no other row', async (t) => {
  t.equal(cellOf(summaryLines(trial, tallyOf({ charged: 1 })), 'unpriced'), undefined);
});

t.test('it is whole only where every call was charged and every unit comes to zero', async (t) => {
  t.equal(isWhole(trial, tallyOf({ charged: 2 })), true);
  t.equal(isWhole(trial, tallyOf({ charged: 2, unpriced: 1 })), false);
  const off: Books = { units: [...trial.units, { unit: 'EUR', total: '0.01', accounts: [] }] };
  t.equal(isWhole(off, tallyOf({ charged: 2 })), false);
});
