/** What clients ask for: commands as the API makes them, out of few ids, so that they meet one another. */
import { type AccountTerms, COUPON_GRANT_USE, type Usage, type WalletCommand } from '@tallystick/domain';
import { type RecordedEvent, splitStream } from '@tallystick/event-store';
import type { Plain } from '@tallystick/projections/testing';
import type { Chance } from './chance.ts';
import { COUPONS } from './goods.ts';
import { altered, keyed, type PlainCommand, type PlannedOrder } from './keyed.ts';
import { type Known, type KnownPurchase, knowNothing, learn } from './known.ts';
import { drawPlanOrder, subscribe } from './plan-orders.ts';
import type { Shape } from './shape.ts';
import { drawShopOrder, giftOf, purchase, refer, type Shop } from './shop-orders.ts';

const STEP = 1_000_000n;
const REPEATED = 0.2;

export interface OrdersParts {
  readonly chance: Chance;
  readonly shape: Pick<Shape, 'conflicting' | 'plans' | 'shop'>;
  readonly accounts: readonly string[];
  readonly couponOf: Shop['couponOf'];
}

/** Days change at different instants: of the world's accounts each has a zone of its own. */
const ZONES = ['UTC', 'Europe/Berlin', 'America/New_York'] as const;

/** A purchase with a coupon, or a gift for one: a use of it is reserved first. */
export interface CouponOrder {
  readonly code: string;
  /** What the use is for. */
  readonly purchase: string;
  readonly order: PlannedOrder;
}

export class Orders {
  readonly #chance: Chance;
  readonly #shape: OrdersParts['shape'];
  readonly #accounts: readonly string[];
  readonly #shop: Shop;
  readonly #known = new Map<string, Known>();
  #ids = 0;

  constructor({ chance, shape, accounts, couponOf }: OrdersParts) {
    this.#chance = chance;
    this.#shape = shape;
    this.#accounts = accounts;
    this.#shop = { chance, accounts, couponOf, newId: (kind) => this.#id(kind) };
    for (const account of accounts) this.#known.set(account, knowNothing());
  }

  /** What the store has taken is known to those who ask for more. */
  notice(event: RecordedEvent): void {
    const { category, id } = splitStream(event.stream);
    const known = category === 'wallet' ? this.#known.get(id) : undefined;
    if (known !== undefined) learn(known, event);
  }

  /** How a purchase stands; null: the store has none of it. */
  purchaseStatus(account: string, purchase: string): KnownPurchase['status'] | null {
    return this.#knownOf(account).purchases.find(({ id }) => id === purchase)?.status ?? null;
  }

