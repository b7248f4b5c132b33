/**
 * A wallet out of its rows, and what it will be once its dues are carried out. The domain's own rules say so; nothing
 * of them is repeated here.
 */
import {
  type Hold,
  type Lot,
  NO_CATALOGUES,
  type Wallet,
  walletAfterDues,
  walletDecider,
} from '@tallystick/domain';
import type { ClientBase } from 'pg';
import { addReferrals } from '../purchases/pending.ts';
import { type Reads, reached } from '../reads.ts';
import { inTransaction } from '../transaction.ts';
import { addSubscription } from './subscribed.ts';

export interface WalletAfterDues {
  readonly wallet: Wallet;
  readonly position: bigint;
}

/** Null where there is no such account. */
export async function afterDues(reads: Reads, account: string, now: number): Promise<WalletAfterDues | null> {
  const loaded = await load(reads, account, now);
  if (loaded === null) return null;
  const { wallet, position } = loaded;
  const after = walletAfterDues(wallet, now, reads.catalogues?.() ?? NO_CATALOGUES);
  // What is not written yet has no revision.
  return { wallet: { ...after, revision: wallet.revision }, position };
}

interface LotRow {
  readonly lot: string;
  readonly unit: string;
  readonly quantity: string;
  readonly free: string;
  readonly pinned: string;
  readonly priority: number;
  readonly expires_at: string | null;
  readonly withdrawable: string;
  readonly origin: Lot['origin'];
  readonly born: number;
  readonly currency: string | null;
  readonly paid_in_all: string;
  readonly paid: string;
}
interface HoldRow {
  readonly hold: string;
  readonly purpose: Hold['purpose'];
  readonly model: string;
  readonly estimate: string;
  readonly price_book: string;
  readonly price_book_version: number;
  readonly expires_at: string;
  readonly credits: string;
  readonly uncovered: string;
  readonly pins: { lot: string; credits: string; paid: string }[] | null;
}
interface Row {
  readonly available: string;
  readonly held: string;
  readonly granted: string;
  readonly adjusted: string;
  readonly consumed: string;
  readonly expired: string;
  readonly withdrawn: string;
  readonly debt: string;
  readonly revision: string;
  readonly position: string;
  readonly lots: LotRow[] | null;
  readonly holds: HoldRow[] | null;
}

/**
 * One statement, so that balance, lots and holds are of one snapshot. Amounts travel as text: JSON would round them.
 * Lots come in burn order (rule 26).
 */
const select = (schema: string): string => `
  select b.available, b.held, b.granted, b.adjusted, b.consumed, b.expired, b.withdrawn, b.debt, b.revision, c.position,
    (select json_agg(json_build_object(
        'lot', l.lot, 'unit', l.unit, 'quantity', l.quantity::text, 'free', l.free::text, 'pinned', l.pinned::text,
        'priority', l.priority, 'expires_at', l.expires_at, 'withdrawable', l.withdrawable::text,
        'origin', json_build_object('kind', l.origin_kind, 'of', l.origin_of, 'ref', l.origin_ref),
        'born', l.born, 'currency', l.currency, 'paid_in_all', l.paid_in_all::text, 'paid', l.paid::text)
        order by l.priority, l.expires_at nulls last, l.withdrawable > 0, l.born, length(l.lot), l.lot)
     from ${schema}.lots l where l.account = b.account and l.open) as lots,
    (select json_agg(json_build_object(
        'hold', h.hold, 'purpose', h.purpose, 'model', h.model, 'estimate', h.estimate,
        'price_book', h.price_book, 'price_book_version', h.price_book_version, 'expires_at', h.expires_at,
        'credits', h.credits::text, 'uncovered', h.uncovered::text,
        'pins', (select json_agg(json_build_object('lot', p.lot, 'credits', p.credits::text, 'paid', p.paid::text)
            order by p.since)
          from ${schema}.pins p where p.account = h.account and p.hold = h.hold)) order by h.opened)
     from ${schema}.holds h where h.account = b.account and h.status = 'open') as holds
  from ${schema}.balances b, ${reached(schema)} c
  where b.account = $1 and b.unit = 'credits'`;

/** All of it is of one snapshot. */
function load(reads: Reads, account: string, now: number): Promise<WalletAfterDues | null> {
  const { pool, schema, catalogues } = reads;
  if (catalogues === undefined) return loadWallet(pool, schema, account);
  return inTransaction(pool, 'begin isolation level repeatable read read only', async (client) => {
    const loaded = await loadWallet(client, schema, account);
    if (loaded !== null) {
      await addSubscription(client, schema, loaded.wallet, now);
      await addReferrals(client, schema, loaded.wallet);
    }
    return loaded;
  });
}

async function loadWallet(
  client: Pick<ClientBase, 'query'>,
  schema: string,
  account: string,
): Promise<WalletAfterDues | null> {
  const { rows } = await client.query<Row>(select(schema), [account]);
  const [row] = rows;
  if (row === undefined) return null;
  const wallet = walletDecider.initial(account);
  wallet.opened = true;
  wallet.totals = {
    available: BigInt(row.available),
    held: BigInt(row.held),
    granted: BigInt(row.granted),
    adjusted: BigInt(row.adjusted),
    consumed: BigInt(row.consumed),
    expired: BigInt(row.expired),
    withdrawn: BigInt(row.withdrawn),
    debt: BigInt(row.debt),
  };
  wallet.revision = Number(row.revision);
  wallet.lots = (row.lots ?? []).map(lotOf);
  wallet.holds = new Map((row.holds ?? []).map((hold) => [hold.hold, holdOf(hold)]));
  wallet.nextDueAt = 0;
  return { wallet, position: BigInt(row.position) };
}

function lotOf(row: LotRow): Lot {
  return {
    id: row.lot,
    unit: row.unit,
    priority: row.priority,
    expiresAt: row.expires_at === null ? null : Date.parse(row.expires_at),
    withdrawable: BigInt(row.withdrawable),
    origin: row.origin,
    born: Number(row.born),
    quantity: BigInt(row.quantity),
    currency: row.currency,
    paidInAll: BigInt(row.paid_in_all),
    free: BigInt(row.free),
    paid: BigInt(row.paid),
    pinned: BigInt(row.pinned),
  };
}

function holdOf(row: HoldRow): Hold {
  return {
    id: row.hold,
    purpose: row.purpose,
    model: row.model,
    estimate: JSON.parse(row.estimate) as Hold['estimate'],
    book: { name: row.price_book, version: row.price_book_version },
    expiresAt: Date.parse(row.expires_at),
    credits: BigInt(row.credits),
    uncovered: BigInt(row.uncovered),
    quotaPins: [],
    plan: null,
    caps: [],
    pins: (row.pins ?? []).map(({ lot, credits, paid }) => ({
      lot,
      credits: BigInt(credits),
      paid: BigInt(paid),
    })),
  };
}
