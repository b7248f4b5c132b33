/** Commands as the API would make them of requests: with their keys, and a fingerprint over what the client sent. */
import { type Money, parseCredits } from '../amount.ts';
import { canonical } from '../canonical.ts';
import { keys } from '../ids.ts';
import type { Usage } from '../usage.ts';
import type { WalletCommand } from '../wallet/commands.ts';
import { DEFAULT_PRIORITY } from '../wallet/credit.ts';
import type { AccountTerms } from '../wallet/events.ts';

const printed = (sent: object): string =>
  canonical(JSON.parse(JSON.stringify(sent, (_, value) => (typeof value === 'bigint' ? `${value}` : value))));

const TERMS: AccountTerms = { price_book: null, overdraft_limit: '0', time_zone: 'UTC', currency: null };

export function open(terms: Partial<AccountTerms> = {}): WalletCommand {
  const whole = { ...TERMS, ...terms };
  return { type: 'OpenAccount', key: keys.open, fingerprint: printed(whole), terms: whole };
}

export function change(terms: Partial<AccountTerms>): WalletCommand {
  return { type: 'ChangeAccount', key: null, fingerprint: null, terms };
}

export function freeze(reference: string, reason = 'dispute'): WalletCommand {
  return { type: 'FreezeAccount', key: null, fingerprint: null, reason, reference };
}

export function unfreeze(reference: string): WalletCommand {
  return { type: 'UnfreezeAccount', key: null, fingerprint: null, reference };
}

interface Marks {
  readonly expiresAt?: number | null;
  readonly priority?: number;
}

export function topUp(
  reference: string,
  credits: string,
  { paid, source = 'stripe', ...marks }: Marks & { paid?: string | Money; source?: string } = {},
): WalletCommand {
  const fields = {
    type: 'TopUpCredits' as const,
    source,
    reference,
    credits: parseCredits(credits),
    paid: paid === undefined ? null : typeof paid === 'string' ? { amount: paid, currency: 'USD' } : paid,
    expiresAt: marks.expiresAt ?? null,
    priority: marks.priority ?? DEFAULT_PRIORITY,
  };
  return { ...fields, key: keys.topUp(source, reference), fingerprint: printed(fields) };
}

export function grant(
  reference: string,
  credits: string,
  { kind = 'promo', ...marks }: Marks & { kind?: string } = {},
): WalletCommand {
  const fields = {
    type: 'GrantCredits' as const,
    kind,
    reference,
    credits: parseCredits(credits),
    expiresAt: marks.expiresAt ?? null,
    priority: marks.priority ?? DEFAULT_PRIORITY,
  };
  return { ...fields, key: keys.grant(kind, reference), fingerprint: printed(fields) };
}

export function adjust(reference: string, credits: string): WalletCommand {
  const fields = {
    type: 'AdjustCredits' as const,
    credits: parseCredits(credits),
    reason: 'a reason',
    reference,
  };
  return { ...fields, key: keys.adjust(reference), fingerprint: printed(fields) };
}

export interface Use {
  readonly model?: string;
  readonly source?: string;
  readonly cost?: Money;
  readonly hold?: string;
  readonly occurredAt?: number;
  readonly metadata?: object;
}

/** `usage` as a number: so many calls of a model where one costs a credit. */
export function charge(
  id: string,
  usage: Usage | number,
  use: Use = {},
  mode: 'charge' | 'record' = 'charge',
): WalletCommand {
  const source = use.source ?? '';
  const fields = {
    type: 'ChargeUsage' as const,
    id,
    source,
    model: use.model ?? 'fine',
    usage: typeof usage === 'number' ? { calls: usage } : usage,
    cost: use.cost ?? null,
    hold: use.hold ?? null,
    occurredAt: use.occurredAt ?? null,
  };
  const key = keys.usage(source, id);
  return { ...fields, mode, metadata: use.metadata ?? null, key, fingerprint: printed(fields) };
}

export function record(id: string, usage: Usage | number, use: Use = {}): WalletCommand {
  return charge(id, usage, use, 'record');
}

export function hold(id: string, estimate: Usage | number, seconds = 60, model = 'fine'): WalletCommand {
  const fields = {
    type: 'PlaceHold' as const,
    hold: id,
    model,
    estimate: typeof estimate === 'number' ? { calls: estimate } : estimate,
    expiresInMs: seconds * 1000,
  };
  return { ...fields, key: keys.hold(id), fingerprint: printed(fields) };
}

export function extend(
  id: string,
  estimate: Usage | number | null,
  seconds: number | null = null,
): WalletCommand {
  return {
    type: 'ExtendHold',
    key: null,
    fingerprint: null,
    hold: id,
    estimate: typeof estimate === 'number' ? { calls: estimate } : estimate,
    expiresInMs: seconds === null ? null : seconds * 1000,
  };
}

export function settle(id: string, usage: Usage | number, cost: Money | null = null): WalletCommand {
  const fields = {
    type: 'SettleHold' as const,
    hold: id,
    usage: typeof usage === 'number' ? { calls: usage } : usage,
    cost,
  };
  return { ...fields, key: keys.settle(id), fingerprint: printed(fields) };
}

export function voidHold(id: string): WalletCommand {
  return { type: 'VoidHold', key: keys.void(id), fingerprint: 'void', hold: id };
}

export function reprice(id: string, source = ''): WalletCommand {
  return { type: 'RepriceUsage', key: keys.reprice(source, id), fingerprint: 'reprice', id, source };
}

export function reverse(revision: number, allowDebt = false): WalletCommand {
  const fields = { type: 'ReverseEntry' as const, revision, reason: 'a mistake', allowDebt };
  return { ...fields, key: keys.reverse(revision), fingerprint: printed(fields) };
}

export const carryOutDues: WalletCommand = { type: 'CarryOutDues', key: null, fingerprint: null };
