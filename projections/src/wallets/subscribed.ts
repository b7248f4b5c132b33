/**
 * What a wallet's rows say of its subscription: enough to tell what a renewal that is due does to the credits. Quotas that
 * open holds have, and the caps' counters, are left out: neither touches credits when something falls due.
 */
import type {
  Money,
  PlanTerms,
  Pots,
  QuotaOrigin,
  QuotaUnit,
  Subscription,
  Wallet,
} from '@tallystick/domain';
import type { ClientBase } from 'pg';

interface Row {
  readonly picture: string;
  readonly terms: string;
  readonly pots: string | null;
  readonly paid_money: string | null;
  readonly overdraft_limit: string;
  readonly frozen: [reference: string, reason: string][] | null;
  readonly quotas: QuotaRow[] | null;
}
interface QuotaRow {
  readonly quota: string;
  readonly unit: QuotaUnit;
  readonly model: string;
  readonly granted: string;
  readonly free: string;
  readonly used: string;
  readonly starts_at: string;
  readonly expires_at: string;
  readonly origin: string;
  readonly born: number;
  readonly currency: string | null;
  readonly paid: string;
}

const select = (schema: string): string => `
  select s.picture, s.terms, s.pots, s.paid_money, a.overdraft_limit,
    (select json_agg(json_build_array(f.reference, f.reason)) from ${schema}.freezes f where f.account = s.account)
      as frozen,
    (select json_agg(json_build_object(
        'quota', q.quota, 'unit', q.unit, 'model', q.model, 'granted', (q.granted - q.pinned)::text,
        'free', q.free::text, 'used', q.used::text, 'starts_at', q.starts_at, 'expires_at', q.expires_at,
        'origin', q.origin, 'born', q.born, 'currency', q.currency, 'paid', q.paid::text) order by q.born, q.quota)
     from ${schema}.quotas q where q.account = s.account and (q.open or q.expires_at > $2)) as quotas
  from ${schema}.subscriptions s join ${schema}.accounts a on a.account = s.account
  where s.account = $1 order by s.born desc limit 1`;

export async function addSubscription(
  client: Pick<ClientBase, 'query'>,
  schema: string,
  wallet: Wallet,
  now: number,
): Promise<void> {
  const { rows } = await client.query<Row>(select(schema), [wallet.account, new Date(now)]);
  const [row] = rows;
  if (row === undefined) return;
  const terms = JSON.parse(row.terms) as PlanTerms;
  wallet.overdraftLimit = BigInt(row.overdraft_limit);
  wallet.frozen = new Map(row.frozen ?? []);
  wallet.subscription = {
    now: JSON.parse(row.picture) as Subscription,
    terms,
    pots: row.pots === null ? null : (JSON.parse(row.pots) as Pots),
    paidMoney: row.paid_money === null ? [] : (JSON.parse(row.paid_money) as Money[]),
    caps: (terms.caps ?? []).map(() => ({ start: 0, end: 0, used: 0n, held: 0n })),
    unmeasured: false,
    otherCaps: [],
  };
  wallet.quotas = (row.quotas ?? []).map(quotaOf);
}

function quotaOf(row: QuotaRow): Wallet['quotas'][number] {
  return {
    id: row.quota,
    unit: row.unit,
    model: row.model,
    counted: null,
    startsAt: Date.parse(row.starts_at),
    expiresAt: Date.parse(row.expires_at),
    origin: JSON.parse(row.origin) as QuotaOrigin,
    born: row.born,
    quantity: BigInt(row.granted),
    currency: row.currency,
    free: BigInt(row.free),
    paid: BigInt(row.paid),
    pinned: 0n,
    used: BigInt(row.used),
  };
}