  withCoupon(): CouponOrder | null {
    const chance = this.#chance;
    const account = chance.among(this.#accounts) ?? '';
    const isGift = chance.happens(0.25);
    const code = isGift ? 'GIFT' : (chance.among(COUPONS) ?? 'HALF');
    const plain = isGift ? giftOf(this.#shop) : purchase(this.#shop, this.#shop.couponOf(code));
    if (plain === null) return null;
    const order = { account, command: keyed(plain) };
    this.#knownOf(account).orders.push(order);
    return { code, purchase: 'id' in plain ? plain.id : COUPON_GRANT_USE, order };
  }

  opening(account: string): PlannedOrder {
    const terms: AccountTerms = {
      price_book: null,
      overdraft_limit: '5',
      time_zone: this.#zoneOf(account),
      currency: null,
    };
    return { account, command: keyed({ type: 'OpenAccount', terms }) };
  }

  #zoneOf(account: string): string {
    return ZONES[this.#accounts.indexOf(account) % ZONES.length] ?? 'UTC';
  }

  dues(account: string): PlannedOrder {
    return { account, command: keyed({ type: 'CarryOutDues' }) };
  }

  /** @param now wall-clock milliseconds */
  next(now: number): PlannedOrder {
    const chance = this.#chance;
    const account = chance.among(this.#accounts) ?? '';
    const known = this.#knownOf(account);
    const before = chance.among(known.orders);
    if (before !== undefined && chance.happens(REPEATED)) return before;
    if (before !== undefined && chance.happens(this.#shape.conflicting)) return altered(before);
    const order = { account, command: keyed(this.#draw(known, now)) };
    known.orders.push(order);
    return order;
  }

  /** Who sent a friend is told before the friend pays for anything. */
  friendship(): PlannedOrder {
    return { account: this.#chance.among(this.#accounts) ?? '', command: keyed(refer(this.#shop)) };
  }

  /** Somebody buys credits and subscribes. */
  beginnings(now: number): readonly PlannedOrder[] {
    const account = this.#chance.among(this.#accounts) ?? '';
    const known = this.#knownOf(account);
    const plain = [this.#incoming(now), subscribe(this.#chance, (kind) => this.#id(kind), now)];
    const orders = plain.map((command) => ({ account, command: keyed(command) }));
    known.orders.push(...orders);
    return orders;
  }

  /** A call whose end is told in several ways at once: posted as usage that names its hold, settled, voided. */
  endings(now: number): readonly PlannedOrder[] {
    const chance = this.#chance;
    const account = chance.among(this.#accounts) ?? '';
    const known = this.#knownOf(account);
    const hold = this.#holdOf(known);
    if (hold === null) return [this.next(now)];
    const { usage } = this.#use();
    const told: PlainCommand[] = [
      { ...this.#charge(known, now), hold },
      { type: 'SettleHold', hold, usage, cost: null },
      chance.happens(0.5) ? { ...this.#charge(known, now), hold } : { type: 'VoidHold', hold },
    ];
    if (chance.happens(0.5)) told.reverse();
    return told.map((command) => ({ account, command: keyed(command) }));
  }

  #knownOf(account: string): Known {
    const known = this.#known.get(account);
    if (known === undefined) throw new Error(`nobody knows ${account}`);
    return known;
  }

  #draw(known: Known, now: number): PlainCommand {
    const chance = this.#chance;
    return chance.weighed<() => PlainCommand>([
      [5, () => this.#incoming(now)],
      [9, () => this.#charge(known, now)],
      [5, () => this.#hold(known)],
      [6, () => this.#afterHold(known)],
      [3, () => this.#finance(known)],
      [1, () => ({ type: 'CarryOutDues' })],
      [8 * this.#shape.plans, () => drawPlanOrder(chance, known, (kind) => this.#id(kind), now)],
      [9 * this.#shape.shop, () => drawShopOrder(this.#shop, known)],
    ])();
  }

  #incoming(now: number): PlainCommand {
    const chance = this.#chance;
    const most = this.#shape.plans > 0 ? 120 : 60;
    const credits = BigInt(chance.int(1, most)) * STEP + (chance.happens(0.3) ? 333_333n : 0n);
    const marks = {
      credits,
      expiresAt: chance.happens(0.5) ? null : now + chance.int(1_000, 60_000) * this.#spread(),
      priority: chance.pick([100, 100, 50]),
    };
    const reference = this.#id('r');
    if (chance.happens(0.4)) return { type: 'GrantCredits', kind: 'promo', reference, ...marks };
    const amount = `${chance.int(1, 9_999) / 1_000}`;
    const paid = chance.happens(0.7) ? { amount, currency: chance.pick(['USD', 'EUR']) } : null;
    return { type: 'TopUpCredits', source: 'shop', reference, paid, ...marks };
  }

  /** Where days pass, some credits last for days. */
  #spread(): number {
    return this.#shape.plans > 0 && this.#chance.happens(0.5) ? 10_000 : 1;
  }

  #charge(known: Known, now: number): Plain<WalletCommand & { readonly type: 'ChargeUsage' }> {
    const chance = this.#chance;
    const hold = chance.happens(0.3) ? this.#holdOf(known) : null;
    // Now and then the call is posted under the id of its hold: a settle claims that key too (rule 13).
    const id = hold !== null && chance.happens(0.2) ? hold : this.#id('u');
    known.usages.push(id);
    return {
      type: 'ChargeUsage',
      id,
      source: '',
      ...this.#use(),
      cost: chance.happens(0.1) ? { amount: '0.02', currency: 'USD' } : null,
      mode: chance.happens(0.75) ? 'charge' : 'record',
      hold,
      occurredAt: chance.happens(0.3) ? now - chance.int(0, 5_000) : null,
      metadata: null,
    };
  }

  #hold(known: Known): PlainCommand {
    const hold = this.#id('h');
    known.holds.push(hold);
    const { model, usage } = this.#use();
    return {
      type: 'PlaceHold',
      hold,
      model,
      estimate: usage,
      expiresInMs: this.#chance.pick([500, 5_000, 60_000]),
    };
  }

  #afterHold(known: Known): PlainCommand {
    const chance = this.#chance;
    const hold = this.#holdOf(known) ?? 'nowhere';
    const { usage } = this.#use();
    return chance.weighed<PlainCommand>([
      [4, { type: 'SettleHold', hold, usage, cost: null }],
      [2, { type: 'VoidHold', hold }],
      [
        2,
        {
          type: 'ExtendHold',
          hold,
          estimate: chance.happens(0.6) ? usage : null,
          expiresInMs: chance.happens(0.6) ? chance.int(500, 30_000) : null,
        },
      ],
    ]);
  }

  /** Mostly one of the latest: there clients meet. */
  #holdOf({ holds }: Known): string | null {
    return this.#chance.among(this.#chance.happens(0.8) ? holds.slice(-2) : holds) ?? null;
  }

  #finance(known: Known): PlainCommand {
    const chance = this.#chance;
    const credits = BigInt(chance.int(1, 30)) * STEP * (chance.happens(0.5) ? 1n : -1n);
    const reference = this.#id('f');
    const freezing = { type: 'FreezeAccount', reason: 'simulated', reference: 'case' } as const;
    return chance.weighed<() => PlainCommand>([
      [
        4,
        () => ({
          type: 'ReverseEntry',
          revision: chance.int(0, known.revisions),
          reason: 'simulated',
          allowDebt: chance.happens(0.5),
        }),
      ],
      [2, () => ({ type: 'AdjustCredits', credits, reason: 'simulated', reference })],
      [2, () => ({ type: 'RepriceUsage', id: chance.among(known.usages) ?? 'none', source: '' })],
      [1, () => ({ type: 'ChangeAccount', terms: { overdraft_limit: chance.pick(['0', '7.5', '30']) } })],
      [this.#shape.plans + this.#shape.shop === 0 ? 1 : 0.4, () => freezing],
      [2, () => ({ type: 'UnfreezeAccount', reference: 'case' })],
    ])();
  }

  #use(): { model: string; usage: Usage } {
    const chance = this.#chance;
    return chance.weighed<{ model: string; usage: Usage }>([
      [3, { model: 'plain', usage: { calls: chance.int(1, 12) } }],
      [3, { model: 'coarse', usage: { characters: chance.int(1, 60), calls: chance.int(0, 3) } }],
      [4, { model: 'fine', usage: { characters: chance.int(1, 40), images: chance.int(0, 3) } }],
      [1, { model: 'free', usage: { calls: 3 } }],
      [2, { model: 'sometimes', usage: { calls: chance.int(1, 5) } }],
      [
        3 * Math.min(1, this.#shape.plans),
        { model: 'talk', usage: { input_tokens: chance.int(0, 40), output_tokens: chance.int(1, 25) } },
      ],
    ]);
  }

  #id(kind: string): string {
    this.#ids += 1;
    return `${kind}${this.#ids}`;
  }
}
