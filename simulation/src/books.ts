/** Price books as they are published, version by version. */
import type { PriceBookPublished } from '@tallystick/domain';

/** Prices that divide evenly and such that do not; `sometimes` has a price in every second version only. */
export function bookContent(version: number): PriceBookPublished['facts']['book'] {
  const sometimes = { sometimes: { prices: { calls: { credits: '2', per: 1 } } } };
  return {
    credit_value: { amount: '0.01', currency: 'USD' },
    models: {
      plain: { prices: { calls: { credits: `${version}`, per: 1 } } },
      coarse: {
        round_to: '0.5',
        prices: { calls: { credits: '0.3', per: 1 }, characters: { credits: '1', per: 7 } },
      },
      fine: {
        supplier: 'acme',
        round_to: '0.000001',
        prices: {
          calls: { credits: '1', per: 1 },
          characters: { credits: '1', per: 3 },
          images: { cost: { amount: '0.007', currency: 'USD' }, per: 1, markup: '0.2' },
        },
      },
      talk: {
        round_to: '0.000001',
        prices: { input_tokens: { credits: '1', per: 3 }, output_tokens: { credits: '2', per: 3 } },
      },
      free: { prices: { calls: { credits: '0', per: 1 } } },
      ...(version % 2 === 0 ? sometimes : {}),
    },
  };
}
