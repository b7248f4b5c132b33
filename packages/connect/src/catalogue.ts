/**
 * Price books, plans, packages, coupons and API keys in memory, followed from their streams (rules 19, 24). They are few
 * and read by every request. A ring of the store, or a look four times a second, brings changes; when the store is away the picture
 * grows old, which `ageMs` tells, and it goes on by itself when the store is back.
 */
import {
  type ApiKeyEvent,
  type ApiKeyTerms,
  type Catalogues,
  type CouponEvent,
  type CouponState,
  compileBook,
  couponDecider,
  NO_CATALOGUES,
  type PackagePublished,
  type PlanPublished,
  type PriceBookPublished,
} from '@tallystick/domain';
import {
  type CatalogueReader,
  type Cursor,
  decodeEvent,
  type EventStore,
  type RecordedEvent,
  type StoredEvent,
  splitStream,
} from '@tallystick/event-store';

export interface KnownKey extends ApiKeyTerms {
  /** Hex. */
  readonly sha256: string;
  readonly createdAt: number;
  readonly revokedAt: number | null;
}

export interface Catalogue extends CatalogueReader<Catalogues> {
  /** By code: terms and counters as they stood when they were last read; a use is decided on the coupon's own stream. */
  readonly coupons: ReadonlyMap<string, Readonly<CouponState>>;
  /** All keys that ever were, revoked ones too. */
  readonly keys: ReadonlyMap<string, KnownKey>;
  /** Changes whenever `keys` does: what was derived from them is to be forgotten. */
  readonly keysVersion: number;
  /** Milliseconds since the picture was last known to be complete; infinite before the first time. */
  ageMs(): number;
  /** Resolves when the read under way has ended: the store is closed after this. */
  close(): Promise<void>;
}

export interface CatalogueParts {
  readonly store: Pick<EventStore, 'readAll' | 'watch'>;
  /** Of a clock that only goes forward, in milliseconds. */
  readonly elapsed?: () => number;
  readonly onError?: (error: unknown) => void;
}

type CatalogueEvent = PriceBookPublished | PlanPublished | PackagePublished | CouponEvent | ApiKeyEvent;

const CATEGORIES = ['pricebook', 'plan', 'package', 'coupon', 'apikey'] as const;
const POLL_MS = 250;
const PAGE = 500;

export function followCatalogue({
  store,
  elapsed = () => performance.now(),
  onError,
}: CatalogueParts): Catalogue {
  const keys = new Map<string, KnownKey>();
  const coupons = new Map<string, CouponState>();
  const couponRevisions = new Map<string, number>();
  let catalogues = NO_CATALOGUES;
  let keysVersion = 0;
  let cursor: Cursor | null = null;
  let completeAt = Number.NEGATIVE_INFINITY;
  let reading: Promise<void> | null = null;
  let queued: Promise<void> | null = null;
  let closed = false;

  function take(recorded: RecordedEvent): void {
    const event = decodeEvent<CatalogueEvent>(recorded);
    switch (event.type) {
      case 'PriceBookPublished': {
        const { name, version, effective_from } = event.data;
        const compiled = compileBook(event.facts.book);
        if (!compiled.ok)
          throw new Error(`price book ${name} ${version} does not compile: ${compiled.fault.rule}`);
        const effectiveFrom = Date.parse(effective_from);
        const books = catalogues.books.with({
          name,
          version,
          effectiveFrom,
          content: event.facts.book,
          models: compiled.models,
        });
        catalogues = { ...catalogues, books };
        return;
      }
      case 'PlanPublished': {
        const { id, version, effective_from, terms } = event.data;
        const plan = { id, version, effectiveFrom: Date.parse(effective_from), terms };
        catalogues = { ...catalogues, plans: catalogues.plans.with(plan) };
        return;
      }
      case 'PackagePublished':
        catalogues = { ...catalogues, packages: catalogues.packages.with(event.data) };
        return;
      case 'CouponPublished':
      case 'CouponUseReserved':
      case 'CouponUseConfirmed':
      case 'CouponUseReleased':
      case 'CouponUseReturned':
        takeCoupon(event);
        return;
      case 'ApiKeyCreated':
        keys.set(event.data.id, {
          ...event.data,
          sha256: event.facts.sha256,
          createdAt: event.recordedAt,
          revokedAt: null,
        });
        keysVersion += 1;
        return;
      case 'ApiKeyRevoked': {
        const known = keys.get(event.data.id);
        if (known !== undefined) keys.set(event.data.id, { ...known, revokedAt: event.recordedAt });
        keysVersion += 1;
        return;
      }
      default:
        // It may take a right away: never skipped (rule 11). The picture grows old, and nobody is served.
        throw new Error(`an unknown event in the catalogues: ${recorded.type}`);
    }
  }

  function takeCoupon(event: StoredEvent<CouponEvent>): void {
    const code = splitStream(event.stream).id;
    // Of a page that broke off everything comes again, and uses are counted.
    if (event.revision <= (couponRevisions.get(code) ?? -1)) return;
    couponRevisions.set(code, event.revision);
    const state = coupons.get(code) ?? couponDecider.initial(code);
    couponDecider.evolve(state, event, event.revision);
    coupons.set(code, state);
  }

  async function readToHead(): Promise<void> {
    const startedAt = elapsed();
    for (;;) {
      const page = await store.readAll({ after: cursor, limit: PAGE, categories: CATEGORIES });
      for (const event of page.events) take(event);
      cursor = page.cursor;
      if (page.atEnd) break;
    }
    completeAt = startedAt;
  }

  /** A read that begins after the call. Callers during one under way share the next. */
  function readAfterNow(): Promise<void> {
    if (reading === null) {
      reading = readToHead().finally(() => {
        reading = null;
      });
      return reading;
    }
    queued ??= reading
      .catch(() => undefined)
      .then(() => {
        queued = null;
        return readAfterNow();
      });
    return queued;
  }

  function look(): void {
    if (closed || queued !== null) return;
    readAfterNow().catch((error: unknown) => {
      if (!closed) onError?.(error);
    });
  }

  const unwatch = store.watch(look, CATEGORIES);
  const poll = setInterval(() => {
    if (reading === null) look();
  }, POLL_MS);
  poll.unref();
  look();

  return {
    keys,
    coupons,
    get keysVersion() {
      return keysVersion;
    },
    current: () => catalogues,
    async fresh() {
      await readAfterNow();
      return catalogues;
    },
    ageMs: () => elapsed() - completeAt,
    async close() {
      closed = true;
      clearInterval(poll);
      unwatch();
      await (queued ?? reading)?.catch(() => undefined);
    },
  };
}
