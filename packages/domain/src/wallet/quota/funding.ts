/**
 * Which quotas pay for a usage, and what of it is left to be priced (billing rules 4, 5).
 * - the most specific first: its own model before `*`, calls before tokens, what ends soonest, what is oldest
 * - calls cover a call whole; of a usage of several calls, as many of them as there are, with their share of everything
 * - tokens cover the dimensions that count for them, spread by largest remainder
 * - an estimate is at least one call and one token (`measure.ts`): what it does not name is covered and missed, not priced
 * - nothing is decided here about what happens with the rest
 */
import { smaller } from '../../amount.ts';
import { ANY_MODEL, type IncludedLine, type QuotaUnit, TOKEN_DIMENSIONS } from '../../plans/terms.ts';
import { DIMENSIONS, type Dimension, thousandths, type Usage, usedDimensions } from '../../usage.ts';
import type { Wallet } from '../state.ts';
import type { Covered } from './events.ts';
import { type Call, callsOf, NO_USAGE, tokensOf, unnamedTokens } from './measure.ts';
import type { Quota, QuotaPin } from './state.ts';

export interface Take {
  readonly quota: Quota;
  readonly quantity: bigint;
}

export interface Funding {
  readonly covered: readonly Covered[];
  readonly takes: readonly Take[];
  /** Not covered; only what is above 0. */
  readonly rest: Usage;
  /** The first unit that ran out although the plan includes it for this model; null: all it includes was there. */
  readonly lacking: QuotaUnit | null;
  /** The plan includes something for this model. */
  readonly isIncluded: boolean;
}

/** What a line or a quota counts. */
interface Metered {
  readonly unit: QuotaUnit;
  readonly model: string;
  readonly counted: readonly Dimension[] | null;
}

interface Source extends Metered {
  /** Null: a line without limit. */
  readonly quota: Quota | null;
  readonly there: bigint;
  readonly endsAt: number;
  readonly born: number;
}

const NOTHING: readonly never[] = [];
const UNLIMITED = 'unlimited';

export const isFor = (model: string, { model: of }: { readonly model: string }): boolean =>
  of === ANY_MODEL || of === model;

/** The lines of the plan in force; not `open`: its period is unpaid, and nothing is included for the time being. */
export interface Included {
  readonly lines: readonly IncludedLine[];
  readonly open: boolean;
}

export function fundUsage(
  wallet: Readonly<Wallet>,
  { lines, open }: Included,
  { model, usage, now, hold, isEstimate }: Call,
): Funding {
  const ofModel = lines.filter((line) => isFor(model, line));
  const sources = sourcesOf(wallet, open ? ofModel : NOTHING, model, now, hold?.quotaPins ?? NOTHING);
  const covered: Covered[] = [];
  const takes: Take[] = [];
  const unnamed = isEstimate ? unnamedTokens(ofModel, usage) : NO_USAGE;
  const named = (part: Usage): Usage => less(part, unnamed);
  let rest: Usage = { ...positive(usage), ...unnamed };
  let calls = callsOf(usage);
  // Tokens may cover a call wholly: then no quota in calls is needed for it. What it does not name says nothing of that.
  const isNamed = unnamed === NO_USAGE || usedDimensions(usage).length > 0;
  const isSpent = (): boolean => isNamed && covered.length > 0 && usedDimensions(rest).length === 0;
  for (const source of sources) {
    if (calls === 0n || isSpent()) break;
    const wanted = source.unit === 'calls' ? calls : tokensOf(rest, source.counted);
    const quantity = source.quota === null ? wanted : smaller(wanted, source.there);
    if (quantity === 0n) continue;
    const part =
      source.unit === 'calls'
        ? shareOfCalls(rest, quantity, calls)
        : shareOfTokens(rest, quantity, wanted, source.counted);
    rest = less(rest, part);
    if (source.unit === 'calls') calls -= quantity;
    if (source.quota !== null) takes.push({ quota: source.quota, quantity });
    covered.push({
      unit: source.unit,
      quantity: quantity.toString(),
      model: source.model,
      ...(source.quota === null ? {} : { quota: source.quota.id }),
      usage: source.unit === 'calls' ? named(part) : part,
    });
  }
  if (calls === 0n || isSpent()) {
    rest = NO_USAGE;
    calls = 0n;
  }
  const lacking = calls === 0n ? null : lackingOf(ofModel.map(meteredOf), rest);
  return { covered, takes, rest: named(rest), lacking, isIncluded: ofModel.length > 0 };
}

