/** What an event did, in a line that finance can read. From what the account's owner may see, and nothing else (P8). */
import type { AuditedEvent } from './event.ts';

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
      return `Hold ${said.hold} placed for ${said.model}: ${said.credits} credits until ${said.expires_at}`;
    case 'HoldExtended':
      return `Hold ${said.hold} extended: ${said.credits} credits in all until ${said.expires_at}`;
    case 'HoldVoided':
      return `Hold ${said.hold} voided`;
    case 'HoldClosed':
      return `Hold ${said.hold} closed by ${said.by}`;
    case 'Expired':
      return `Expired: ${(said.items ?? []).map(({ kind, id }) => (kind === 'hold' ? `hold ${id}` : id)).join(', ')}`;
    case 'EntryReversed':
      return `Entry ${stream}:${said.reverses} (${said.reversed_type}) taken back, ${said.credits} credits: ${said.reason}`;
    default:
      return type;
  }
}

/** The currency of an account is for finance. */
function changesOf(data: Readonly<Record<string, unknown>>): string {
  const changes = Object.entries(data).filter(([name]) => !['v', 'recorded_at', 'currency'].includes(name));
  return changes.length === 0
    ? 'none that is shown'
    : changes.map(([name, value]) => `${name} ${value ?? 'none'}`).join(', ');
}

function usageOf({ usage_id, source, model, usage = {} }: Said): string {
  const quantities = Object.entries(usage).map(([dimension, quantity]) => `${quantity} ${dimension}`);
  const by = source === undefined || source === '' ? '' : ` from ${source}`;
  return `${usage_id}${by}, ${model}, ${quantities.join(' + ')}`;
}

function marksOf({ hold, late, repriced }: Said): string {
  const marks = [
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
