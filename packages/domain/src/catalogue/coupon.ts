/**
 * The stream of one coupon: its terms by version, its counters, its open reservations (billing rule 18).
 * - a purchase reserves a use, with a time limit; what is not paid by then is let go before anything else is decided
 * - a paid purchase always confirms: its use was reserved, or else it counts over the limit and says so
 * - every use is decided on this stream, so of any number of purchases at once no more than `max_uses` get one
 * How often an account may use it is decided in the account's own wallet; here it would be a list without an end.
 */
import type { CommandKey, Context, Decider, Decision, DomainEvent } from '../decider.ts';
import { couponKeys } from '../ids.ts';
import { type CouponTerms, type CouponUnusable, whyUnusable } from './coupon-terms.ts';
import { unknownEvent } from './quiet.ts';
import { isSameContent, withoutDefaults } from './same-content.ts';

interface CouponPublished extends DomainEvent {
  readonly type: 'CouponPublished';
  readonly data: { readonly code: string; readonly version: number; readonly terms: CouponTerms };
  readonly facts: object;
}
/** A purchase's id is its account's own. */
interface Use {
  readonly account: string;
  readonly purchase: string;
}
interface CouponUseReserved extends DomainEvent {
  readonly type: 'CouponUseReserved';
  readonly data: Use & { readonly version: number; readonly expires_at: string };
  readonly facts: object;
}
interface CouponUseConfirmed extends DomainEvent {
  readonly type: 'CouponUseConfirmed';
  readonly data: Use & { readonly over_limit: boolean };
  readonly facts: object;
}
/** Of a reservation: nothing was used. `effective_at` of one that timed out is when it did. */
interface CouponUseReleased extends DomainEvent {
  readonly type: 'CouponUseReleased';
  readonly data: Use & { readonly because: 'canceled' | 'timed_out'; readonly effective_at: string };
  readonly facts: object;
}
/** Of a confirmed use, whose purchase was refunded whole and unspent. */
interface CouponUseReturned extends DomainEvent {
  readonly type: 'CouponUseReturned';
  readonly data: Use;
  readonly facts: object;
}
export type CouponEvent =
  | CouponPublished
  | CouponUseReserved
  | CouponUseConfirmed
  | CouponUseReleased
  | CouponUseReturned;

interface PublishCoupon extends CommandKey {
  readonly type: 'PublishCoupon';
  /** They have been checked by then. In force at once; counters go on. */
  readonly terms: CouponTerms;
}
interface ReserveUse extends CommandKey, Use {
  readonly type: 'ReserveUse';
  readonly expiresAt: number;
}
interface EndUse extends CommandKey, Use {
  readonly type: 'ConfirmUse' | 'ReleaseUse' | 'ReturnUse';
}
/** Wants nothing but that what has run out is let go. */
interface CarryOutDues extends CommandKey {
  readonly type: 'CarryOutDues';
}
export type CouponCommand = PublishCoupon | ReserveUse | EndUse | CarryOutDues;

/** Commands with the keys that make sending them again the same fact. */
export const couponOrders = {
  publish: (terms: CouponTerms): CouponCommand => ({ type: 'PublishCoupon', ...NO_KEY, terms }),
  /** Does nothing where the purchase has a reservation, which keeps its end, or a confirmed use. One that ran out is made anew. */
  reserve: ({ account, purchase, expiresAt }: OpenUse): CouponCommand => {
    return { type: 'ReserveUse', ...NO_KEY, account, purchase, expiresAt };
  },
  confirm: ({ account, purchase }: Use): CouponCommand => {
    return { type: 'ConfirmUse', ...keyed(couponKeys.confirm(account, purchase)), account, purchase };
  },
  /** Does nothing where there is no open reservation (any more). */
  release: ({ account, purchase }: Use): CouponCommand => {
    return { type: 'ReleaseUse', ...NO_KEY, account, purchase };
  },
  return: ({ account, purchase }: Use): CouponCommand => {
    return { type: 'ReturnUse', ...keyed(couponKeys.return(account, purchase)), account, purchase };
  },
  carryOutDues: (): CouponCommand => ({ type: 'CarryOutDues', ...NO_KEY }),
} as const;

const NO_KEY = { key: null, fingerprint: null } as const;
/** The key holds all that the command says. */
const keyed = (key: string) => ({ key, fingerprint: key });

export type CouponRefusal =
  | CouponUnusable
  | { readonly code: 'coupon_not_found' }
  | { readonly code: 'coupon_exhausted' }
  | { readonly code: 'coupon_use_not_found' }
  /** Too many wait to be paid: as with holds, memory is bounded (rules 7, 8). */
  | { readonly code: 'too_many_open_uses' };

export interface OpenUse extends Use {
  readonly expiresAt: number;
}

export interface CouponState {
  readonly code: string;
  /** 0: not published. */
  version: number;
  terms: CouponTerms | null;
  /** Confirmed and not returned, those over the limit too. */
  uses: number;
  /** Of these, how many there were confirmed over the limit, ever. */
  overLimit: number;
  /** By account and purchase. */
  open: Map<string, OpenUse>;
}

const OPEN_MAX = 10_000;
/** Released in one append: keeps it well under what stores take. */
const DUES_MAX = 500;

