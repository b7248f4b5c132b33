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
}

export interface Seal {
  readonly number: number;
  readonly root: string;
  /** What to keep: it stands for everything up to this seal. */
  readonly hash: string;
  readonly events: number;
  readonly recorded_at: string;
}

export interface ReceiptRoutes {
  readonly 'GET /v1/receipts/{entry_id}': {
    readonly path: { readonly entry_id: string };
    readonly query: Reading;
    readonly body: undefined;
    readonly answers: { readonly 200: Receipt };
  };
  readonly 'GET /v1/seals': {
    readonly path: undefined;
    readonly query: Paging;
    readonly body: undefined;
    readonly answers: { readonly 200: Page<Seal> };
  };
}

export function receiptCalls({ send }: Transport) {
  return {
    /** Of an entry that has been sealed; until then it is refused with `not_sealed_yet`. */
    get(entry: string, query: Reading = {}): Promise<Receipt> {
      return send('GET /v1/receipts/{entry_id}', { path: { entry_id: entry }, query });
    },
    /** Newest first. */
    seals(query: Paging = {}): Promise<Page<Seal>> {
      return send('GET /v1/seals', { query });
    },
  };
}
