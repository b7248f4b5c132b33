/** Accounts: opened, changed, frozen, listed. For finance; owners may read their own. */
import type { Metadata, OfAccount, Page, Paging, Reading } from './shapes.ts';
import type { Transport } from './transport.ts';

export interface OwnAccount {
  readonly id: string;
  readonly name: string | null;
  readonly status: 'active' | 'frozen';
  /** Null: "default" is used. */
  readonly price_book: string | null;
  readonly overdraft_limit: string;
  readonly time_zone: string;
  readonly freezes: readonly Freeze[];
  readonly created_at: string;
}

export interface Freeze {
  readonly reason: string;
  readonly reference: string;
}

/** With what only finance sees. */
export interface Account extends OwnAccount {
  readonly currency: string | null;
  readonly metadata: Metadata | null;
}

export interface AccountTerms {
  readonly name?: string | null;
  readonly metadata?: Metadata | null;
  readonly price_book?: string | null;
  readonly overdraft_limit?: string;
  readonly time_zone?: string;
  readonly currency?: string | null;
}

export interface NewAccount extends AccountTerms {
  readonly id?: string;
}

type Changed = { readonly 200: Account };

export interface AccountRoutes {
  readonly 'POST /v1/accounts': {
    readonly path: undefined;
    readonly query: undefined;
    readonly body: NewAccount;
    readonly answers: { readonly 200: Account; readonly 201: Account };
  };
  readonly 'PATCH /v1/accounts/{id}': {
    readonly path: OfAccount;
    readonly query: undefined;
    readonly body: AccountTerms;
    readonly answers: Changed;
  };
  readonly 'POST /v1/accounts/{id}/freeze': {
    readonly path: OfAccount;
    readonly query: undefined;
    readonly body: Freeze;
    readonly answers: Changed;
  };
  readonly 'POST /v1/accounts/{id}/unfreeze': {
    readonly path: OfAccount;
    readonly query: undefined;
    readonly body: { readonly reference: string };
    readonly answers: Changed;
  };
  readonly 'GET /v1/accounts/{id}': {
    readonly path: OfAccount;
    readonly query: Reading;
    readonly body: undefined;
    readonly answers: { readonly 200: Account | OwnAccount };
  };
  readonly 'GET /v1/accounts': {
    readonly path: undefined;
    readonly query: Paging;
    readonly body: undefined;
    readonly answers: { readonly 200: Page<Account | OwnAccount> };
  };
}

export function accountCalls({ send }: Transport) {
  return {
    /** An account without an id gets one here, before the first try: else a second try would open a second account. */
    open(account: NewAccount): Promise<Account> {
      const id = account.id ?? `acct_${crypto.randomUUID().replaceAll('-', '')}`;
      return send('POST /v1/accounts', { body: { ...account, id } });
    },
    /** Says what is to be, so the same change twice is one. */
    change(id: string, terms: AccountTerms): Promise<Account> {
      return send('PATCH /v1/accounts/{id}', { path: { id }, body: terms });
    },
    /** For one more reason; the account is frozen while there is any. */
    freeze(id: string, freeze: Freeze): Promise<Account> {
      return send('POST /v1/accounts/{id}/freeze', { path: { id }, body: freeze });
    },
    unfreeze(id: string, reference: string): Promise<Account> {
      return send('POST /v1/accounts/{id}/unfreeze', { path: { id }, body: { reference } });
    },
    /** As the key's scopes allow: in full for finance. */
    get(id: string, query: Reading = {}): Promise<Account | OwnAccount> {
      return send('GET /v1/accounts/{id}', { path: { id }, query });
    },
    list(query: Paging = {}): Promise<Page<Account | OwnAccount>> {
      return send('GET /v1/accounts', { query });
    },
  };
}
