/** Holds: opened and closed by their events, filled and emptied by moves only. */
import type { HoldTerms } from '@tallystick/domain';
import type { ClientBase } from 'pg';
import type { Flow, Item } from '../item.ts';
import {
  type BatchContext,
  type Column,
  type Fold,
  insertRows,
  type ReadModel,
  unnest,
} from '../read-model.ts';
import { QuotaPinRows } from './quota-pins.ts';
import { holdsDdl } from './table.ts';

export type HoldStatus = 'open' | 'settled' | 'voided' | 'expired';

interface Change {
  readonly account: string;
  readonly hold: string;
  credits: bigint;
  uncovered: bigint;
  terms: HoldTerms | null;
  placedAt: string;
  opened: number;
  /** Closed and opened again within the batch. */
  reopened: boolean;
  status: HoldStatus | null;
  closedAt: string | null;
  closed: number | null;
  /** What is pinned since it was last opened, by lot. */
  pins: Map<string, Pin>;
}
interface Pin {
  readonly account: string;
  readonly hold: string;
  readonly lot: string;
  credits: bigint;
  paid: bigint;
  readonly since: number;
}

export const holdsModel: ReadModel = {
  name: 'holds',
  tables: ['holds', 'pins', 'quota_pins'],
  ddl: holdsDdl,
  fold: (batch) => new HoldsFold(batch),
};

/** Moves of one event, at most; orders pins within it. */
const MOVES_MAX = 100_000;

class HoldsFold implements Fold {
  readonly #batch: BatchContext;
  readonly #changes = new Map<string, Change>();
  /** Pins of holds that were closed in this batch: they end, even where the hold is opened again and pins the same. */
  readonly #ended: Pin[] = [];
  readonly #quotaPins: QuotaPinRows;

  constructor(batch: BatchContext) {
    this.#batch = batch;
    this.#quotaPins = new QuotaPinRows(batch);
  }

  add(item: Item): void {
    if (item.category !== 'wallet') return;
    if (item.type === 'HoldPlaced' || item.type === 'HoldExtended') this.#open(item);
    item.flows.forEach((flow, index) => {
      this.#move(item, flow, item.revision * MOVES_MAX + index);
    });
    for (const [hold, status] of closedBy(item)) this.#close(item, hold, status);
    this.#quotaPins.add(item);
  }

  #open({ id, type, event, revision, at }: Item): void {
    const terms = event.data as HoldTerms;
    const change = this.#changeOf(id, terms.hold);
    if (change.status !== 'open') {
      change.reopened = change.status !== null;
      change.opened = revision;
    }
    // The first time counts; a row that is there already keeps its own.
    change.placedAt ||= at;
    change.terms = terms;
    change.status = 'open';
    change.closedAt = null;
    change.closed = null;
    this.#comesDue(id, type, terms.expires_at);
  }

  /** A new one can only make the first instant earlier; one that is extended may have been the first. */
  #comesDue(account: string, type: string, expiresAt: string): void {
    const { dueAccounts, dueBy } = this.#batch;
    const known = dueBy.get(account);
    if (type !== 'HoldPlaced') dueAccounts.add(account);
    else if (known === undefined || expiresAt < known) dueBy.set(account, expiresAt);
  }

  #close({ id, revision, at }: Item, hold: string, status: HoldStatus): void {
    const change = this.#changeOf(id, hold);
    change.status = status;
    change.closedAt = at;
    change.closed = revision;
    this.#ended.push(...change.pins.values());
    change.pins = new Map();
    this.#batch.dueAccounts.add(id);
  }

  #move({ id }: Item, { lot, from, to, credits, paid }: Flow, since: number): void {
    if (from.startsWith('hold:')) this.#shift(id, from.slice(5), lot, -credits, -paid, since);
    if (to.startsWith('hold:')) this.#shift(id, to.slice(5), lot, credits, paid, since);
    else if (to.startsWith('cover:')) {
      this.#shift(id, to.slice(6), undefined, -credits, 0n, since);
      this.#shift(id, to.slice(6), lot, credits, paid, since);
    }
  }

  #shift(
    account: string,
    hold: string,
    lot: string | undefined,
    credits: bigint,
    paid: bigint,
    since: number,
  ): void {
    const change = this.#changeOf(account, hold);
    change.credits += credits;
    if (lot === undefined) {
      change.uncovered += credits;
      return;
    }
    const pin = change.pins.get(lot);
    if (pin === undefined) change.pins.set(lot, { account, hold, lot, credits, paid, since });
    else {
      pin.credits += credits;
      pin.paid += paid;
    }
  }

  #changeOf(account: string, hold: string): Change {
    const id = `${account} ${hold}`;
    const found = this.#changes.get(id);
    if (found !== undefined) return found;
    const change: Change = {
      account,
      hold,
      credits: 0n,
      uncovered: 0n,
      terms: null,
      placedAt: '',
      opened: -1,
      reopened: false,
      status: null,
      closedAt: null,
      closed: null,
      pins: new Map(),
    };
    this.#changes.set(id, change);
    return change;
  }

  async write(client: ClientBase): Promise<void> {
    const changes = [...this.#changes.values()];
    await this.#writeOpened(client, changes.filter(isOpened));
    await this.#writeOthers(
      client,
      changes.filter((change) => !isOpened(change)),
    );
    await this.#writePins(client, this.#ended);
    await this.#writePins(
      client,
      changes.flatMap(({ pins }) => [...pins.values()]),
    );
    await this.#quotaPins.write(client);
  }

  async #writeOpened(client: ClientBase, rows: readonly Opened[]): Promise<void> {
    await insertRows(
      client,
      `${this.#batch.schema}.holds as h`,
      OPENED,
      rows,
      `on conflict (account, hold) do update set
         status = excluded.status, model = excluded.model, estimate = excluded.estimate,
         price_book = excluded.price_book, price_book_version = excluded.price_book_version,
         credits = h.credits + excluded.credits, uncovered = h.uncovered + excluded.uncovered,
         expires_at = excluded.expires_at, closed_at = excluded.closed_at, closed = excluded.closed,
         opened = case when h.status = 'open' then h.opened else excluded.opened end`,
    );
    const reopened = rows.filter((row) => row.reopened);
    if (reopened.length === 0) return;
    const { from, values } = unnest('d', OPENED, reopened);
    await client.query(
      `update ${this.#batch.schema}.holds h set opened = d.opened from ${from}
       where h.account = d.account and h.hold = d.hold`,
      values,
    );
  }

  async #writeOthers(client: ClientBase, rows: readonly Change[]): Promise<void> {
    if (rows.length === 0) return;
    const { from, values } = unnest('d', CHANGED, rows);
    await client.query(
      `update ${this.#batch.schema}.holds h set
         credits = h.credits + d.credits, uncovered = h.uncovered + d.uncovered,
         status = coalesce(d.status, h.status),
         closed_at = coalesce(d.closed_at, h.closed_at), closed = coalesce(d.closed, h.closed)
       from ${from} where h.account = d.account and h.hold = d.hold`,
      values,
    );
  }

  async #writePins(client: ClientBase, moved: readonly Pin[]): Promise<void> {
    const table = `${this.#batch.schema}.pins`;
    // What was pinned and let go within the batch has never been there.
    const pins = sumUp(moved).filter(({ credits, paid }) => credits !== 0n || paid !== 0n);
    await insertRows(
      client,
      `${table} as p`,
      PIN,
      pins,
      `on conflict (account, hold, lot) do update set
         credits = p.credits + excluded.credits, paid = p.paid + excluded.paid`,
    );
    const lowered = pins.filter(({ credits }) => credits < 0n);
    if (lowered.length === 0) return;
    const { from, values } = unnest('d', PIN.slice(0, 3), lowered);
    await client.query(
      `delete from ${table} p using ${from}
       where p.account = d.account and p.hold = d.hold and p.lot = d.lot and p.credits = 0 and p.paid = 0`,
      values,
    );
  }
}

