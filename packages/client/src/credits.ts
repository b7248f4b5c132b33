/** Credits in and corrections, for finance. Each carries an id made from its business fact, so twice is once. */
import type { Balance, Money, OfAccount } from './shapes.ts';
import type { Transport } from './transport.ts';

interface Marks {
  /** In the future when it is first recorded. */
  readonly expires_at?: string;
  /** Lots of a lower number burn first; 100 unless given. */
  readonly priority?: number;
}

/** Its id is `source` and `reference`: the payment's own, never a made-up one. */
export interface TopUp extends Marks {
  readonly credits: string;
  readonly paid?: Money;
  readonly source: string;
  readonly reference: string;
}

/** Its id is `kind` and `reference`. */
export interface Grant extends Marks {
  readonly credits: string;
  readonly kind: string;
  readonly reference: string;
}

/** Up, or with a minus down. Its id is `reference`. */
export interface Adjustment {
  readonly credits: string;
  readonly reason: string;
  readonly reference: string;
}

/** Its id is the entry that it takes back. */
export interface Reversal {
  readonly reason: string;
  /** Takes back credits that were spent already, into debt. */
  readonly allow_debt?: boolean;
}

export interface CreditsAdded {
  readonly entry_id: string;
  readonly lot: string;
  readonly position: string;
  readonly balance: Balance;
}

export interface Adjusted {
  readonly entry_id: string;
  readonly credits: string;
  readonly lot?: string;
  readonly position: string;
  readonly balance: Balance;
}

export interface Reversed {
  readonly entry_id: string;
  readonly reverses: string;
  readonly credits: string;
  readonly position: string;
  readonly balance: Balance;
}

type Recorded<T> = { readonly 200: T; readonly 201: T };

export interface CreditRoutes {
  readonly 'POST /v1/accounts/{id}/top-ups': {
    readonly path: OfAccount;
    readonly query: undefined;
    readonly body: TopUp;
    readonly answers: Recorded<CreditsAdded>;
  };
  readonly 'POST /v1/accounts/{id}/grants': {
    readonly path: OfAccount;
    readonly query: undefined;
    readonly body: Grant;
    readonly answers: Recorded<CreditsAdded>;
  };
  readonly 'POST /v1/accounts/{id}/adjustments': {
    readonly path: OfAccount;
    readonly query: undefined;
    readonly body: Adjustment;
    readonly answers: Recorded<Adjusted>;
  };
  readonly 'POST /v1/accounts/{id}/entries/{entry_id}/reversal': {
    readonly path: { readonly id: string; readonly entry_id: string };
    readonly query: undefined;
    readonly body: Reversal;
    readonly answers: Recorded<Reversed>;
  };
}

export function creditCalls({ send }: Transport) {
  return {
    /** Adds credits that were paid for. */
    topUp(account: string, topUp: TopUp): Promise<CreditsAdded> {
      return send('POST /v1/accounts/{id}/top-ups', { path: { id: account }, body: topUp });
    },
    /** Gives credits away. */
    grant(account: string, grant: Grant): Promise<CreditsAdded> {
      return send('POST /v1/accounts/{id}/grants', { path: { id: account }, body: grant });
    },
    /** Downwards it may make debt: finance's word stands. */
    adjust(account: string, adjustment: Adjustment): Promise<Adjusted> {
      return send('POST /v1/accounts/{id}/adjustments', { path: { id: account }, body: adjustment });
    },
    reverse(account: string, entry: string, reversal: Reversal): Promise<Reversed> {
      const path = { id: account, entry_id: entry };
      return send('POST /v1/accounts/{id}/entries/{entry_id}/reversal', { path, body: reversal });
    },
  };
}
