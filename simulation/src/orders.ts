/** What clients ask for: commands as the API makes them, out of few ids, so that they meet one another. */
import type { AccountTerms, Usage, WalletCommand } from '@tallystick/domain';
import { keyOf, type Plain } from '@tallystick/projections/testing';
import type { Chance } from './chance.ts';

type PlainCommand = Plain<WalletCommand>;

export interface PlannedOrder {
  readonly account: string;
  readonly command: WalletCommand;
}

/** What clients know of an account, together: enough to ask for what may be there. */
interface Known {
  readonly holds: string[];
  readonly usages: string[];
  readonly orders: PlannedOrder[];
  revisions: number;
}

const STEP = 1_000_000n;
const REPEATED = 0.2;

export class Orders {
  readonly #chance: Chance;
  readonly #conflicting: number;
  readonly #accounts: readonly string[];
  readonly #known = new Map<string, Known>();
  #ids = 0;

  constructor(chance: Chance, accounts: readonly string[], conflicting: number) {
    this.#chance = chance;
    this.#accounts = accounts;
    this.#conflicting = conflicting;
    for (const account of accounts)
      this.#known.set(account, { holds: [], usages: [], orders: [], revisions: 0 });
  }

  /** Tells how long an account's stream is at least. */
  noticeRevision(account: string, revision: number): void {
    const known = this.#knownOf(account);
    known.revisions = Math.max(known.revisions, revision + 1);
  }

  opening(account: string): PlannedOrder {
    const terms: AccountTerms = { price_book: null, overdraft_limit: '5', time_zone: 'UTC', currency: null };
    return { account, command: keyed({ type: 'OpenAccount', terms }) };
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
    if (before !== undefined && chance.happens(this.#conflicting)) return altered(before);
    const order = { account, command: keyed(this.#draw(known, now)) };
    known.orders.push(order);
    return order;
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
    ])();
  }

  #incoming(now: number): PlainCommand {
    const chance = this.#chance;
    const credits = BigInt(chance.int(1, 60)) * STEP + (chance.happens(0.3) ? 333_333n : 0n);
    const marks = {
      credits,
      expiresAt: chance.happens(0.5) ? null : now + chance.int(1_000, 60_000),
      priority: chance.pick([100, 100, 50]),
    };
    const reference = this.#id('r');
    if (chance.happens(0.4)) return { type: 'GrantCredits', kind: 'promo', reference, ...marks };
    const amount = `${chance.int(1, 9_999) / 1_000}`;
    const paid = chance.happens(0.7) ? { amount, currency: chance.pick(['USD', 'EUR']) } : null;
    return { type: 'TopUpCredits', source: 'shop', reference, paid, ...marks };
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
      [1, () => ({ type: 'FreezeAccount', reason: 'simulated', reference: 'case' })],
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
    ]);
  }

  #id(kind: string): string {
    this.#ids += 1;
    return `${kind}${this.#ids}`;
  }
}

/** The same key with other content: a conflict where the first is recorded. */
function altered({ account, command }: PlannedOrder): PlannedOrder {
  switch (command.type) {
    case 'TopUpCredits':
    case 'GrantCredits':
      return { account, command: keyed({ ...command, credits: command.credits + 1n }) };
    case 'ChargeUsage':
      return { account, command: keyed({ ...command, model: 'plain', usage: { calls: 1 } }) };
    case 'PlaceHold':
      return { account, command: keyed({ ...command, estimate: { calls: 1 } }) };
    default:
      return { account, command };
  }
}

function keyed(
  plain: PlainCommand & { readonly key?: unknown; readonly fingerprint?: unknown },
): WalletCommand {
  const { key: _key, fingerprint: _fingerprint, ...sent } = plain;
  const fingerprint = JSON.stringify(sent, (_, value) => (typeof value === 'bigint' ? `${value}` : value));
  return { ...plain, key: keyOf(plain), fingerprint } as WalletCommand;
}
