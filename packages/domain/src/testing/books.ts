/** Price books for tests: every way to say a price, with figures that are easy to do in one's head. */
import { compileBook, type PriceBookContent, type PriceBookVersion } from '../pricing/price-book.ts';
import { PriceBooks } from '../pricing/price-books.ts';

export const STANDARD: PriceBookContent = {
  credit_value: { amount: '0.01', currency: 'USD' },
  models: {
    // 5 credits for 1,000 tokens: 1,500 of them are 7.5, charged as 8.
    'gpt-4': {
      supplier: 'openai',
      prices: { input_tokens: { credits: '5', per: 1000 }, output_tokens: { credits: '5', per: 1000 } },
    },
    // 0.03 x (1 + 0.5) x 1.2 / 0.01 = 5.4 credits for 1,000 tokens.
    claude: {
      supplier: 'anthropic',
      prices: {
        input_tokens: {
          cost: { amount: '0.03', currency: 'USD' },
          per: 1000,
          markup: '0.5',
          demand_factor: '1.2',
        },
      },
    },
    sora: {
      prices: {
        video_seconds: {
          steps: [
            { up_to: 10, credits: '10' },
            { up_to: 15, credits: '15' },
            { up_to: 25, credits: '25' },
          ],
        },
      },
    },
    // One credit a call, to the micro-credit: makes any amount by the number of characters.
    fine: {
      supplier: 'acme',
      round_to: '0.000001',
      prices: {
        calls: { credits: '1', per: 1 },
        characters: { credits: '1', per: 3 },
        images: { cost: { amount: '0.007', currency: 'USD' }, per: 1, markup: '0.2' },
      },
    },
    free: { prices: { calls: { credits: '0', per: 1 } } },
  },
};

/** Compiled, or the test is wrong. */
export function bookVersion(
  name: string,
  version: number,
  effectiveFrom: number,
  content: PriceBookContent,
): PriceBookVersion {
  const compiled = compileBook(content);
  if (!compiled.ok) throw new Error(`${compiled.fault.field} ${compiled.fault.rule}`);
  return { name, version, effectiveFrom, content, models: compiled.models };
}

export const standardBooks: PriceBooks = new PriceBooks().with(bookVersion('default', 1, 0, STANDARD));
