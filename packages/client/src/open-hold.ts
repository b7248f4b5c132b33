/**
 * A hold that ends, whatever happens: settled with what the call has used, or void where it used nothing. A call that broke
 * off in the middle of its stream is settled with what was streamed until then.
 */
import type { Authorize, Authorized, Timeout } from './authorize.ts';
import { LedgerRefused } from './errors.ts';
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

/** The call ended well and told nothing that it used: so nothing is charged, and the hold is void. */
export class UsageMissing extends Error {
  override readonly name = 'UsageMissing';

  constructor(hold: string) {
    super(
      `the call under hold ${hold} must give back { usage: { … } }, or tell hold.streamed(…) what it used`,
    );
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
  /** When the call ended: its charge takes the price of then, however late it is delivered. */
  #endedAt: string | null = null;
  #voided = false;
  #settled: Promise<Charge> | null = null;

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
  async settle(spent: Spent): Promise<Charge> {
    this.#end();
    // Of what a call gives back, only this is its charge.
    const { usage, cost } = spent;
    return this.#settle(cost === undefined ? { usage } : { usage, cost }, undefined);
  }

  void(): Promise<Voided> {
    this.#end();
    this.#voided = true;
    return this.#context.holds.void(this.#request.account, this.id);
  }

  /** Settles what was streamed, else voids. Where the hold was ended already it only tells how: null is void. */
  async end(interruptedBy?: unknown): Promise<Charge | null> {
    if (this.#endedAt !== null) return this.#settled;
    const streamed = spentOf(this.#streamed);
    if (streamed !== null) return this.#settle(streamed, interruptedBy);
    // A void that does not come through costs nobody anything: the hold lets go by itself.
    await this.void().catch(() => undefined);
    return null;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#endedAt === null) await this.end();
  }

  /**
   * Posted as the usage that it stands for, which is the same fact to the ledger: so it is also charged where the
   * hold was never placed, because a policy let the call run while the ledger was away.
   */
  #settle(spent: Spent, interruptedBy: unknown): Promise<Charge> {
    const occurred_at = this.#end();
    const { id } = this;
    const { account, model } = this.#request;
    const item = { id, account, model, ...spent, mode: 'record', hold: id, occurred_at } as const;
    const settled = this.#deliver(item, interruptedBy);
    this.#settled = settled;
    return settled;
  }

  async #deliver(item: UsageItem, interruptedBy: unknown): Promise<Charge> {
    try {
      const { transport, settleWithinMs: withinMs } = this.#context;
      const answer = await transport.send('POST /v1/usage', { body: item }, { withinMs });
      return answer as Charge;
    } catch (cause) {
      const rest = this.#withoutRefused(item, cause);
      if (rest !== null) return this.#deliver(rest, interruptedBy);
      throw new SettleUndelivered(item, cause, interruptedBy);
    }
  }

  /** The call has run, and a refusal has recorded nothing: so it is charged without what stood in the way. */
  #withoutRefused({ hold, occurred_at, ...item }: UsageItem, cause: unknown): UsageItem | null {
    if (!(cause instanceof LedgerRefused)) return null;
    // Somebody else has made the hold void, such as a caller who was denied before and came again under the same id.
    if (cause.code === 'hold_closed' && hold !== undefined && !this.#voided)
      return occurred_at === undefined ? item : { ...item, occurred_at };
    // This machine's clock is far ahead of the ledger's.
    if (occurred_at !== undefined && cause.errors.some(({ field }) => field === 'occurred_at'))
      return hold === undefined ? item : { ...item, hold };
    return null;
  }

  /** First of all, so that nothing that fails later leaves it extending. */
  #end(): string {
    if (this.#extending !== null) clearInterval(this.#extending);
    this.#endedAt ??= new Date().toISOString();
    return this.#endedAt;
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

type Charge = ChargedUsage | UnpricedUsage;

export interface RanUnderHold<R extends Spent> {
  readonly charge: Charge;
  /** What the work came to: its usage, and whatever else it gave back. */
  readonly ran: R;
}

/**
 * Runs `work` under a hold. It gives back what it used, and that is settled; where it throws, what was streamed until
 * then is settled, else the hold is void, and the same error is thrown on. Where it gives back no usage, too, what was
 * streamed is settled; where nothing was, the hold is void.
 * @throws HoldDenied, SettleUndelivered, UsageMissing, and what `work` throws
 */
export async function withHold<R extends Spent>(
  request: HoldRequest,
  work: (hold: OpenHold) => Promise<R>,
  context: HoldContext,
): Promise<RanUnderHold<R>> {
  const hold = await openHold(request, context);
  let ran: R;
  let spent: Spent | null;
  try {
    ran = await work(hold);
    spent = spentOf(ran);
  } catch (error) {
    await hold.end(error);
    throw error;
  }
  const charge = spent === null ? await hold.end() : await hold.settle(spent);
  if (charge === null) throw new UsageMissing(hold.id);
  return { charge, ran };
}

/** The compiler asks for usage; a caller without one may give back nothing all the same, or counts that are not there. */
function spentOf(ran: Partial<Spent> | null | undefined): Spent | null {
  const { usage, cost } = ran ?? {};
  if (usage === null || typeof usage !== 'object') return null;
  if (Object.values(usage).every((count) => count === undefined)) return null;
  return cost === undefined ? { usage } : { usage, cost };
}
