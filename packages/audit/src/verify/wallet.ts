/**
 * One wallet, accounted for by its moves alone: what has entered and what has left each place where credits can stand.
 * Everything else follows:
 *
 *   available = free + overdraft + debt + cover, each as entered less left
 *   granted + adjusted - consumed - held - expired - withdrawn = available            (L14)
 *   debt = free credits of all lots - uncovered parts of holds - available
 *
 * Amounts are in steps of 10^-9.
 */
import { stepsOf, textOf } from '../decimal.ts';
import type { AuditedEvent, MoveText } from '../event.ts';
import { type AccountedEvent, isQuotaUnit } from './accounted.ts';
import { AlertBook } from './alerts.ts';
import { AutoTopUpBook } from './auto-top-up.ts';
import { checkCovered } from './covered.ts';
import { DeferredChange } from './deferred.ts';
import type { Finding, Name } from './finding.ts';
import { checkGivenBack } from './given-back.ts';
import { closedBy, HoldBook } from './holds.ts';
import { LotBook } from './lots.ts';
import { checkOverrun, checkPaidIn } from './overruns.ts';
import { checkPlan } from './paid-plan.ts';
import { PurchaseBook } from './purchases.ts';
import { compareQuotaPostings } from './quota-postings.ts';
import { type Quota, QuotaBook } from './quotas.ts';
import { ReferralBook } from './referrals.ts';
import { QuotasInState } from './state-quotas.ts';
import { SubscriptionBook } from './subscriptions.ts';
import { WalletTerms } from './terms.ts';

/** Kinds of places; `hold:` and `cover:` are one each, whatever the hold. */
const KINDS = [
  'granted',
  'adjusted',
  'free',
  'overdraft',
  'debt',
  'spent',
  'expired',
  'hold:',
  'cover:',
] as const;
type Kind = (typeof KINDS)[number];
const KIND: ReadonlyMap<string, Kind> = new Map(KINDS.map((kind) => [kind, kind]));

export interface WalletSums {
  readonly available: bigint;
  readonly held: bigint;
  readonly granted: bigint;
  readonly adjusted: bigint;
  readonly consumed: bigint;
  readonly expired: bigint;
  readonly withdrawn: bigint;
  readonly debt: bigint;
}

/** What an event's moves make of the two sides of a balance. */
interface Sides {
  readonly available: bigint;
  readonly held: bigint;
}

