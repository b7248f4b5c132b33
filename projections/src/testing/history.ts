/** Histories in which everything happens to a few wallets, from a seed: the same seed, the same history. */
import type { PriceBookContent, WalletCommand } from '@tallystick/domain';
import { BOOK, CREDIT, type Plain, type TestLedger } from './ledger.ts';
import { publishPlans, subscribing } from './subscribing.ts';

type Command = Plain<WalletCommand>;
type Roll = (bound: number) => number;

/** Numbers below `bound`, from a seed (mulberry32). */
export function dice(seed: number): Roll {
  let state = seed >>> 0;
  return (bound) => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) % bound;
  };
}

export const charge = (
  id: string,
  calls: number,
  more: Partial<Extract<Command, { type: 'ChargeUsage' }>> = {},
): Command => ({
  type: 'ChargeUsage',
  id,
  source: '',
  model: 'plain',
  usage: { calls },
  cost: null,
  mode: 'charge',
  hold: null,
  occurredAt: null,
  metadata: null,
  ...more,
});

export const topUp = (
  reference: string,
  credits: number,
  more: Partial<Extract<Command, { type: 'TopUpCredits' }>> = {},
): Command => ({
  type: 'TopUpCredits',
  source: 'card',
  reference,
  credits: BigInt(credits) * CREDIT,
  paid: null,
  expiresAt: null,
  priority: 100,
  ...more,
});

const DAY = 24 * 3_600_000;

/** What a wallet has gone through, to do something with it later. */
interface Past {
  readonly holds: string[];
  readonly usages: string[];
  readonly freezes: string[];
  revision: number;
}

/** Opens `accounts` and does `steps` things to them. Answers the accounts. With `subscriptions` they have plans as well. */
export async function liveThrough(
  ledger: TestLedger,
  {
    seed,
    steps,
    accounts = 3,
    subscriptions = false,
  }: { seed: number; steps: number; accounts?: number; subscriptions?: boolean },
): Promise<string[]> {
  const roll = dice(seed);
  const pasts = new Map<string, Past>();
  if (subscriptions) publishPlans(ledger);
  for (let n = 0; n < accounts; n++) {
    const name = `acme+${n}@example.org`;
    pasts.set(name, { holds: [], usages: [], freezes: [], revision: 0 });
    await ledger.open(name, n === 0 ? '50' : '0');
    await ledger.setProfile(name, `Acme ${n}`, { plan: n });
  }
  await ledger.createKey('k1');
  await ledger.createKey('k2');
  await ledger.revokeKey('k2');
  const names = [...pasts.keys()];
  for (let step = 0; step < steps; step++) {
    const account = names[roll(names.length)] ?? '';
    const past = pasts.get(account);
    if (past === undefined) continue;
    const { state, revision } = await ledger.wallet(account);
    past.revision = revision;
    if (subscriptions && roll(4) === 0) {
      const periodStart = Date.parse(state.subscription?.now.period_start ?? '2026-03-01T00:00:00Z');
      await ledger.run(account, ...subscribing(ledger, roll, `s${step}`, periodStart));
    }
    await ledger.run(account, ...happenings(ledger, roll, past, `i${step}`));
    if (roll(4) === 0) ledger.advance(roll(2 * DAY));
    if (step === Math.floor(steps / 2)) ledger.publish(withModel('unheard-of'));
  }
  return names;
}

function withModel(name: string): PriceBookContent {
  return { ...BOOK, models: { ...BOOK.models, [name]: { prices: { calls: { credits: '2.5', per: 1 } } } } };
}

function happenings(ledger: TestLedger, roll: Roll, past: Past, id: string): Command[] {
  const expiresAt = roll(2) === 0 ? null : ledger.now() + roll(5 * DAY) + 1;
  const some = (of: readonly string[]): string => of[of.length - 1 - roll(Math.min(6, of.length))] ?? 'none';
  switch (roll(14)) {
    case 0:
      return [topUp(id, 1 + roll(200), { expiresAt, paid: { amount: `${roll(300)}.37`, currency: 'EUR' } })];
    case 1:
      return [
        {
          type: 'GrantCredits',
          kind: 'welcome',
          reference: id,
          credits: CREDIT * 7n,
          expiresAt,
          priority: roll(3),
        },
      ];
    case 2:
      return [
        {
          type: 'AdjustCredits',
          credits: BigInt(roll(60) - 40) * CREDIT || 1n,
          reason: 'why',
          reference: id,
        },
      ];
    case 3:
    case 4:
      past.holds.push(id, `${id}-b`);
      return [place(id, 1 + roll(40), 1 + roll(2 * DAY)), place(`${id}-b`, 1 + roll(5), 1 + roll(DAY))];
    case 5:
      return [extend(some(past.holds), 1 + roll(60), roll(2) ? null : DAY)];
    case 6:
      return [{ type: 'SettleHold', hold: some(past.holds), usage: { calls: 1 + roll(50) }, cost: null }];
    case 7:
      return [charge(id, 1 + roll(30), { hold: some(past.holds), source: 'gateway', mode: 'record' })];
    case 8:
      return [{ type: 'VoidHold', hold: some(past.holds) }];
    case 9:
      return [
        {
          type: 'ReverseEntry',
          revision: roll(past.revision + 1),
          reason: 'mistake',
          allowDebt: roll(2) === 0,
        },
      ];
    case 10:
      return [{ type: 'RepriceUsage', id: some(past.usages), source: '' }, { type: 'CarryOutDues' }];
    case 11:
      return freezing(roll, past, id);
    default:
      past.usages.push(id, `${id}-b`);
      return charges(roll, id);
  }
}

function freezing(roll: Roll, past: Past, id: string): Command[] {
  const reference = past.freezes.pop();
  if (reference !== undefined) return [{ type: 'UnfreezeAccount', reference }];
  const terms = { time_zone: `Etc/GMT+${roll(12)}`, overdraft_limit: String(roll(90)) };
  if (roll(2) === 0) return [{ type: 'ChangeAccount', terms }];
  past.freezes.push(id);
  return [{ type: 'FreezeAccount', reason: 'odd', reference: id }];
}

function charges(roll: Roll, id: string): Command[] {
  const mode = roll(3) === 0 ? 'record' : 'charge';
  const model = ['plain', 'maker/costly', 'maker/costly', 'unheard-of'][roll(4)] ?? 'plain';
  const cost = roll(2) === 0 ? null : { amount: '0.50', currency: 'EUR' };
  return [charge(id, 1 + roll(20), { mode, model }), charge(`${id}-b`, 1, { mode, model, cost })];
}

const extend = (hold: string, calls: number, expiresInMs: number | null): Command => ({
  type: 'ExtendHold',
  hold,
  estimate: { calls },
  expiresInMs,
});

const place = (hold: string, calls: number, expiresInMs: number): Command => ({
  type: 'PlaceHold',
  hold,
  model: 'plain',
  estimate: { calls },
  expiresInMs,
});
