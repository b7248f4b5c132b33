/** What the books come to, for whoever watches the business: from the read models, asked now and then. */
import { type Meter, nowAndThen } from '@tallystick/connect';
import { type CreditSums, countOpenItems, type Reads, sumCredits } from '@tallystick/projections';

/** A scrape waits no longer; without an answer these are left out of it. */
const PATIENCE_MS = 1_000;

export function readLedger(meter: Meter, queries: Reads): void {
  const openItems = nowAndThen(() => countOpenItems(queries), 5_000, PATIENCE_MS);
  const sums = nowAndThen(() => sumCredits(queries), 30_000, PATIENCE_MS);
  const sum = async (of: keyof CreditSums): Promise<number | null> => {
    const found = await sums();
    return found === null ? null : Number(found[of]);
  };
  meter.read(
    'gauge',
    'tallystick_unpriced_usages',
    'Usages that wait for a price.',
    async () => (await openItems())?.unpriced ?? null,
  );
  meter.read(
    'gauge',
    'tallystick_holds_open',
    'Holds that are neither settled, void nor expired.',
    async () => (await openItems())?.holds ?? null,
  );
  meter.read('gauge', 'tallystick_available_credits', 'What all accounts together may spend.', () =>
    sum('available'),
  );
  meter.read('gauge', 'tallystick_held_credits', 'What holds have reserved, over all accounts.', () =>
    sum('held'),
  );
  meter.read('gauge', 'tallystick_debt_credits', 'What accounts have used beyond what they had.', () =>
    sum('debt'),
  );
}
