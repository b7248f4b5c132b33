/** Who referred an account, and what its friends have brought it. */
import type { OfAccount, Page, Paging } from './shapes.ts';
import type { Transport } from './transport.ts';

export interface Referral {
  readonly account: string;
  readonly referred_by: string;
}

export interface ReferralAccrual {
  /** The friend. */
  readonly from: string;
  /** The friend's entry. */
  readonly entry_id: string;
  readonly reason: 'purchase' | 'top_up';
  readonly credits: string;
  /** Of these: kept for what was taken back before. */
  readonly withheld: string;
  readonly status: 'pending' | 'granted' | 'clawed_back';
  readonly lot: string | null;
  readonly available_at: string;
  readonly accrued_at: string;
}

export interface ReferralRoutes {
  readonly 'POST /v1/accounts/{id}/referral': {
    readonly path: OfAccount;
    readonly query: undefined;
    readonly body: { readonly referred_by: string };
    readonly answers: { readonly 200: Referral; readonly 201: Referral };
  };
  readonly 'GET /v1/accounts/{id}/referrals': {
    readonly path: OfAccount;
    readonly query: Paging;
    readonly body: undefined;
    readonly answers: { readonly 200: Page<ReferralAccrual> };
  };
}

export function referralCalls({ send }: Transport) {
  return {
    /** Before the account first tops up; then it is fixed. */
    link(account: string, referredBy: string): Promise<Referral> {
      const body = { referred_by: referredBy };
      return send('POST /v1/accounts/{id}/referral', { path: { id: account }, body });
    },
    /** What the account has earned by its friends, the latest first. */
    list(account: string, query: Paging = {}): Promise<Page<ReferralAccrual>> {
      return send('GET /v1/accounts/{id}/referrals', { path: { id: account }, query });
    },
  };
}
