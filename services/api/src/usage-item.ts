/** One usage as it is posted, alone or in an array: its shape, and how it becomes a command. */
import { keys, type WalletCommand } from '@tallystick/domain';
import { type Static, Type } from 'typebox';
import { Compile } from 'typebox/compile';
import { fingerprint } from './fingerprint.ts';
import {
  canonicalUsage,
  checkNotAhead,
  checkText,
  type Faults,
  instantOf,
  metadataOf,
  moneyOf,
  USAGE_METADATA_MAX,
  usageOf,
} from './parse.ts';
import { invalid, type Problem } from './problems.ts';
import { closed, Id, Instant, Metadata, Model, MoneyBody, UsageBody } from './schemas.ts';
import { problemWith } from './validation.ts';

export const UsageItem = closed({
  id: { ...Id, description: 'Of the call, by you: the same again charges nothing.' },
  account: Id,
  model: Model,
  usage: UsageBody,
  cost: Type.Optional({ ...MoneyBody, description: 'What the call cost you, where your supplier says it.' }),
  mode: Type.Optional(
    Type.Union([Type.Literal('charge'), Type.Literal('record')], {
      description:
        '`charge`: refused where it cannot be paid. `record`: the call has run; it is booked whatever happens. Left out: `charge`.',
    }),
  ),
  hold: Type.Optional({ ...Id, description: 'That was placed for this call: it is settled by it.' }),
  occurred_at: Type.Optional({
    ...Instant,
    description: 'RFC 3339 with its zone: prices are those of then. Left out: now.',
  }),
  source: Type.Optional({ ...Id, description: 'Who reports; ids are unique within it.' }),
  metadata: Type.Optional(Metadata),
});
export type UsageItem = Static<typeof UsageItem>;

const shape = Compile(UsageItem);

export type ReadItem =
  | { readonly ok: true; readonly account: string; readonly command: WalletCommand }
  | { readonly ok: false; readonly problem: Problem };

/** `now` in milliseconds since 1970. */
export function readUsageItem(value: unknown, now: number): ReadItem {
  if (!shape.Check(value)) return { ok: false, problem: problemWith(shape, value) };
  const item: UsageItem = value;
  const { id, account, model, mode = 'charge', hold = null, source = '' } = item;
  const faults: Faults = [];
  checkText(model, 'model', faults);
  const usage = usageOf(item.usage, 'usage', faults);
  const cost = moneyOf(item.cost, 'cost', faults);
  const occurredAt = instantOf(item.occurred_at, 'occurred_at', faults);
  checkNotAhead(occurredAt, now, 'occurred_at', faults);
  const metadata = metadataOf(item.metadata, 'metadata', USAGE_METADATA_MAX, faults);
  if (faults.length > 0) return { ok: false, problem: invalid(faults) };
  const command: WalletCommand = {
    type: 'ChargeUsage',
    key: keys.usage(source, id),
    fingerprint: usageFingerprint({ id, model, usage, cost, hold, occurredAt }),
    id,
    source,
    model,
    usage,
    cost,
    mode,
    hold,
    occurredAt,
    metadata,
  };
  return { ok: true, account, command };
}

export interface Fingerprinted {
  readonly id: string;
  readonly model: string;
  readonly usage: UsageItem['usage'];
  readonly cost: { readonly amount: string; readonly currency: string } | null;
  readonly hold: string | null;
  readonly occurredAt: number | null;
}

/**
 * Settling hold H, and posting the settled call as usage H, are one fact (rule 13): so the hold says nothing where it
 * is named like the usage, and both ways come to one fingerprint.
 */
export function usageFingerprint({ id, model, usage, cost, hold, occurredAt }: Fingerprinted): string {
  return fingerprint({
    cost: cost ?? undefined,
    hold: hold === null || hold === id ? undefined : hold,
    model,
    occurred_at: occurredAt ?? undefined,
    usage: canonicalUsage(usage),
  });
}
