/**
 * The one contract of every event store. An adapter's test opens its store and hands it over; what a caller could
 * tell apart between two adapters fails here.
 */
import type { Test } from 'tap';
import { appendingContract } from './contract/appending.ts';
import { keysContract } from './contract/keys.ts';
import { racingContract } from './contract/racing.ts';
import { readingContract } from './contract/reading.ts';
import { textsContract } from './contract/texts.ts';
import type { EventStore } from './port.ts';

/** Opens one store, runs every rule on it and closes it. The store may hold other data. */
export async function eventStoreContract(t: Test, open: () => Promise<EventStore>): Promise<void> {
  const store = await open();
  t.teardown(() => store.close());
  await t.test('appending', (t) => appendingContract(t, store));
  await t.test('keys', (t) => keysContract(t, store));
  await t.test('texts', (t) => textsContract(t, store));
  await t.test('reading', (t) => readingContract(t, store));
  await t.test('racing', (t) => racingContract(t, store));
}
