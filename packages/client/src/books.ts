/** The books, for finance: entries with their postings, and the trial balance. */
import type { StatementLine } from './reads.ts';
import type { AsOf, Reading } from './shapes.ts';
import type { Transport } from './transport.ts';

export interface Posting {
  readonly account: string;
  readonly unit: string;
  readonly amount: string;
}

export interface Entry extends StatementLine {
  readonly account: string;
  readonly postings: readonly Posting[];
  readonly position: string;
}

export interface TrialBalance {
  readonly units: readonly {
    readonly unit: string;
    /** "0", always. */
    readonly total: string;
    readonly accounts: readonly { readonly account: string; readonly balance: string }[];
  }[];
  readonly position: string;
  readonly as_of?: string;
}

export interface BookRoutes {
  readonly 'GET /v1/entries/{entry_id}': {
    readonly path: { readonly entry_id: string };
    readonly query: Reading;
    readonly body: undefined;
    readonly answers: { readonly 200: Entry };
  };
  readonly 'GET /v1/trial-balance': {
    readonly path: undefined;
    readonly query: Reading & AsOf;
    readonly body: undefined;
    readonly answers: { readonly 200: TrialBalance };
  };
}

export function bookCalls({ send }: Transport) {
  return {
    entry(id: string, query: Reading = {}): Promise<Entry> {
      return send('GET /v1/entries/{entry_id}', { path: { entry_id: id }, query });
    },
    trialBalance(query: Reading & AsOf = {}): Promise<TrialBalance> {
      return send('GET /v1/trial-balance', { query });
    },
  };
}
