/** A store that is watched from outside, for metrics and traces: its appends, and the pages of its whole log. */
import { type Append, type AppendResult, type EventStore, type Page, StoreUnavailable } from './port.ts';

/** As the store answered; `failed` is a bug, thrown. */
export type AppendOutcome = AppendResult['status'] | StoreUnavailable['outcome'] | 'failed';

/** Called when an append is handed to the store; what it returns is called when the store has answered. */
export type AppendObserver = (append: Append) => (outcome: AppendOutcome) => void;

/** None of them may throw. */
export interface StoreObservers {
  readonly onAppend?: AppendObserver;
  readonly onPage?: (page: Page) => void;
}

export function observeStore(store: EventStore, { onAppend, onPage }: StoreObservers): EventStore {
  return {
    enforcesKeys: store.enforcesKeys,
    append: onAppend === undefined ? (append) => store.append(append) : observedAppend(store, onAppend),
    readStream: (stream, range) => store.readStream(stream, range),
    readRevisions: (stream, revisions) => store.readRevisions(stream, revisions),
    head: (stream) => store.head(stream),
    async readAll(range) {
      const page = await store.readAll(range);
      onPage?.(page);
      return page;
    },
    watch: (ring, categories) => store.watch(ring, categories),
    close: () => store.close(),
  };
}

function observedAppend(store: EventStore, onAppend: AppendObserver): EventStore['append'] {
  return async (append) => {
    const ended = onAppend(append);
    try {
      const result = await store.append(append);
      ended(result.status);
      return result;
    } catch (error) {
      ended(error instanceof StoreUnavailable ? error.outcome : 'failed');
      throw error;
    }
  };
}
