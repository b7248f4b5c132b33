/**
 * A client: sends orders one after the other or several at once, sends again with the same id whatever got no answer,
 * asks two processes at the same time, loses patience. It keeps what it was told.
 */
import { type WalletCommand, walletDecider, walletStream } from '@tallystick/domain';
import { type Order, StoreUnavailable } from '@tallystick/event-store';
import { type Answer, type Attempt, isFinal } from './history.ts';
import type { PlannedOrder } from './orders.ts';
import type { Process } from './process.ts';
import type { World } from './world.ts';

/** The API's own: an order that is not decided by then is dropped. */
const DEADLINE_MS = 10_000;
const PAUSE_MS = 100;

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
    for (let n = 0; n < shape.ordersPerClient; n++) {
      const drawn = chance.happens(0.15)
        ? orders.endings(clock())
        : Array.from({ length: chance.pick([1, 1, 1, 2, 5]) }, () => orders.next(clock()));
      const again = chance.happens(0.1) ? drawn.slice(0, 1) : [];
      if (chance.happens(0.2)) await Promise.race([this.#look(), timeline.pause(null, DEADLINE_MS)]);
      await this.#ask([...drawn, ...again]);
      await timeline.pause(null, chance.int(0, shape.thinkMs));
    }
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

  /** Sends them together, and what is not answered again, until the patience is at its end. */
  async #ask(orders: readonly PlannedOrder[]): Promise<void> {
    const { chance, timeline } = this.#world;
    let left = orders;
    const patience = chance.int(1, 8);
    for (let tried = 0; left.length > 0; tried++) {
      if (tried === patience) {
        this.#unsettled.push(...left);
        return;
      }
      if (tried > 0) await timeline.pause(null, chance.int(20, 1_500));
      left = await this.#tryAll(left);
    }
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
    if (answer?.status === 'recorded')
      this.#world.orders.noticeRevision(order.account, answer.event.revision);
    this.#world.timeline.note(
      `${id} ${order.command.type} ${order.command.key ?? ''} of ${walletStream(order.account)}: ${told} ${why}${at}`,
    );
  }
}
