/** Price books as a process follows them: from their streams, at every ring and when a decision asks (rule 24). */
import { compileBook, type PriceBookPublished, PriceBooks } from '@tallystick/domain';
import {
  type CatalogueReader,
  type Cursor,
  decodeEvent,
  type EventStore,
  type RecordedEvent,
} from '@tallystick/event-store';

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
      free: { prices: { calls: { credits: '0', per: 1 } } },
      ...(version % 2 === 0 ? sometimes : {}),
    },
  };
}

export function withBook(books: PriceBooks, recorded: RecordedEvent): PriceBooks {
  const { data, facts } = decodeEvent<PriceBookPublished>(recorded);
  const compiled = compileBook(facts.book);
  if (!compiled.ok) throw new Error(`${compiled.fault.field} ${compiled.fault.rule}`);
  const { name, version } = data;
  const effectiveFrom = Date.parse(data.effective_from);
  return books.with({ name, version, effectiveFrom, content: facts.book, models: compiled.models });
}

const PAGE = 100;

export function followBooks(store: EventStore): CatalogueReader<PriceBooks> {
  let books = new PriceBooks();
  let cursor: Cursor | null = null;
  let turn: Promise<unknown> = Promise.resolve();

  async function readToHead(): Promise<PriceBooks> {
    for (;;) {
      const page = await store.readAll({ after: cursor, limit: PAGE, categories: ['pricebook'] });
      for (const event of page.events) books = withBook(books, event);
      cursor = page.cursor;
      if (page.atEnd) return books;
    }
  }

  /** One after the other: a read that begins after the call sees what was published before it. */
  function fresh(): Promise<PriceBooks> {
    const read = turn.then(readToHead);
    turn = read.catch(() => undefined);
    return read;
  }

  const look = (): void => void fresh().catch(() => undefined);
  store.watch(look, ['pricebook']);
  look();
  return { current: () => books, fresh };
}
