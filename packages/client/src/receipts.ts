/** Receipts and seals: what a customer needs to hold the ledger to what it has said. */
import type { Page, Paging, Reading } from './shapes.ts';
import type { Transport } from './transport.ts';

interface Link {
  /** JSON text, to the byte as it is stored. */
  readonly data: string;
  readonly internal: string;
  readonly previous_hash: string;
  readonly hash: string;
}

/** Proves that an entry stands in the sealed ledger. It can be checked without the server. */
export interface Receipt {
  readonly version: 1;
  readonly entry_id: string;
  readonly event: Link & { readonly type: string };
  readonly range: { readonly from: number; readonly to: number; readonly path: readonly string[] };
  readonly seal: Link & { readonly number: number; readonly index: number; readonly path: readonly string[] };
  /** Where `seal` asked for them: the seals after its own, in order, up to that one. */
  readonly later?: readonly LaterSeal[];
}

/** What it takes to come from one seal's hash to the next one's. */
export interface LaterSeal {
  readonly data: string;
  readonly internal: string;
}

export interface Seal extends Link {
  readonly number: number;
  readonly root: string;
  /** What to keep, with the number: it stands for every seal before it too. */
  readonly hash: string;
  readonly events: number;
  readonly recorded_at: string;
}

export interface ReceiptQuery extends Reading {
  /** The receipt leads on to this later seal, 2,000 after its own at most. */
  readonly seal?: number;
}

export interface SealsQuery extends Paging {
  /** Lists them the other way: oldest first, from this number on. */
  readonly from?: number;
}

export interface ReceiptRoutes {
  readonly 'GET /v1/receipts/{entry_id}': {
    readonly path: { readonly entry_id: string };
    readonly query: ReceiptQuery;
    readonly body: undefined;
    readonly answers: { readonly 200: Receipt };
  };
  readonly 'GET /v1/seals': {
    readonly path: undefined;
    readonly query: SealsQuery;
    readonly body: undefined;
    readonly answers: { readonly 200: Page<Seal> };
  };
}

export function receiptCalls({ send }: Transport) {
  return {
    /** Of an entry that has been sealed; until then it is refused with `not_sealed_yet`. */
    get(entry: string, query: ReceiptQuery = {}): Promise<Receipt> {
      return send('GET /v1/receipts/{entry_id}', { path: { entry_id: entry }, query });
    },
    /** Newest first, unless `from` says where to begin. */
    seals(query: SealsQuery = {}): Promise<Page<Seal>> {
      return send('GET /v1/seals', { query });
    },
  };
}