function sourcesOf(
  wallet: Readonly<Wallet>,
  lines: readonly IncludedLine[],
  model: string,
  now: number,
  pins: readonly QuotaPin[],
): readonly Source[] {
  const sources: Source[] = [];
  for (const line of lines) {
    if (line.amount !== UNLIMITED) continue;
    sources.push({ ...meteredOf(line), quota: null, there: 0n, endsAt: Number.MAX_SAFE_INTEGER, born: 0 });
  }
  for (const quota of wallet.quotas) {
    if (!isFor(model, quota)) continue;
    const pinned = pins.find((pin) => pin.quota === quota.id)?.quantity ?? 0n;
    const isOpen = quota.startsAt <= now && now < quota.expiresAt;
    const there = pinned + (isOpen ? quota.free : 0n);
    if (there === 0n) continue;
    const { unit, model: of, counted, expiresAt: endsAt, born } = quota;
    sources.push({ unit, model: of, counted, quota, there, endsAt, born });
  }
  if (sources.length < 2) return sources;
  const isPinned = (source: Source): boolean => pins.some((pin) => pin.quota === source.quota?.id);
  return sources.sort(
    (a, b) =>
      Number(isPinned(b)) - Number(isPinned(a)) ||
      Number(a.model === ANY_MODEL) - Number(b.model === ANY_MODEL) ||
      Number(a.unit === 'tokens') - Number(b.unit === 'tokens') ||
      a.endsAt - b.endsAt ||
      a.born - b.born,
  );
}

function meteredOf({ unit, model, counted_dimensions }: IncludedLine): Metered {
  return { unit, model, counted: counted_dimensions ?? null };
}

function lackingOf(lines: readonly Metered[], rest: Usage): QuotaUnit | null {
  if (lines.some(({ unit }) => unit === 'calls')) return 'calls';
  return lines.some(({ counted }) => tokensOf(rest, counted) > 0n) ? 'tokens' : null;
}

/** The share that `quantity` of `calls` calls have in everything: rounded down, so that what is left is never less. */
function shareOfCalls(usage: Usage, quantity: bigint, calls: bigint): Usage {
  if (quantity === calls) return usage;
  const part: { [D in Dimension]?: number } = {};
  for (const dimension of usedDimensions(usage)) {
    const step = DIMENSIONS[dimension] === 'whole' ? 1000n : 1n;
    const whole = thousandths(dimension, usage[dimension] ?? 0) / step;
    const share = dimension === 'calls' ? quantity : (whole * quantity) / calls;
    if (share > 0n) part[dimension] = Number(share * step) / 1000;
  }
  return part;
}

/** `quantity` of the `wanted` tokens that count, by largest remainder; equal remainders in the order of dimensions. */
function shareOfTokens(
  usage: Usage,
  quantity: bigint,
  wanted: bigint,
  counted: readonly Dimension[] | null,
): Usage {
  const parts = (counted ?? TOKEN_DIMENSIONS)
    .map((dimension) => ({ dimension, tokens: BigInt(usage[dimension] ?? 0) }))
    .filter(({ tokens }) => tokens > 0n)
    .map(({ dimension, tokens }) => ({
      dimension,
      share: (tokens * quantity) / wanted,
      remainder: (tokens * quantity) % wanted,
    }));
  let left = parts.reduce((sum, { share }) => sum - share, quantity);
  for (const part of [...parts].sort((a, b) => Number(b.remainder - a.remainder))) {
    if (left === 0n) break;
    part.share += 1n;
    left -= 1n;
  }
  const shares = parts.filter(({ share }) => share > 0n);
  return Object.fromEntries(shares.map(({ dimension, share }) => [dimension, Number(share)]));
}

function less(usage: Usage, part: Usage): Usage {
  if (part === usage) return NO_USAGE;
  if (part === NO_USAGE) return usage;
  const rest: { [D in Dimension]?: number } = {};
  for (const dimension of usedDimensions(usage)) {
    const left = thousandths(dimension, usage[dimension] ?? 0) - thousandths(dimension, part[dimension] ?? 0);
    if (left > 0n) rest[dimension] = Number(left) / 1000;
  }
  return rest;
}

function positive(usage: Usage): Usage {
  const used: { [D in Dimension]?: number } = {};
  for (const dimension of usedDimensions(usage)) used[dimension] = usage[dimension] ?? 0;
  return used;
}
