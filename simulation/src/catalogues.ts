/**
 * The catalogues as a process follows them: price books and plans from their streams, at every ring and when a decision
 * asks (rule 24). Between two rings they may be behind, as on a machine that heard nothing.
 */
import {
  type Catalogues,
  compileBook,
  NO_CATALOGUES,
  type PlanPublished,
  type PriceBookPublished,
} from '@tallystick/domain';
import {
  type CatalogueReader,
  type Cursor,
  decodeEvent,
  type EventStore,
  type RecordedEvent,
  splitStream,
} from '@tallystick/event-store';

export const FOLLOWED = ['pricebook', 'plan'] as const;

/** The catalogues after an event of one of their streams. */
export function withPublished(catalogues: Catalogues, recorded: RecordedEvent): Catalogues {
  const { category } = splitStream(recorded.stream);
  return category === 'plan' ? withPlan(catalogues, recorded) : withBook(catalogues, recorded);
}

function withPlan(catalogues: Catalogues, recorded: RecordedEvent): Catalogues {
  const { id, version, effective_from, terms } = decodeEvent<PlanPublished>(recorded).data;
  const plan = { id, version, effectiveFrom: Date.parse(effective_from), terms };
  return { ...catalogues, plans: catalogues.plans.with(plan) };
}

function withBook(catalogues: Catalogues, recorded: RecordedEvent): Catalogues {
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

export function followCatalogues(store: EventStore): CatalogueReader<Catalogues> {
  let catalogues = NO_CATALOGUES;
  let cursor: Cursor | null = null;
  let turn: Promise<unknown> = Promise.resolve();

  async function readToHead(): Promise<Catalogues> {
    for (;;) {
      const page = await store.readAll({ after: cursor, limit: PAGE, categories: FOLLOWED });
      for (const event of page.events) catalogues = withPublished(catalogues, event);
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
  store.watch(look, FOLLOWED);
  look();
  return { current: () => catalogues, fresh };
}
