/** A small ledger in memory, written event by event: chained as the runner chains, and sealed when a test says so. */
import { hash, randomUUID } from 'node:crypto';
import { type LedgerSealed, sealDecider } from '@tallystick/domain';
import {
  chainStart,
  createMemoryStore,
  type EventStore,
  expectedHash,
  hashOf,
  internalDigest,
  type RecordedEvent,
} from '@tallystick/event-store';
import { gatherSeal } from '../seal/gather.ts';
import { makeReceipt, type Receipt } from '../seal/receipt.ts';
import { SEALS } from '../seal/seal.ts';

const NO_HASH = '0'.repeat(64);

export class SealedLedger {
  readonly store: EventStore = createMemoryStore();
  readonly #hashes = new Map<string, string>();
  readonly #seals = sealDecider.initial('ledger');
  #cursor: string | null = null;
  #written = 0;

  /** Everything is made from the number of the event: the same calls make the same ledger. */
  async write(stream: string, count = 1): Promise<void> {
    for (let n = 0; n < count; n++) {
      const number = ++this.#written;
      const entry = [
        { account: 'equity:credits:issued', unit: 'credits', amount: `-${number}` },
        { account: `liabilities:${stream}`, unit: 'credits', amount: String(number) },
      ];
      await this.#append(stream, 'TopUp', { credits: String(number), entry }, { paid: [`${number}.77 USD`] });
    }
  }

  /** Seals what has come, all of it unless told, and returns how many seals it took. */
  async seal(atMost = Number.POSITIVE_INFINITY): Promise<number> {
    for (let made = 0; ; made++) {
      const gathered = made < atMost ? await gatherSeal(this.store, this.#cursor) : null;
      if (gathered === null) return made;
      const command = {
        type: 'SealLedger',
        key: null,
        fingerprint: null,
        after: this.#seals.number,
      } as const;
      const decided = sealDecider.decide(this.#seals, { ...command, ...gathered.content }, CONTEXT);
      const [event] = decided.kind === 'accepted' ? decided.events : [];
      if (event === undefined) throw new Error(`the seal was ${decided.kind}`);
      await this.#append(SEALS, event.type, event.data, event.facts);
      sealDecider.evolve(this.#seals, event, 0);
      this.#cursor = gathered.content.cursor;
    }
  }

  /** In store order. */
  async events(): Promise<RecordedEvent[]> {
    return [...(await this.store.readAll({ after: null, limit: 1_000_000 })).events];
  }

  async sealed(): Promise<LedgerSealed[]> {
    const seals = await this.store.readStream(SEALS, { from: 0, limit: 10_000 });
    return seals.map(({ data, meta }) => ({
      type: 'LedgerSealed',
      key: null,
      data: JSON.parse(data),
      facts: JSON.parse(meta).facts,
    }));
  }

  /**
   * As the API makes it, but that the range is looked up in the seals themselves.
   * @param lastSeal the later one that it leads to; none unless told
   */
  async receipt(stream: string, revision: number, lastSeal?: number): Promise<Receipt> {
    const seals = await this.store.readStream(SEALS, { from: 0, limit: 10_000 });
    for (const [at, { facts }] of (await this.sealed()).entries()) {
      const range = facts.ranges.find(
        ([of, from, to]) => of === stream && from <= revision && revision <= to,
      );
      const seal = seals[at];
      if (range === undefined || seal === undefined) continue;
      const [, from, to] = range;
      const events = await this.store.readStream(stream, { from, limit: to - from + 1 });
      const [before = null] = from === 0 ? [] : await this.store.readRevisions(stream, [from - 1]);
      const made = makeReceipt({ stream, revision, events, before, seal, sealBefore: seals[at - 1] ?? null });
      if (lastSeal === undefined) return made;
      const later = seals
        .slice(at + 1, lastSeal)
        .map((one) => ({ data: one.data, internal: internalDigest(one) }));
      return { ...made, later };
    }
    throw new Error(`${stream}:${revision} is not sealed`);
  }

  async #append(stream: string, type: string, fields: object, facts: object): Promise<void> {
    const previous = this.#hashes.get(stream) ?? chainStart(stream);
    const expected = await this.store.head(stream);
    const recordedAt = new Date(Date.UTC(2026, 2, 1) + this.#written * 1_000).toISOString();
    const data = `{"v":1,"recorded_at":"${recordedAt}",${JSON.stringify(fields).slice(1)}`;
    const salt = hash('md5', `${stream}:${expected}`, 'hex');
    const open = `{"v":1,"actor":"test","request":"","left":0,"salt":"${salt}","facts":${JSON.stringify(facts)}`;
    const event = rehashed({ type, data, meta: `${open},"hash":"${NO_HASH}"}` }, previous);
    this.#hashes.set(stream, hashOf(event));
    await this.store.append({ stream, expected, events: [{ id: randomUUID(), key: null, ...event }] });
  }
}

/** The event with the hash that it must carry after `previous`. */
export function rehashed<E extends Pick<RecordedEvent, 'type' | 'data' | 'meta'>>(
  event: E,
  previous: string,
): E {
  const carried = `"hash":"${hashOf(event)}"`;
  return { ...event, meta: event.meta.replace(carried, `"hash":"${expectedHash(previous, event)}"`) };
}

const CONTEXT = { now: 0, catalogue: null, catalogueIsFresh: true, facts: new Map() };
