/**
 * Charges parked usage once it has a price (P10): when a price book was published, and every minute, because a
 * price may come into force or an account change its book. It asks no wallet whose usage still has none: that is known
 * from the read models and the catalogue. Any number of processes may sweep; a usage is charged once (rule 13).
 */
import {
  type Catalogues,
  DEFAULT_BOOK,
  keys,
  type PriceBooks,
  type WalletCommand,
  walletDecider,
} from '@tallystick/domain';
import type { CatalogueReader, Order, Runner } from '@tallystick/event-store';
import { periodically } from '@tallystick/jobs/periodically';
import { listParked, type ParkedUsage, type Reads } from '@tallystick/projections';
import { fingerprint } from './fingerprint.ts';

export interface RepriceSweepParts {
  readonly runner: Runner<Catalogues>;
  readonly catalogue: CatalogueReader<Catalogues>;
  readonly queries: Reads;
  readonly now?: () => number;
  /** Of deadlines; `now` where left out. */
  readonly realNow?: () => number;
  readonly everyMs?: number;
  /** Between two passes over everything that is parked, where no price was published. */
  readonly passEveryMs?: number;
  readonly onError: (error: unknown) => void;
}

const AT_ONCE = 500;
/** After a publication: what was parked a moment before it is in the read models by the second. */
const PASSES = 2;
const CAUSE = { actor: 'reprice-sweep', request: '' };

/** @returns how to stop it; resolves when the sweep under way has ended */
export function startRepriceSweep(parts: RepriceSweepParts): () => Promise<void> {
  const { catalogue, now = Date.now, everyMs = 1_000, passEveryMs = 60_000, onError } = parts;
  let seen: PriceBooks | null = null;
  let passes = 0;
  let passAt = Number.NEGATIVE_INFINITY;

  async function sweep(): Promise<void> {
    const { books } = catalogue.current();
    const began = now();
    if (books === seen && passes >= PASSES && began < passAt + passEveryMs) return;
    await repriceAll(parts, books, began);
    // Only now: a pass that an outage broke off is made again.
    passes = books === seen ? passes + 1 : 1;
    seen = books;
    passAt = began;
  }
  return periodically(() => everyMs, sweep, onError);
}

/** One pass over everything that is parked, in the order of its recording. */
async function repriceAll(
  { runner, queries, now: clock = Date.now, realNow = clock }: RepriceSweepParts,
  books: PriceBooks,
  now: number,
): Promise<void> {
  for (let after = 0n; ; ) {
    const parked = await listParked(queries, after, AT_ONCE);
    const last = parked.at(-1);
    if (last === undefined) return;
    after = last.position;
    const orders = parked.filter((usage) => hasPrice(books, usage, now)).map(repriceOrder);
    if (orders.length > 0) await runner.execute(walletDecider, orders, realNow() + 30_000);
  }
}

function hasPrice(books: PriceBooks, usage: ParkedUsage, now: number): boolean {
  const { priceBook, occurredAt, recordedAt, model, usage: quantities } = usage;
  const at = Math.min(occurredAt, recordedAt);
  return books.priceLater(priceBook ?? DEFAULT_BOOK, at, model, quantities, now).outcome.status === 'priced';
}

/** The same command as finance's own: whoever comes first charges, the other finds it done. */
export function repriceCommand(source: string, id: string): WalletCommand {
  return { type: 'RepriceUsage', key: keys.reprice(source, id), fingerprint: fingerprint({}), id, source };
}

function repriceOrder({ account, id, source }: ParkedUsage): Order<WalletCommand> {
  return { id: account, command: repriceCommand(source, id), cause: CAUSE };
}
