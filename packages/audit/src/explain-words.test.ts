import t from 'tap';
import { explain, explainToFinance } from './explain.ts';
import { counted } from './explain-counts.ts';
import { wordsOf } from './explain-words.ts';

t.test('what a reversal took back is named by its id, as everywhere', async (t) => {
  const data = { reverses: 1, reversed_type: 'UsageCharged', credits: '4', reason: 'a mistake' };
  t.equal(
    wordsOf({ stream: 'wallet-acme', type: 'EntryReversed', data }),
    'Entry wallet-acme:1 (UsageCharged) taken back, 4 credits: a mistake',
  );
});

t.test('one is told in the singular, and names of fields as they are', async (t) => {
  t.same(
    [counted(1, 'calls'), counted('1', 'tokens'), counted(2, 'calls'), counted('0', 'calls')],
    ['1 call', '1 token', '2 calls', '0 calls'],
  );
  t.equal(counted(1, 'input_tokens'), '1 input_tokens');
});

t.test(
  'what quotas cover whole has no formula of a price, and what is beyond a hard stop neither',
  async (t) => {
    const price = { lines: [], exact: '0', round_to: '1' };
    const rounded = '0 rounded up to a multiple of 1 = 0 credits';
    const covered = [{ unit: 'calls', quantity: '1', model: '*', quota: 'quota-2', usage: {} }];
    for (const [data, formula] of [
      [{ covered }, ['1 call covered by quota-2']],
      [{ violations: ['quota_exhausted'] }, ['beyond what the plan includes, which is not charged']],
      [{}, [rounded]],
    ] as const) {
      const event = {
        ...{ stream: 'wallet-acme', revision: 1, position: 1n, type: 'UsageCharged', recordedAt: '' },
        ...{ data: { usage_id: 'u', model: 'm', usage: { calls: 1 }, credits: '0', ...data } },
        ...{ facts: { price }, meta: {}, entry: [] },
      } as unknown as Parameters<typeof explain>[0];
      t.same(explainToFinance(event).formula, formula);
      t.equal(explain(event).price === null, !formula.includes(rounded as never));
    }
  },
);
