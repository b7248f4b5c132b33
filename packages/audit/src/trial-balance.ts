/** The trial balance at a moment, from the postings of every entry: each account by unit, and totals that are zero (L2). */
import type { EventStore } from '@tallystick/event-store';
import type { AsOf } from './as-of.ts';
import { byText, type LastEvent, lastOf } from './balance-at.ts';
import { Books } from './books.ts';
import { textOf } from './decimal.ts';
import type { AuditedEvent } from './event.ts';
import { Examiner, type Found } from './examine/examiner.ts';
import { type ScanOptions, scan } from './scan.ts';

/** How far a reader of the whole store has come. */
export interface ScanProgress {
  readonly events: number;
  readonly position: bigint;
}

/** With what was found wrong: entries that do not come to zero are where a total that is not zero comes from. */
export interface TrialBalanceAt extends Found {
  /** Credits first. */
  readonly units: readonly {
    readonly unit: string;
    readonly total: string;
    readonly accounts: readonly { readonly account: string; readonly balance: string }[];
  }[];
  /** Null where nothing had been recorded. */
  readonly last: LastEvent | null;
}

export async function trialBalanceAt(
  store: EventStore,
  asOf: AsOf | null,
  onProgress?: (progress: ScanProgress) => void,
): Promise<TrialBalanceAt> {
  const books = new Books();
  const examiner = new Examiner(asOf);
  const options: ScanOptions = asOf !== null && 'position' in asOf ? { until: asOf.position } : {};
  let last: AuditedEvent | null = null;
  let events = 0;
  for await (const page of scan(store, options)) {
    for (const recorded of page) {
      const event = examiner.examine(recorded);
      if (event === null) continue;
      last = event;
      books.post(event.entry);
    }
    events += page.length;
    onProgress?.({ events, position: last?.position ?? 0n });
  }
  return { units: unitsOf(books), last: last === null ? null : lastOf(last), ...examiner.end() };
}

function unitsOf(books: Books): TrialBalanceAt['units'] {
  const names = [...books.units.keys()].sort(
    (a, b) => Number(b === 'credits') - Number(a === 'credits') || byText(a, b),
  );
  return names.map((unit) => {
    const accounts = [...(books.units.get(unit) ?? [])]
      .filter(([, steps]) => steps !== 0n)
      .map(([account, steps]) => ({ account, balance: textOf(steps) }))
      .sort((a, b) => byText(a.account, b.account));
    return { unit, total: textOf(books.total(unit)), accounts };
  });
}
