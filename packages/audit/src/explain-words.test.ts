import t from 'tap';
import { wordsOf } from './explain-words.ts';

t.test('what a reversal took back is named by its id, as everywhere', async (t) => {
  const data = { reverses: 1, reversed_type: 'UsageCharged', credits: '4', reason: 'a mistake' };
  t.equal(
    wordsOf({ stream: 'wallet-acme', type: 'EntryReversed', data }),
    'Entry wallet-acme:1 (UsageCharged) taken back, 4 credits: a mistake',
  );
});
