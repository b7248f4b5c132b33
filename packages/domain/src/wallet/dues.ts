/**
 * What falls due by itself: subscriptions are renewed or lapse, quotas are granted, lots and quotas expire, holds end.
 * Carried out in the order of their instants by whatever command comes next, or by the sweep, always before it: no late
 * job can turn a customer away, or let anyone spend what had expired (rules 7, 33). At the same instant a renewal comes
 * first, then grants, then what expires. What comes in by it pays a period that waits for credits, as of that instant, and
 * a balance that a renewal has brought low asks to be topped up.
 */
import type { Catalogues } from '../catalogue/catalogues.ts';
import { alertsAfterDues } from './alerts/alerts.ts';
import { autoTopUpAfter } from './auto-top-up/auto-top-up.ts';
import { EntryDraft } from './entry-draft.ts';
import type { WalletEvent } from './events.ts';
import { closeHold, evolveWallet, nextDueAt } from './evolve.ts';
import { quotaDueAt, quotaOf } from './quota/state.ts';
import { referralDues } from './referral/dues.ts';
import { nextReferralAt } from './referral/state.ts';
import { forkWallet, lotOf, type Wallet } from './state.ts';
import { retryPayment, subscriptionDue } from './subscription/renewal.ts';

/** Items in one event: keeps it well under the 64 KiB that event stores like. */
const ITEMS_MAX = 200;
/** Events in one append: a year of daily quotas is done in parts. */
const EVENTS_MAX = 50;

export function duesOf(
  wallet: Wallet,
  now: number,
  catalogue: Catalogues,
): { events: WalletEvent[]; more: boolean } {
  if (now < wallet.nextDueAt) return NOTHING_DUE;
  const first = nextDue(wallet, now, catalogue);
  if (first.length === 0) {
    // Only a cache of what the state says anyway: spares every later command the same search.
    wallet.nextDueAt = nextDueAt(wallet);
    return { events: [], more: false };
  }
  const after = forkWallet(wallet);
  const events: WalletEvent[] = [];
  let items = 0;
  const take = (...due: readonly WalletEvent[]): void => {
    for (const event of [...due, ...alertsAfterDues(after, due, now)]) {
      evolveWallet(after, event, after.revision + 1);
      events.push(event);
    }
  };
  for (let next = first; next.length > 0; next = nextDue(after, now, catalogue)) {
    if (items >= ITEMS_MAX || events.length >= EVENTS_MAX) return { events, more: true };
    take(...next);
    for (const event of next) if (event.type === 'Expired') items += event.data.items.length;
    const paid = after.subscription?.now.status === 'past_due' ? retryPayment(after, instantOf(next)) : null;
    if (paid !== null) take(paid);
  }
  const hasPaid = events.some(({ type }) => type === 'SubscriptionRenewed');
  const request = hasPaid && after.autoTopUp !== null ? autoTopUpAfter(after, now) : null;
  if (request !== null) take(request);
  return { events, more: false };
}

/** As of when it has happened: what it brings in may pay a period whose grace had not ended by then. */
function instantOf(events: readonly WalletEvent[]): number {
  const instants = events.flatMap(({ data }) => {
    const { effective_at, items = [] } = data as Timed;
    return [effective_at, ...items.map((item) => item.effective_at)];
  });
  return Math.max(...instants.map((at) => Date.parse(at ?? '1970')));
}

interface Timed {
  readonly effective_at?: string;
  readonly items?: readonly { readonly effective_at: string }[];
}

const NOTHING_DUE: { events: WalletEvent[]; more: boolean } = { events: [], more: false };

/** What has to be done next, as one event; none where nothing is due by `now`. */
function nextDue(wallet: Wallet, now: number, catalogue: Catalogues): readonly WalletEvent[] {
  const expiring = listDues(wallet, now);
  const firstAt = expiring[0]?.at ?? Number.POSITIVE_INFINITY;
  const ofSubscription = subscriptionDue(wallet, now, catalogue);
  const until = ofSubscription?.at ?? Number.POSITIVE_INFINITY;
  const referralAt = nextReferralAt(wallet.referral);
  if (ofSubscription !== null && until <= Math.min(firstAt, referralAt)) return [ofSubscription.event];
  if (referralAt <= Math.min(now, firstAt)) return referralDues(wallet, now, Math.min(firstAt, until)).events;
  // What comes free may pay a period that waits for it, as of that instant: nothing later is done with it.
  const isWaiting = wallet.subscription?.now.status === 'past_due';
  const batch = expiring.filter(({ at }) => at < until && !(isWaiting && at > firstAt)).slice(0, ITEMS_MAX);
  if (batch.length === 0) return [];
  const draft = new EntryDraft(wallet, now);
  const done = batch.filter((item) => carryOut(draft, item));
  const items = done.map(({ kind, id, at }) => ({ kind, id, effective_at: new Date(at).toISOString() }));
  const data = { items, ...draft.movement() };
  return [{ type: 'Expired', key: null, data, facts: draft.facts() }];
}

interface Due {
  readonly kind: 'hold' | 'lot' | 'quota' | 'quota_pins';
  readonly id: string;
  readonly at: number;
}

function listDues(wallet: Wallet, now: number): Due[] {
  const due: Due[] = [];
  // When the first hold ends that may let go of credits of a lot.
  const releasedAt = new Map<string, number>();
  for (const { id, expiresAt, pins } of wallet.holds.values()) {
    if (expiresAt > now) continue;
    due.push({ kind: 'hold', id, at: expiresAt });
    for (const { lot } of pins) releasedAt.set(lot, Math.min(expiresAt, releasedAt.get(lot) ?? expiresAt));
  }
  for (const { id, expiresAt, free } of wallet.lots) {
    if (expiresAt === null || expiresAt > now) continue;
    // A lot that is all in holds comes free by a hold that ends before it.
    if (free > 0n || (releasedAt.get(id) ?? expiresAt) < expiresAt)
      due.push({ kind: 'lot', id, at: expiresAt });
  }
  for (const quota of wallet.quotas) {
    const at = quotaDueAt(quota);
    if (at <= now) due.push({ kind: quota.free > 0n ? 'quota' : 'quota_pins', id: quota.id, at });
  }
  // A hold before a lot of the same instant: what it lets go of expires with the lot.
  return due.sort(
    (a, b) => a.at - b.at || (a.kind < b.kind ? -1 : a.kind > b.kind ? 1 : a.id < b.id ? -1 : 1),
  );
}

/** As of the instant at which it fell due: however late it is done, the outcome is the same. False: nothing to do. */
function carryOut(draft: EntryDraft, { kind, id, at }: Due): boolean {
  if (kind === 'hold') {
    draft.releaseQuotas(id, at);
    draft.release(id, at);
    closeHold(draft.wallet, id);
    return true;
  }
  if (kind === 'quota') {
    if (quotaOf(draft.wallet.quotas, id).free === 0n) return false;
    draft.lapseQuota(id);
    return true;
  }
  if (kind === 'quota_pins') return draft.lapsePins(id);
  const lot = lotOf(draft.wallet, id);
  if (lot.free === 0n) return false;
  draft.move('free', 'expired', lot.free, lot, lot.paid);
  return true;
}
