/** Holds by their id: settled, void, extended, read. `open-hold.ts` does the first three whatever happens. */
import type { OpenOnly, Quantities } from './reads.ts';
import type {
  Balance,
  Money,
  OfAccount,
  Page,
  PriceBookVersion,
  QuotaPart,
  Reading,
  Usage,
} from './shapes.ts';
import type { Transport } from './transport.ts';
import type { ChargedUsage, UnpricedUsage } from './usage.ts';

/** What a call has used, and where known what it cost. */
export interface Spent {
  readonly usage: Usage;
  readonly cost?: Money;
}

/** What the hold is to come to at least, and for how many seconds from now. */
export interface Extension {
  readonly estimate?: Usage;
  readonly expires_in?: number;
}

export interface HeldTerms {
  readonly id: string;
  readonly credits: string;
  readonly expires_at: string;
}

export interface Extended {
  readonly hold: HeldTerms;
  /** What it has of quotas. */
  readonly quota?: readonly QuotaPart[];
  readonly balance: Balance;
  readonly position?: string;
}

export interface Voided {
  readonly id: string;
  readonly status: 'voided' | 'expired';
  readonly balance: Balance;
  readonly position?: string;
}

export interface Hold {
  readonly id: string;
  readonly account: string;
  readonly status: string;
  readonly purpose: string;
  readonly model: string;
  readonly estimate: Quantities;
  readonly credits: string;
  /** What it has of quotas now; left out where it has nothing of any. */
  readonly quota?: readonly QuotaPart[];
  readonly price_book: PriceBookVersion;
  readonly placed_at: string;
  readonly expires_at: string;
  readonly closed_at: string | null;
  readonly closed_by: string | null;
}

interface OfHold extends OfAccount {
  readonly hold: string;
}

export interface HoldRoutes {
  readonly 'POST /v1/accounts/{id}/holds/{hold}/settle': {
    readonly path: OfHold;
    readonly query: undefined;
    readonly body: Spent;
    readonly answers: { readonly 200: ChargedUsage; readonly 201: ChargedUsage; readonly 202: UnpricedUsage };
  };
  readonly 'POST /v1/accounts/{id}/holds/{hold}/void': {
    readonly path: OfHold;
    readonly query: undefined;
    readonly body: undefined;
    readonly answers: { readonly 200: Voided };
  };
  readonly 'POST /v1/accounts/{id}/holds/{hold}/extend': {
    readonly path: OfHold;
    readonly query: undefined;
    readonly body: Extension;
    readonly answers: { readonly 200: Extended };
  };
  readonly 'GET /v1/accounts/{id}/holds': {
    readonly path: OfAccount;
    readonly query: OpenOnly;
    readonly body: undefined;
    readonly answers: { readonly 200: Page<Hold> };
  };
  readonly 'GET /v1/accounts/{id}/holds/{hold}': {
    readonly path: OfHold;
    readonly query: Reading;
    readonly body: undefined;
    readonly answers: { readonly 200: Hold };
  };
}

export function holdCalls({ send }: Transport) {
  return {
    settle(account: string, hold: string, spent: Spent): Promise<ChargedUsage | UnpricedUsage> {
      return send('POST /v1/accounts/{id}/holds/{hold}/settle', { path: { id: account, hold }, body: spent });
    },
    /** Of a hold that has expired: changes nothing, and says so. */
    void(account: string, hold: string): Promise<Voided> {
      return send('POST /v1/accounts/{id}/holds/{hold}/void', { path: { id: account, hold } });
    },
    extend(account: string, hold: string, extension: Extension): Promise<Extended> {
      const path = { id: account, hold };
      return send('POST /v1/accounts/{id}/holds/{hold}/extend', { path, body: extension });
    },
    get(account: string, hold: string, query: Reading = {}): Promise<Hold> {
      return send('GET /v1/accounts/{id}/holds/{hold}', { path: { id: account, hold }, query });
    },
    list(account: string, query: OpenOnly = {}): Promise<Page<Hold>> {
      return send('GET /v1/accounts/{id}/holds', { path: { id: account }, query });
    },
  };
}