export class WalletBook {
  readonly account: string;
  readonly lots = new LotBook();
  readonly holds = new HoldBook();
  readonly terms = new WalletTerms();
  readonly quotas = new QuotaBook();
  readonly quotasInState = new QuotasInState();
  readonly subscriptions = new SubscriptionBook();
  readonly purchases = new PurchaseBook();
  readonly referrals = new ReferralBook();
  readonly autoTopUp = new AutoTopUpBook();
  readonly alerts = new AlertBook();
  /** What has entered each kind of place, less what has left it. */
  readonly #net: Record<Kind, bigint> = {
    granted: 0n,
    adjusted: 0n,
    free: 0n,
    overdraft: 0n,
    debt: 0n,
    spent: 0n,
    expired: 0n,
    'hold:': 0n,
    'cover:': 0n,
  };
  readonly #own: string;
  readonly #ownAvailable: string;
  readonly #ownHeld: string;
  /** As the last event says it; a wrong one is taken up, so that it is named once. */
  #saidAvailable = 0n;
  #saidHeld = 0n;
  revision = -1;
  position = 0n;

  constructor(account: string) {
    this.account = account;
    this.#own = `liabilities:wallets:${encodeURIComponent(account)}`;
    this.#ownAvailable = `${this.#own}:available`;
    this.#ownHeld = `${this.#own}:held`;
  }

  apply(event: AccountedEvent, report: (finding: Finding) => void): void {
    const { data, stream, revision } = event;
    const isNext = revision === this.revision + 1;
    this.revision = revision;
    this.position = event.position;
    const { account } = this;
    const name = (what: string, expected: string, found: string): void =>
      report({ what, account, unit: 'credits', stream, revision, expected, found });
    const nameOther: Name = (what, expected, found) =>
      report({ what, account, stream, revision, expected, found });
    this.terms.apply(event);
    this.purchases.apply(event, nameOther);
    this.referrals.apply(event, nameOther);
    this.autoTopUp.apply(event, nameOther);
    this.alerts.apply(event, nameOther);
    const moves = data.moves as readonly MoveText[] | undefined;
    const held = this.holds.all.get(String(data.hold)) ?? null;
    const { current } = this.subscriptions;
    if (isNext) {
      checkPlan(event, current, held, nameOther);
      checkOverrun(event, current, held, nameOther);
    }
    if (event.type === 'HoldPlaced' || event.type === 'HoldExtended') {
      this.holds.open(event, current);
      if (isNext) checkPaidIn(this.holds.all.get(String(data.hold)), nameOther);
    }
    if (moves === undefined) return;
    this.lots.bear(event);
    const available = this.#available();
    const heldBefore = this.#net['hold:'];
    const deferred = new DeferredChange();
    this.#move(event, moves, deferred, name);
    this.#moveQuotas(event, isNext, deferred, nameOther);
    if (isNext) deferred.compare(event.legs, nameOther);
    const more = { available: this.#available() - available, held: this.#net['hold:'] - heldBefore };
    this.#comparePostings(event, more, name);
    this.#compareAfter(event, more, isNext, name);
    for (const [hold, status] of closedBy(event)) this.holds.close(hold, status, event, name);
    this.lots.check(name);
    this.holds.check(event, name);
  }

  sums(): WalletSums {
    const available = this.#available();
    return {
      available,
      held: this.#net['hold:'],
      granted: -this.#net.granted,
      adjusted: -this.#net.adjusted,
      consumed: this.#net.spent,
      expired: this.#net.expired,
      // Nothing takes credits out of the ledger yet.
      withdrawn: 0n,
      debt: this.lots.free() - this.holds.uncovered() - available,
    };
  }

  #moveQuotas(event: AccountedEvent, isNext: boolean, deferred: DeferredChange, name: Name): void {
    const passages = this.quotas.apply(event, name);
    for (const passage of passages) {
      this.holds.moveQuota(passage, name);
      const { quota, from, to, paid } = passage;
      if (isBehindQuota(to)) deferred.add(quota.money?.currency, paid);
      if (isBehindQuota(from)) deferred.add(quota.money?.currency, -paid);
    }
    if (passages.length > 0 || event.legs.some(({ unit }) => isQuotaUnit(unit)))
      compareQuotaPostings(this.#own, event.legs, passages, name);
    checkCovered(event, passages, this.quotas.all, name);
    const currencyOf = (lot: string): string | null => this.lots.all.get(lot)?.money?.currency ?? null;
    const expiryOf = (lot: string): number | null => {
      const expiresAt = this.lots.all.get(lot)?.marks.expires_at;
      return expiresAt == null ? null : Date.parse(expiresAt);
    };
    const { holds, quotas, quotasInState } = this;
    const before = (): Quota[] => [...quotasInState.ids].flatMap((id) => quotas.all.get(id) ?? []);
    if (isNext) checkGivenBack(event, passages, this.subscriptions.current, name);
    const beside = { isNext, passages, quotas: before, holds, deferred, currencyOf, expiryOf };
    this.subscriptions.apply(event, beside, name);
    this.quotasInState.apply(event, this.quotas.all, this.subscriptions.current?.now);
  }

  #move(event: AuditedEvent, moves: readonly MoveText[], deferred: DeferredChange, name: Name): void {
    const paid = event.facts.paid as readonly string[] | undefined;
    moves.forEach((move, index) => {
      const credits = stepsOf(move.credits);
      const money = paid?.[index];
      const behind = money === undefined || money === '0' ? 0n : stepsOf(money);
      this.#pass(move.from, -credits, name);
      this.#pass(move.to, credits, name);
      this.lots.move(move, credits, behind, name);
      if (behind !== 0n) this.#defer(move, behind, deferred);
      this.holds.move(move, credits, behind, event.revision * MOVES_MAX + index, name);
    });
  }

  /** Money stands behind what is free, and behind what holds have. */
  #defer({ lot, from, to }: MoveText, paid: bigint, deferred: DeferredChange): void {
    const currency = lot === undefined ? null : this.lots.all.get(lot)?.money?.currency;
    if (from === 'free' || from.startsWith('hold:')) deferred.add(currency, -paid);
    if (to === 'free' || to.startsWith('hold:') || to.startsWith('cover:')) deferred.add(currency, paid);
  }

  #pass(place: string, credits: bigint, name: Name): void {
    const kind = KIND.get(place) ?? KIND.get(place.slice(0, place.indexOf(':') + 1));
    if (kind !== undefined) this.#net[kind] += credits;
    else name('credits move to or from a place that is not known', KINDS.join(', '), place);
  }

  /** What the event says of the balance. After a gap nobody knows what it adds to. */
  #compareAfter({ data }: AuditedEvent, { available, held }: Sides, isNext: boolean, name: Name): void {
    const after = data.after as { available: string; held: string };
    const saidAvailable = stepsOf(after.available);
    const saidHeld = stepsOf(after.held);
    const dueAvailable = this.#saidAvailable + available;
    const dueHeld = this.#saidHeld + held;
    if (isNext && dueAvailable !== saidAvailable)
      name('available after the event is not what its moves make', textOf(dueAvailable), after.available);
    if (isNext && dueHeld !== saidHeld)
      name('held after the event is not what its moves make', textOf(dueHeld), after.held);
    this.#saidAvailable = saidAvailable;
    this.#saidHeld = saidHeld;
  }

  #comparePostings({ legs }: AccountedEvent, { available, held }: Sides, name: Name): void {
    let postedAvailable = 0n;
    let postedHeld = 0n;
    for (const { account, unit, steps } of legs) {
      if (unit !== 'credits') continue;
      if (account === this.#ownAvailable) postedAvailable -= steps;
      else if (account === this.#ownHeld) postedHeld -= steps;
    }
    const what = (side: string): string => `the entry posts another amount to ${side} than its moves`;
    if (postedAvailable !== available) name(what('available'), textOf(available), textOf(postedAvailable));
    if (postedHeld !== held) name(what('held'), textOf(held), textOf(postedHeld));
  }

  #available(): bigint {
    const { free, overdraft, debt } = this.#net;
    return free + overdraft + debt + this.#net['cover:'];
  }
}

const isBehindQuota = (place: string): boolean => place === 'free' || place.startsWith('hold:');

/** Moves of one event, at most; orders what they pin. */
const MOVES_MAX = 100_000;
