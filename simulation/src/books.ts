/** Price books as a process follows them: from their streams, at every ring and when a decision asks (rule 24). */
import { type Catalogues, compileBook, NO_CATALOGUES, type PriceBookPublished } from '@tallystick/domain';
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

export function withBook(catalogues: Catalogues, recorded: RecordedEvent): Catalogues {
  const { data, facts } = decodeEvent<PriceBookPublished>(recorded);
  const compiled = compileBook(facts.book);
  if (!compiled.ok) throw new Error(`${compiled.fault.field} ${compiled.fault.rule}`);
  const { name, version } = data;
  const effectiveFrom = Date.parse(data.effective_from);
  const { models } = compiled;
  const books = catalogues.books.with({ name, version, effectiveFrom, content: facts.book, models });
  return { ...catalogues, books };
}

const PAGE = 100;

export function followBooks(store: EventStore): CatalogueReader<Catalogues> {
  let catalogues = NO_CATALOGUES;
  let cursor: Cursor | null = null;
  let turn: Promise<unknown> = Promise.resolve();

  async function readToHead(): Promise<Catalogues> {
    for (;;) {
      const page = await store.readAll({ after: cursor, limit: PAGE, categories: ['pricebook'] });
      for (const event of page.events) catalogues = withBook(catalogues, event);
      cursor = page.cursor;
      if (page.atEnd) return catalogues;
    }
  }

  /** One after the other: a read that begins after the call sees what was published before it. */
  function fresh(): Promise<Catalogues> {
    const read = turn.then(readToHead);
    turn = read.catch(() => undefined);
    return read;
  }

  const look = (): void => void fresh().catch(() => undefined);
  store.watch(look, ['pricebook']);
  look();
  return { current: () => catalogues, fresh };
}
