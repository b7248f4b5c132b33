/** What an event did, in a line that finance can read. From what the account's owner may see, and nothing else (P8). */
import type { AuditedEvent } from './event.ts';
import { wordsOfBought } from './explain-bought.ts';
import { counted } from './explain-counts.ts';
import type { CoveredText } from './verify/covered.ts';

/** The fields of all events, each where it has them. They are the events' promise (domain, `wallet/events.ts`). */
interface Said {
  readonly credits?: string;
  readonly source?: string;
  readonly kind?: string;
  readonly reference?: string;
  readonly reason?: string;
  readonly usage_id?: string;
  readonly model?: string;
  readonly usage?: Readonly<Record<string, number>>;
  readonly hold?: string;
  readonly by?: string;
  readonly estimate?: Readonly<Record<string, number>>;
  readonly expires_at?: string;
  readonly late?: boolean;
  readonly repriced?: string;
  readonly reverses?: number;
  readonly reversed_type?: string;
  readonly items?: readonly { readonly kind: string; readonly id: string }[];
  readonly covered?: readonly CoveredText[];
  readonly violations?: readonly string[];
}

export function wordsOf({ stream, type, data }: Pick<AuditedEvent, 'stream' | 'type' | 'data'>): string {
  const said = data as Said;
  switch (type) {
    case 'AccountOpened':
      return 'Account opened';
    case 'AccountChanged':
      return `Terms changed: ${changesOf(data)}`;
    case 'AccountFrozen':
      return `Frozen: ${said.reason} (${said.reference})`;
    case 'AccountUnfrozen':
      return `Freeze lifted (${said.reference})`;
    case 'TopUp':
      return `Top-up of ${said.credits} credits from ${said.source}, reference ${said.reference}`;
    case 'CreditsGranted':
      return `Grant of ${said.credits} credits, ${said.kind}, reference ${said.reference}`;
    case 'CreditsAdjusted':
      return `Adjustment of ${said.credits} credits, reference ${said.reference}: ${said.reason}`;
    case 'UsageCharged':
      return `Usage ${usageOf(said)} charged ${said.credits} credits${marksOf(said)}`;
    case 'UsageUnpriced':
      return `Usage ${usageOf(said)} parked without a price (${said.reason})${marksOf(said)}`;
    case 'HoldPlaced':
      return `Hold ${said.hold} placed for ${said.model}: ${said.credits} credits until ${said.expires_at}${marksOf({ covered: said.covered ?? [] })}`;
    case 'HoldExtended':
      return `Hold ${said.hold} extended: ${said.credits} credits in all until ${said.expires_at}${marksOf({ covered: said.covered ?? [] })}`;
    case 'HoldVoided':
      return `Hold ${said.hold} voided`;
    case 'HoldClosed':
      return `Hold ${said.hold} closed by ${said.by}`;
    case 'Expired':
      return `Expired: ${(said.items ?? []).map(expiredText).join(', ')}`;
    case 'EntryReversed':
      return `Entry ${stream}:${said.reverses} (${said.reversed_type}) taken back, ${said.credits} credits: ${said.reason}`;
    default:
      return wordsOfBought({ type, data }) ?? type;
  }
}

function expiredText({ kind, id }: { readonly kind: string; readonly id: string }): string {
  if (kind === 'hold') return `hold ${id}`;
  return kind === 'quota_pins' ? `what holds had kept of ${id}` : id;
}

/** The currency of an account is for finance. */
function changesOf(data: Readonly<Record<string, unknown>>): string {
  const changes = Object.entries(data).filter(([name]) => !['v', 'recorded_at', 'currency'].includes(name));
  return changes.length === 0
    ? 'none that is shown'
    : changes.map(([name, value]) => `${name} ${value ?? 'none'}`).join(', ');
}

function usageOf({ usage_id, source, model, usage = {} }: Said): string {
  const quantities = Object.entries(usage).map(([dimension, quantity]) => counted(quantity, dimension));
  const by = source === undefined || source === '' ? '' : ` from ${source}`;
  return `${usage_id}${by}, ${model}, ${quantities.join(' + ')}`;
}

/** A call may be paid by several quotas and by credits: what each has of it. */
function coveredText({ quantity, unit, quota, model }: CoveredText): string {
  const by = quota ?? (model === '*' ? 'the plan, without limit' : `the plan, without limit for ${model}`);
  return `${counted(quantity, unit)} covered by ${by}`;
}

const VIOLATIONS: Readonly<Record<string, string>> = {
  quota_exhausted: 'beyond what the plan includes, which is not charged',
  cap_reached: 'beyond a cap of the plan',
  model_not_allowed: 'of a model that the plan does not allow',
};

/** By what a call was paid that no price was asked for, or in part; what its plan would have refused. */
export function fundingOf(data: AuditedEvent['data']): string[] {
  const { covered = [], violations = [] } = data as Said;
  return [...covered.map(coveredText), ...violations.map((violation) => VIOLATIONS[violation] ?? violation)];
}

function marksOf({ hold, late, repriced, covered = [], violations = [] }: Said): string {
  const marks = [
    ...fundingOf({ covered, violations }),
    ...(hold === undefined ? [] : [`settles hold ${hold}`]),
    ...(late ? ['after it had expired'] : []),
    ...(repriced === undefined
      ? []
      : [
          `was parked before, priced by ${repriced === 'in_force' ? 'the version in force' : 'a later version'}`,
        ]),
  ];
  return marks.length === 0 ? '' : `; ${marks.join(', ')}`;
}
