/**
 * Single charges gathered into arrays. While nothing is on its way, what has come in this turn of the event loop goes at
 * once. While arrays are on their way, what comes waits for the next answer, but no longer than `gatherMs` unless
 * `inFlightMax` arrays are out already; a full array never waits for time. Each caller is answered with its own item's
 * result. What may wait is bounded: a caller beyond the bound is refused at once, and nothing of it is sent.
 */
import type { Named } from './answers.ts';
import { ClientClosed, QueueFull } from './errors.ts';
import type { Batching } from './usage.ts';

/** Far below the 16 MiB that the API takes, also where each character is three bytes long. */
const CHARACTERS_MAX = 4 * 1024 * 1024;

export interface Item extends Named {
  /** All of it, as JSON. */
  readonly text: string;
}

export interface Gathering<T> {
  add(item: Item): Promise<T>;
  /** Sends what waits now, and resolves when all of it has an answer, be it a refusal. */
  flush(): Promise<void>;
  /** Takes no more, and flushes. */
  close(): Promise<void>;
}

/** Sends an array whole, again where it must be, and tells of each item in order: its result, or why it was refused. */
export type SendArray<T> = (items: readonly Item[]) => Promise<readonly (T | Error)[]>;

interface Waiting<T> extends Item {
  readonly resolve: (result: T) => void;
  readonly reject: (error: unknown) => void;
}

export function openGathering<T>(batching: Batching, send: SendArray<T>): Gathering<T> {
  const { gatherMs = 2, itemsMax = 1_000, inFlightMax = 2, waitingMax = 10_000 } = batching;
  checkBounds({ itemsMax, inFlightMax, waitingMax });
  let waiting: Waiting<T>[] = [];
  let timer: NodeJS.Timeout | null = null;
  let soon: NodeJS.Immediate | null = null;
  /** Without an answer: waiting and sent. */
  let unanswered = 0;
  const inFlight = new Set<Promise<void>>();
  let closed = false;

  function add(item: Item): Promise<T> {
    if (closed) return Promise.reject(new ClientClosed());
    if (unanswered >= waitingMax) return Promise.reject(new QueueFull(waitingMax));
    unanswered += 1;
    return new Promise((resolve, reject) => {
      waiting.push({ ...item, resolve, reject });
      if (waiting.length >= itemsMax) sendDue();
      else if (inFlight.size === 0) soon ??= setImmediate(sendAll);
      else timer ??= setTimeout(sendAll, gatherMs);
    });
  }

  /** Full arrays only: the rest may still gather. */
  function sendDue(): void {
    while (waiting.length >= itemsMax && inFlight.size < inFlightMax) dispatch();
  }

  function sendAll(): void {
    stopTimers();
    while (waiting.length > 0 && inFlight.size < inFlightMax) dispatch();
  }

  function stopTimers(): void {
    if (timer !== null) clearTimeout(timer);
    if (soon !== null) clearImmediate(soon);
    timer = null;
    soon = null;
  }

  function dispatch(): void {
    const array = takeArray();
    const sent = deliver(array).finally(() => {
      unanswered -= array.length;
      inFlight.delete(sent);
      // The turn that answers callers is also the one in which they come with the next: these go together.
      if (waiting.length > 0) soon ??= setImmediate(sendAll);
    });
    inFlight.add(sent);
  }

  function takeArray(): readonly Waiting<T>[] {
    let characters = 0;
    const over = waiting.findIndex(({ text }, index) => {
      characters += text.length + 1;
      return index > 0 && characters > CHARACTERS_MAX;
    });
    const count = Math.min(itemsMax, over < 0 ? waiting.length : over);
    if (count === waiting.length) {
      const all = waiting;
      waiting = [];
      return all;
    }
    return waiting.splice(0, count);
  }

  async function deliver(array: readonly Waiting<T>[]): Promise<void> {
    try {
      const results = await send(array);
      array.forEach(({ resolve, reject }, index) => {
        const result = results[index];
        if (result === undefined) reject(new Error('the answer to an array lacks a result for this item'));
        else if (result instanceof Error) reject(result);
        else resolve(result);
      });
    } catch (error) {
      for (const { reject } of array) reject(error);
    }
  }

  async function flush(): Promise<void> {
    const last = waiting.at(-1);
    while (last !== undefined && waiting.includes(last)) {
      sendAll();
      await Promise.race(inFlight);
    }
    await Promise.all(inFlight);
  }

  return {
    add,
    flush,
    close() {
      closed = true;
      return flush();
    },
  };
}

function checkBounds(bounds: Readonly<Record<string, number>>): void {
  for (const [name, value] of Object.entries(bounds)) {
    if (!Number.isInteger(value) || value < 1)
      throw new RangeError(`${name} must be a whole number from 1 on`);
  }
}
