/**
 * A client: sends orders one after the other or several at once, sends again with the same id whatever got no answer,
 * asks two processes at the same time, loses patience. It keeps what it was told.
 */
import {
  COUPON_GRANT_USE,
  type CouponCommand,
  couponDecider,
  couponOrders,
  type WalletCommand,
  walletDecider,
  walletStream,
} from '@tallystick/domain';
import { type Order, StoreUnavailable } from '@tallystick/event-store';
import { type Answer, type Attempt, isFinal } from './history.ts';
import type { PlannedOrder } from './keyed.ts';
import type { Process } from './process.ts';
import type { World } from './world.ts';

/** The API's own: an order that is not decided by then is dropped. */
const DEADLINE_MS = 10_000;
const PAUSE_MS = 100;
/** How long a use waits for its purchase to be paid. */
const RESERVED_MS = 30 * 60_000;

export class Client {
  readonly #world: World;
  readonly #name: string;
  readonly #unsettled: PlannedOrder[] = [];

  constructor(world: World, name: string) {
    this.#world = world;
    this.#name = name;
  }

  /** Orders whose fate it does not know. */
  get unsettled(): readonly PlannedOrder[] {
    return this.#unsettled;
  }

  /** Its whole day. */
  async live(): Promise<void> {
    const { chance, shape, orders, timeline, clock } = this.#world;
    for (const account of this.#world.accounts) await this.#ask([orders.opening(account)]);
    if (shape.shop > 0 && chance.happens(0.6)) await this.#ask([orders.friendship()]);
    if (shape.plans > 0 && chance.happens(0.7)) await this.#ask(orders.beginnings(clock()));
    for (let n = 0; n < shape.ordersPerClient; n++) {
      this.#world.leapPerhaps();
      const drawn = chance.happens(0.15)
        ? orders.endings(clock())
        : Array.from({ length: chance.pick([1, 1, 1, 2, 5]) }, () => orders.next(clock()));
      const again = chance.happens(0.1) ? drawn.slice(0, 1) : [];
      if (shape.shop > 0 && chance.happens(0.25)) await this.#buyWithCoupon();
      if (chance.happens(0.2)) await Promise.race([this.#look(), timeline.pause(null, DEADLINE_MS)]);
      await this.#ask([...drawn, ...again]);
      await timeline.pause(null, chance.int(0, shape.thinkMs));
    }
  }

  /**
   * A use of the coupon is reserved, then the wallet is asked, then the use is confirmed or let go (billing rule 18). At
   * any of these the client may give up: what was paid for is confirmed by the worker, and the rest times out.
   */
  async #buyWithCoupon(): Promise<void> {
    const { chance, orders, clock } = this.#world;
    const planned = orders.withCoupon();
    if (planned === null) return;
    const { code, purchase, order } = planned;
    const use = { account: order.account, purchase };
    const expiresAt = clock() + RESERVED_MS;
    const reserved = await this.#useCoupon(code, couponOrders.reserve({ ...use, expiresAt }));
    if (reserved !== 'done') return;
    const unsettled = await this.#ask([order]);
    if (unsettled.length > 0 || purchase === COUPON_GRANT_USE || chance.happens(0.4)) return;
    const status = orders.purchaseStatus(order.account, purchase);
    if (status === 'paid') await this.#useCoupon(code, couponOrders.confirm(use));
    if (status === null) await this.#useCoupon(code, couponOrders.release(use));
  }

  /** @returns `lost` where it does not know what became of it */
  async #useCoupon(code: string, command: CouponCommand): Promise<'done' | 'refused' | 'lost'> {
    const { chance, timeline, history, machines, processOf } = this.#world;
    for (let left = chance.int(1, 6); left > 0; left--) {
      const machine = chance.among(machines);
      const process = machine === undefined ? null : processOf(machine);
      if (process !== null) {
        const attempt = history.beginUse(this.#name, code, command);
        const cause = { actor: this.#name, request: attempt.id };
        const given = [{ id: code, command, cause }];
        const executed = await Promise.race([
          process.runner.execute(couponDecider, given, process.now + DEADLINE_MS),
          process.death,
        ]);
        attempt.answer = executed === 'queue_full' ? null : (executed?.[0] ?? null);
        timeline.note(`${attempt.id} ${command.type} of ${code}: ${attempt.answer?.status ?? 'lost'}`);
        switch (attempt.answer?.status) {
          case 'recorded':
          case 'unchanged':
            return 'done';
          case 'refused':
            return 'refused';
        }
      }
      await timeline.pause(null, chance.int(20, 1_500));
    }
    return 'lost';
  }

  /** Asks for advice, as `authorize` does without a hold. */
  async #look(): Promise<void> {
    const { chance, history, accounts, machines, processOf } = this.#world;
    const machine = chance.among(machines);
    const process = machine === undefined ? null : processOf(machine);
    const account = chance.among(accounts);
    if (process === null || account === undefined) return;
    try {
      const { state, revision } = await process.runner.peek(walletDecider, account);
      const { available, held, debt } = state.totals;
      history.shown.push({ account, revision, available, held, debt });
    } catch (error) {
      if (!(error instanceof StoreUnavailable)) throw error;
    }
  }

  /** Sends them one by one, each again and again, until its fate is known. */
  async settle(orders: readonly PlannedOrder[]): Promise<void> {
    const { timeline } = this.#world;
    for (const order of orders) {
      for (let left = [order]; left.length > 0; left = await this.#tryAll(left))
        await timeline.pause(null, PAUSE_MS);
    }
  }

  /**
   * Sends them together, and what is not answered again, until the patience is at its end.
   * @returns those whose fate it does not know
   */
  async #ask(orders: readonly PlannedOrder[]): Promise<readonly PlannedOrder[]> {
    const { chance, timeline } = this.#world;
    let left = orders;
    const patience = chance.int(1, 8);
    for (let tried = 0; left.length > 0; tried++) {
      if (tried === patience) {
        this.#unsettled.push(...left);
        return left;
      }
      if (tried > 0) await timeline.pause(null, chance.int(20, 1_500));
      left = await this.#tryAll(left);
    }
    return left;
  }

  /** Those whose fate is still not known. */
  async #tryAll(orders: readonly PlannedOrder[]): Promise<PlannedOrder[]> {
    const twice = this.#world.chance.happens(0.15);
    const [answers, others] = await Promise.all([this.#send(orders), twice ? this.#send(orders) : []]);
    return orders.filter((_, index) => {
      const told = [answers[index], others[index]];
      return !told.some((answer) => answer !== undefined && isFinal(answer));
    });
  }

  async #send(orders: readonly PlannedOrder[]): Promise<readonly Answer[]> {
    const { chance, timeline, history, machines, processOf } = this.#world;
    const machine = chance.among(machines);
    const process = machine === undefined ? null : processOf(machine);
    if (process === null) {
      await timeline.pause(null, chance.int(1, 100));
      return orders.map(() => ({ status: 'lost' }));
    }
    const attempts = orders.map((order) =>
      history.begin(this.#name, order, process.machine, this.#world.sightOf(order)),
    );
    const answers = await Promise.race([
      this.#execute(process, attempts),
      process.death.then(() => timeline.pause(null, chance.int(0, 300))).then(() => null),
    ]);
    attempts.forEach((attempt, index) => {
      attempt.answer = answers?.[index] ?? { status: 'lost' };
      this.#note(attempt);
    });
    return attempts.map(({ answer }) => answer ?? { status: 'lost' });
  }

  async #execute(process: Process, attempts: readonly Attempt[]): Promise<readonly Answer[]> {
    const { timeline } = this.#world;
    await timeline.step(process, 'request', () => undefined);
    const orders: Order<WalletCommand>[] = attempts.map(({ id, order: { account, command } }) => ({
      id: account,
      command,
      cause: { actor: this.#name, request: id },
    }));
    const executed = await process.runner.execute(walletDecider, orders, process.now + DEADLINE_MS);
    const answers: readonly Answer[] =
      executed === 'queue_full' ? attempts.map(() => ({ status: 'queue_full' })) : executed;
    for (const attempt of attempts) attempt.decided = this.#world.sightOf(attempt.order);
    await timeline.step(process, 'response', () => undefined);
    return answers;
  }

  #note({ id, order, answer }: Attempt): void {
    const told = answer?.status === 'refused' ? `refused: ${answer.refusal.code}` : answer?.status;
    const why = answer?.status === 'unavailable' ? answer.reason : '';
    const at =
      answer?.status === 'recorded' ? `${answer.event.revision}${answer.replayed ? ', again' : ''}` : '';
    this.#world.timeline.note(
      `${id} ${order.command.type} ${order.command.key ?? ''} of ${walletStream(order.account)}: ${told} ${why}${at}`,
    );
  }
}