type Opened = Change & { readonly terms: HoldTerms };
const isOpened = (change: Change): change is Opened => change.terms !== null;

/** One row per pin: a hold may have been closed more than once. */
function sumUp(pins: readonly Pin[]): Pin[] {
  const sums = new Map<string, Pin>();
  for (const pin of pins) {
    const id = `${pin.account} ${pin.hold} ${pin.lot}`;
    const sum = sums.get(id);
    if (sum === undefined) sums.set(id, { ...pin });
    else {
      sum.credits += pin.credits;
      sum.paid += pin.paid;
    }
  }
  return [...sums.values()];
}

/** Which holds an event closes, and how. `HoldClosed` only claims a key of a hold that has ended before. */
function closedBy({ type, event }: Item): [string, HoldStatus][] {
  switch (type) {
    case 'UsageCharged':
    case 'UsageUnpriced': {
      const { hold } = event.data as { hold?: string };
      return hold === undefined ? [] : [[hold, 'settled']];
    }
    case 'HoldVoided':
      return [[(event.data as { hold: string }).hold, 'voided']];
    case 'Expired': {
      const { items } = event.data as { items: readonly { kind: string; id: string }[] };
      return items.filter(({ kind }) => kind === 'hold').map(({ id }) => [id, 'expired']);
    }
    default:
      return [];
  }
}

const CHANGED: readonly Column<Change>[] = [
  { name: 'account', type: 'text', of: (row) => row.account },
  { name: 'hold', type: 'text', of: (row) => row.hold },
  { name: 'credits', type: 'bigint', of: (row) => row.credits },
  { name: 'uncovered', type: 'bigint', of: (row) => row.uncovered },
  { name: 'status', type: 'text', of: (row) => row.status },
  { name: 'closed_at', type: 'timestamptz', of: (row) => row.closedAt },
  { name: 'closed', type: 'bigint', of: (row) => row.closed },
];
const OPENED: readonly Column<Opened>[] = [
  ...CHANGED,
  { name: 'purpose', type: 'text', of: ({ terms }) => terms.purpose },
  { name: 'model', type: 'text', of: ({ terms }) => terms.model },
  { name: 'estimate', type: 'text', of: ({ terms }) => JSON.stringify(terms.estimate) },
  { name: 'price_book', type: 'text', of: ({ terms }) => terms.price_book.name },
  { name: 'price_book_version', type: 'integer', of: ({ terms }) => terms.price_book.version },
  { name: 'expires_at', type: 'timestamptz', of: ({ terms }) => terms.expires_at },
  { name: 'placed_at', type: 'timestamptz', of: (row) => row.placedAt },
  { name: 'opened', type: 'bigint', of: (row) => row.opened },
];
const PIN: readonly Column<Pin>[] = [
  { name: 'account', type: 'text', of: (row) => row.account },
  { name: 'hold', type: 'text', of: (row) => row.hold },
  { name: 'lot', type: 'text', of: (row) => row.lot },
  { name: 'credits', type: 'bigint', of: (row) => row.credits },
  { name: 'paid', type: 'bigint', of: (row) => row.paid },
  { name: 'since', type: 'bigint', of: (row) => row.since },
];
