/** Usage: charged one by one through the gathering of `gathering.ts`, alone, or as an array; and read. */
import { areResults } from './answers.ts';
import { LedgerRefused } from './errors.ts';
import { openGathering } from './gathering.ts';
import { type OfSource, usageReads } from './reads.ts';
import type { Balance, BurnedLot, Metadata, Money, Problem, QuotaPart, Usage } from './shapes.ts';
import type { Transport } from './transport.ts';

export interface UsageItem {
  /** Of the caller's own: sent again under it, the usage is charged once. */
  readonly id: string;
  readonly account: string;
  readonly model: string;
  readonly usage: Usage;
  readonly cost?: Money;
  /** `record`: the call has run, and is booked whatever happens. Left out: `charge`. */
  readonly mode?: 'charge' | 'record';
  readonly hold?: string;
  readonly occurred_at?: string;
  /** Whose ids these are: two gateways that both count 1, 2, 3 must not collide. */
  readonly source?: string;
  readonly metadata?: Metadata;
}

/**
 * Without an id it gets one before it is first sent; it is in the answer. Where no answer comes, only an id of the caller's
 * own finds out what has happened: called once more without one, the usage would be charged twice.
 */
export type NewUsage = Omit<UsageItem, 'id'> & { readonly id?: string };

export interface ChargedUsage {
  readonly id: string;
  readonly entry_id: string;
  readonly status: 'charged';
  readonly credits: string;
  readonly balance: Balance;
  /** What paid; nothing of what went into debt. */
  readonly lots: readonly BurnedLot[];
  readonly position: string;
  /** What quotas paid for; left out where they paid for nothing. */
  readonly quota?: readonly QuotaPart[];
  /** What the plan would have refused, had the call not run. */
  readonly violations?: readonly string[];
  /** Settled after its hold had expired. */
  readonly late?: true;
  /** Was unpriced at first: by which price it was charged. */
  readonly repriced?: string;
  /** Has been taken back since. */
  readonly reversed?: true;
}

/** Recorded and parked: it has no price yet. */
export interface UnpricedUsage {
  readonly id: string;
  readonly status: 'unpriced';
  readonly reason: string;
  readonly position: string;
}

export interface RefusedUsage {
  readonly id: string;
  readonly status: 'refused';
  readonly problem: Problem;
}

/** Of an item of an array: it had been recorded before. */
interface Replayable {
  readonly replayed?: true;
}
export type RecordedItem = (ChargedUsage & Replayable) | (UnpricedUsage & Replayable);

export interface UsageResults {
  readonly results: readonly (RecordedItem | RefusedUsage)[];
}

export interface UsageRoutes {
  readonly 'POST /v1/usage': {
    readonly path: undefined;
    readonly query: undefined;
    readonly body: UsageItem | readonly UsageItem[];
    readonly answers: {
      readonly 200: ChargedUsage | UsageResults;
      readonly 201: ChargedUsage;
      readonly 202: UnpricedUsage;
    };
  };
  readonly 'POST /v1/accounts/{id}/usage/{usage_id}/reprice': {
    readonly path: { readonly id: string; readonly usage_id: string };
    readonly query: OfSource;
    readonly body: undefined;
    readonly answers: { readonly 200: ChargedUsage; readonly 201: ChargedUsage };
  };
}

/** How calls of `charge` are gathered into arrays. */
export interface Batching {
  /** The longest that a charge waits for others, in milliseconds; 2 unless given. */
  readonly gatherMs?: number;
  /** Items of one array; 1,000 unless given, 5,000 at most. */
  readonly itemsMax?: number;
  /** Arrays on their way at once; 2 unless given. */
  readonly inFlightMax?: number;
  /** Charges without an answer; 10,000 unless given. One more is refused with `QueueFull`. */
  readonly waitingMax?: number;
}

export function usageCalls(transport: Transport, batching: Batching) {
  const gathering = openGathering<RecordedItem>(batching, async (items) => {
    const text = `[${items.map((item) => item.text).join()}]`;
    const fits = (answer: unknown): boolean => areResults(answer, items);
    const answer = await transport.sendText('POST', '/v1/usage', text, { fits });
    return (answer as UsageResults).results.map((result) =>
      result.status === 'refused' ? new LedgerRefused(result.problem) : result,
    );
  });
  return {
    gathering,
    calls: {
      ...usageReads(transport),
      /**
       * One charge, sent together with others that are made at about the same time. Each has a fate of its own.
       * @throws LedgerRefused, LedgerUnreachable, QueueFull, ClientClosed
       */
      async charge(item: NewUsage): Promise<RecordedItem> {
        const named = withId(item);
        return gathering.add({ id: named.id, hold: named.hold, text: JSON.stringify(named) });
      },
      /** One charge in a request of its own, at once. */
      async post(item: NewUsage): Promise<ChargedUsage | UnpricedUsage> {
        const answer = await transport.send('POST /v1/usage', { body: withId(item) });
        // Only an array is answered with results.
        return answer as Exclude<typeof answer, UsageResults>;
      },
      /** Up to 5,000 as one array: a result per item, in order, refused ones among them. */
      async postMany(items: readonly UsageItem[]): Promise<UsageResults['results']> {
        const answer = await transport.send('POST /v1/usage', { body: items });
        return (answer as UsageResults).results;
      },
      /** Charges a parked usage, now that it has a price. For finance. */
      reprice(account: string, id: string, query: OfSource = {}): Promise<ChargedUsage> {
        const path = { id: account, usage_id: id };
        return transport.send('POST /v1/accounts/{id}/usage/{usage_id}/reprice', { path, query });
      },
    },
  };
}

/** Before the first try, so that every try says the same. */
function withId(item: NewUsage): UsageItem {
  return item.id === undefined ? { ...item, id: crypto.randomUUID() } : (item as UsageItem);
}
