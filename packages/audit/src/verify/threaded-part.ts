/** A part in a thread of its own. Questions are answered in their order, so nothing but the order tells them apart. */
import { Worker } from 'node:worker_threads';
import type { RecordedEvent } from '@tallystick/event-store';
import type { Cell } from './cells.ts';
import type { Listed, Part, PartSettings, PartSummary } from './part.ts';
import { type Answer, batchOf, type Question } from './part-messages.ts';

/** Batches on their way: one is worked on while the next waits. More would only fill the memory. */
const AHEAD = 2;

/** Nearly all that an event makes is garbage at once: with a small young generation much of it is copied first. */
const YOUNG_MB = 96;

interface Waiting {
  resolve(value: unknown): void;
  reject(error: Error): void;
}

export class ThreadedPart implements Part {
  readonly #worker: Worker;
  readonly #waiting: Waiting[] = [];
  readonly #batches: Promise<unknown>[] = [];
  #fault: Error | null = null;

  constructor(settings: PartSettings) {
    this.#worker = new Worker(new URL('./part-thread.ts', import.meta.url), {
      workerData: settings,
      resourceLimits: { maxYoungGenerationSizeMb: YOUNG_MB },
    });
    this.#worker.on('message', (answer: Answer) => {
      const waiting = this.#waiting.shift();
      if ('done' in answer) waiting?.resolve(answer.done);
      else waiting?.reject(new Error(answer.failed));
    });
    this.#worker.on('error', (error) => this.#fail(error));
    this.#worker.on('exit', (code) => this.#fail(new Error(`a thread of the audit ended with ${code}`)));
  }

  async add(events: readonly RecordedEvent[], partitions: readonly number[]): Promise<void> {
    const added = this.#ask({ ask: 'add', batch: batchOf(events, partitions) });
    // Whoever adds the next batch hears of it.
    added.catch(() => undefined);
    this.#batches.push(added);
    if (this.#batches.length >= AHEAD) await this.#batches.shift();
  }

  async summary(): Promise<PartSummary> {
    await Promise.all(this.#batches);
    return (await this.#ask({ ask: 'summary' })) as PartSummary;
  }

  async rows(table: Listed): Promise<readonly (readonly Cell[])[]> {
    return (await this.#ask({ ask: 'rows', table })) as readonly (readonly Cell[])[];
  }

  async stop(): Promise<void> {
    await this.#worker.terminate();
  }

  #ask(question: Question): Promise<unknown> {
    if (this.#fault !== null) return Promise.reject(this.#fault);
    this.#worker.postMessage(question);
    return new Promise((resolve, reject) => this.#waiting.push({ resolve, reject }));
  }

  #fail(fault: Error): void {
    this.#fault ??= fault;
    for (const { reject } of this.#waiting.splice(0)) reject(this.#fault);
  }
}