export const couponDecider: Decider<CouponState, CouponCommand, CouponEvent, CouponRefusal> = {
  category: 'coupon',
  foldVersion: 1,
  initial: (code) => ({ code, version: 0, terms: null, uses: 0, overLimit: 0, open: new Map() }),
  fork: (state) => ({ ...state, open: new Map(state.open) }),
  evolve,
  decide,
  dues(state, now) {
    const due = [...state.open.values()].filter(({ expiresAt }) => expiresAt <= now);
    due.sort((a, b) => a.expiresAt - b.expiresAt || (openKey(a) < openKey(b) ? -1 : 1));
    const events = due
      .slice(0, DUES_MAX)
      .map((use) => released(use, { because: 'timed_out', at: use.expiresAt }));
    return { events, more: due.length > DUES_MAX };
  },
  freeze: ({ open, ...rest }) => JSON.stringify({ ...rest, open: [...open.values()] }),
  thaw(_code, text) {
    // The text was made by `freeze` of the same fold version (rule 11).
    const { open, ...rest } = JSON.parse(text) as Omit<CouponState, 'open'> & { open: OpenUse[] };
    return { ...rest, open: new Map(open.map((use) => [openKey(use), use])) };
  },
  weigh: ({ open }) => 4_000 + open.size * 300,
};

function evolve(state: CouponState, event: CouponEvent): void {
  switch (event.type) {
    case 'CouponPublished':
      state.version = event.data.version;
      state.terms = event.data.terms;
      return;
    case 'CouponUseReserved': {
      const { account, purchase, expires_at } = event.data;
      state.open.set(openKey(event.data), { account, purchase, expiresAt: Date.parse(expires_at) });
      return;
    }
    case 'CouponUseConfirmed':
      state.open.delete(openKey(event.data));
      state.uses += 1;
      if (event.data.over_limit) state.overLimit += 1;
      return;
    case 'CouponUseReleased':
      state.open.delete(openKey(event.data));
      return;
    case 'CouponUseReturned':
      state.uses -= 1;
      return;
    default:
      throw unknownEvent('coupon', event);
  }
}

function decide(
  state: CouponState,
  command: CouponCommand,
  { now, facts }: Context<unknown, CouponEvent>,
): Decision<CouponEvent, CouponRefusal> {
  if (command.type === 'PublishCoupon') return publish(state, command);
  if (command.type === 'CarryOutDues') return { kind: 'accepted', events: [] };
  if (state.terms === null) return { kind: 'refused', refusal: { code: 'coupon_not_found' } };
  const { account, purchase } = command;
  switch (command.type) {
    case 'ReserveUse': {
      if (state.open.has(openKey(command))) return { kind: 'unchanged' };
      const confirmed = couponKeys.confirm(account, purchase);
      if (!facts.has(confirmed)) return { kind: 'needs', facts: [confirmed], freshCatalogue: false };
      if (facts.get(confirmed) !== null) return { kind: 'unchanged' };
      const refusal = whyNotReserved(state, state.terms, now);
      if (refusal !== null) return { kind: 'refused', refusal };
      const expires_at = new Date(command.expiresAt).toISOString();
      const data = { account, purchase, version: state.version, expires_at };
      return accepted({ type: 'CouponUseReserved', key: null, data, facts: {} });
    }
    case 'ConfirmUse': {
      // The money has been taken at the discount: it is too late to refuse.
      const over_limit = !state.open.has(openKey(command)) && isExhausted(state, state.terms);
      const data = { account, purchase, over_limit };
      return accepted({ type: 'CouponUseConfirmed', key: command.key, data, facts: {} });
    }
    case 'ReleaseUse': {
      const use = state.open.get(openKey(command));
      return use === undefined
        ? { kind: 'unchanged' }
        : accepted(released(use, { because: 'canceled', at: now }));
    }
    case 'ReturnUse': {
      const confirmed = couponKeys.confirm(account, purchase);
      if (!facts.has(confirmed)) return { kind: 'needs', facts: [confirmed], freshCatalogue: false };
      if (facts.get(confirmed) === null)
        return { kind: 'refused', refusal: { code: 'coupon_use_not_found' } };
      const data = { account, purchase };
      return accepted({ type: 'CouponUseReturned', key: command.key, data, facts: {} });
    }
  }
}

function publish(state: CouponState, { terms }: PublishCoupon): Decision<CouponEvent, CouponRefusal> {
  if (isSameContent(state.terms, terms, plainCoupon)) return { kind: 'unchanged' };
  const data = { code: state.code, version: state.version + 1, terms };
  return accepted({ type: 'CouponPublished', key: null, data, facts: {} });
}

const plainCoupon = (terms: CouponTerms): object =>
  withoutDefaults(terms, { max_uses_per_account: 1, active: true });

function whyNotReserved(state: CouponState, terms: CouponTerms, now: number): CouponRefusal | null {
  const unusable = whyUnusable(terms, now);
  if (unusable !== null) return unusable;
  if (isExhausted(state, terms)) return { code: 'coupon_exhausted' };
  return state.open.size >= OPEN_MAX ? { code: 'too_many_open_uses' } : null;
}

function isExhausted({ uses, open }: CouponState, { max_uses: max }: CouponTerms): boolean {
  return max !== undefined && uses + open.size >= max;
}

function released(
  { account, purchase }: Use,
  { because, at }: { readonly because: 'canceled' | 'timed_out'; readonly at: number },
): CouponUseReleased {
  const effective_at = new Date(at).toISOString();
  return {
    type: 'CouponUseReleased',
    key: null,
    data: { account, purchase, because, effective_at },
    facts: {},
  };
}

/** Ids hold no `:`. */
const openKey = ({ account, purchase }: Use): string => `${account}:${purchase}`;

const accepted = (event: CouponEvent): Decision<CouponEvent, CouponRefusal> => ({
  kind: 'accepted',
  events: [event],
});
