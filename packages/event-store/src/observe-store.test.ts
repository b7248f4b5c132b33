import { randomUUID } from 'node:crypto';
import t from 'tap';
import { draftEvent, expectedHash, hashOf, sealDraft, traceOf } from './codec.ts';
import { createMemoryStore } from './memory.ts';
import { observeStore } from './observe-store.ts';
import { type Append, type EventStore, StoreUnavailable } from './port.ts';

const append = (expected: number, key: string | null = null): Append => ({
  stream: 'wallet-acme',
  expected,
  events: [{ id: randomUUID(), type: 'Made', key, data: '{}', meta: '{}' }],
});

t.test('each append is told once with what the store answered, and answered as it was', async (t) => {
  const outcomes: string[] = [];
  const memory = createMemoryStore();
  const store = observeStore(memory, { onAppend: () => (outcome) => outcomes.push(outcome) });
  t.same(await store.append(append(-1, 'one')), { status: 'appended', position: 1n });
  t.match(await store.append(append(-1)), { status: 'conflict' });
  t.match(await store.append(append(0, 'one')), { status: 'duplicate_keys' });
  t.same(outcomes, ['appended', 'conflict', 'duplicate_keys']);
});

t.test('an outage and a bug are told, and thrown on', async (t) => {
  const faults = [
    new StoreUnavailable('unwritten', ''),
    new StoreUnavailable('unknown', ''),
    new Error('bug'),
  ];
  const outcomes: string[] = [];
  for (const fault of faults) {
    const broken: EventStore = { ...createMemoryStore(), append: () => Promise.reject(fault) };
    const store = observeStore(broken, { onAppend: () => (outcome) => outcomes.push(outcome) });
    await t.rejects(store.append(append(-1)), fault);
  }
  t.same(outcomes, ['unwritten', 'unknown', 'failed']);
});

const TRACE = `00-${'a'.repeat(32)}-${'b'.repeat(16)}-01`;
const seal = (cause: Parameters<typeof draftEvent>[2], key: string | null) =>
  sealDraft(
    draftEvent({ type: 'Made', key, data: {}, facts: {} }, '2026-01-01T00:00:00.000Z', cause, '1:'),
    0,
    'start',
  );

t.test('a traced event carries its trace under its hash; another has not a byte more', async (t) => {
  const { event, hash } = seal({ actor: 'key', request: 'r"1', trace: TRACE }, 'k');
  t.equal(traceOf(event), TRACE);
  t.equal(hashOf(event), hash);
  t.equal(expectedHash('start', event), hash);
  const bent = { ...event, meta: event.meta.replace('bbbb', 'cccc') };
  t.not(expectedHash('start', bent), hash);
  const untraced = seal({ actor: 'key', request: 'r"1' }, 'k').event;
  t.equal(traceOf(untraced), null);
  t.notMatch(untraced.meta, 'trace');
});

t.test('what a caller writes is never taken for a trace', async (t) => {
  const posing = `x","request":"r","trace":"${TRACE}"`;
  t.equal(traceOf(seal({ actor: 'key', request: 'r' }, posing).event), null);
});
