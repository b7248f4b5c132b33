/**
 * A hold that ends, whatever happens: settled with what the call has used, or void where it used nothing. A call that broke
 * off in the middle of its stream is settled with what was streamed until then.
 */
import type { Authorize, Authorized, Timeout } from './authorize.ts';
import type { Extended, Extension, holdCalls, Spent, Voided } from './holds.ts';
import type { Money, Usage } from './shapes.ts';
import type { Transport } from './transport.ts';
import type { ChargedUsage, UnpricedUsage, UsageItem } from './usage.ts';

export interface HoldRequest {
  readonly account: string;
  readonly model: string;
  readonly estimate: Usage;
  /** Of the hold and of the usage that settles it; made up where it is left out. */
  readonly id?: string;
  /** Seconds after which it lets go by itself. */
  readonly expires_in: number;
  /** Extends the hold by `expires_in` each time half of it is over, for as long as the call runs. */
  readonly extend?: boolean;
  /** Left out: no call runs that the ledger has not allowed. */
  readonly timeout?: Timeout;
}

/** The call must not run. */
export class HoldDenied extends Error {
  override readonly name = 'HoldDenied';
  readonly authorized: Authorized;

  constructor(authorized: Authorized) {
    super(`not allowed: ${authorized.reasons.join(', ')}`);
    this.authorized = authorized;
  }
}

/** The call has run, and its charge could not be delivered. `usage` is all of it: post it again, today or next week. */
export class SettleUndelivered extends Error {
  override readonly name = 'SettleUndelivered';
  readonly usage: UsageItem;
  /** What the call itself had thrown; undefined where it ended well. */
  readonly interruptedBy: unknown;

  constructor(usage: UsageItem, cause: unknown, interruptedBy: unknown) {
    const why = cause instanceof Error ? cause.message : String(cause);
    super(`the charge ${usage.id} of account ${usage.account} was not delivered: ${why}`, { cause });
    this.usage = usage;
    this.interruptedBy = interruptedBy;
  }
}

/** What a hold needs of the client. */
export interface HoldContext {
  readonly transport: Transport;
  readonly authorize: Authorize;
  readonly holds: ReturnType<typeof holdCalls>;
  /** How long a settle may take, all its tries together. */
  readonly settleWithinMs: number;
}

export class OpenHold {
  readonly id: string;
  readonly authorized: Authorized;
  readonly #request: HoldRequest;
  readonly #context: HoldContext;
  readonly #extending: NodeJS.Timeout | null;
  #streamed: Spent | null = null;
  #ended = false;

  constructor(id: string, authorized: Authorized, request: HoldRequest, context: HoldContext) {
    this.id = id;
    this.authorized = authorized;
    this.#request = request;
    this.#context = context;
    this.#extending = request.extend === true ? this.#keepExtending() : null;
  }

  /** What was used so far, in all: each report replaces the one before. */
  streamed(usage: Usage, cost?: Money): void {
    this.#streamed = cost === undefined ? { usage } : { usage, cost };
  }

  extend(extension: Extension): Promise<Extended> {
    return this.#context.holds.extend(this.#request.account, this.id, extension);
  }

  /** @throws SettleUndelivered */
  settle(spent: Spent): Promise<ChargedUsage | UnpricedUsage> {
    return this.#settle(spent, undefined);
  }

  void(): Promise<Voided> {
    this.#end();
    return this.#context.holds.void(this.#request.account, this.id);
  }

  /** Settles what was streamed, else voids; nothing where the hold was ended already. */
  async end(interruptedBy?: unknown): Promise<void> {
    if (this.#ended) return;
    if (this.#streamed !== null) await this.#settle(this.#streamed, interruptedBy);
    // A void that does not come through costs nobody anything: the hold lets go by itself.
    else await this.void().catch(() => undefined);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.end();
  }

  /**
   * Posted as the usage that it stands for, which is the same fact to the ledger: so it is also charged where the
   * hold was never placed, because a policy let the call run while the ledger was away.
   */
  async #settle({ usage, cost }: Spent, interruptedBy: unknown): Promise<ChargedUsage | UnpricedUsage> {
    this.#end();
    const { id } = this;
    const { account, model } = this.#request;
    const plain = { id, account, model, usage, mode: 'record', hold: id } as const;
    const item: UsageItem = cost === undefined ? plain : { ...plain, cost };
    try {
      const { transport, settleWithinMs: withinMs } = this.#context;
      const answer = await transport.send('POST /v1/usage', { body: item }, { withinMs });
      return answer as ChargedUsage | UnpricedUsage;
    } catch (cause) {
      throw new SettleUndelivered(item, cause, interruptedBy);
    }
  }

  #end(): void {
    this.#ended = true;
    if (this.#extending !== null) clearInterval(this.#extending);
  }

  #keepExtending(): NodeJS.Timeout {
    const { expires_in } = this.#request;
    // One that fails is followed by another; and a hold that has expired is settled all the same.
    const extend = (): void => void this.extend({ expires_in }).catch(() => undefined);
    return setInterval(extend, expires_in * 500).unref();
  }
}

/** @throws HoldDenied */
export async function openHold(request: HoldRequest, context: HoldContext): Promise<OpenHold> {
  const { account, model, estimate, id = crypto.randomUUID(), expires_in, timeout } = request;
  const authorized = await context.authorize({ account, model, estimate, hold: { id, expires_in } }, timeout);
  if (!authorized.allowed) throw new HoldDenied(authorized);
  return new OpenHold(id, authorized, request, context);
}

export interface RanUnderHold<R extends Spent> {
  readonly charge: ChargedUsage | UnpricedUsage;
  /** What the work came to: its usage, and whatever else it gave back. */
  readonly ran: R;
}

/**
 * Runs `work` under a hold. It gives back what it used, and that is settled; where it throws, what was streamed until
 * then is settled, else the hold is void, and the same error is thrown on.
 * @throws HoldDenied, SettleUndelivered, and what `work` throws
 */
export async function withHold<R extends Spent>(
  request: HoldRequest,
  work: (hold: OpenHold) => Promise<R>,
  context: HoldContext,
): Promise<RanUnderHold<R>> {
  const hold = await openHold(request, context);
  let ran: R;
  try {
    ran = await work(hold);
  } catch (error) {
    await hold.end(error);
    throw error;
  }
  return { charge: await hold.settle(ran), ran };
}
