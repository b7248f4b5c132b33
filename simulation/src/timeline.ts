/**
 * The only scheduler of a simulated world. Whatever waits there (for the store, the database, a timer, the network)
 * waits for a step of this timeline; steps are taken one at a time, in the order of instants that the seed has drawn.
 * Between two steps everything runs that can run without waiting. Time jumps from step to step.
 */
import { createHash } from 'node:crypto';

/** Who waits for a step; steps of the dead are never taken. */
export interface Life {
  readonly name: string;
  readonly alive: boolean;
}

export interface StepOptions {
  /** It is under way already: it is taken though its life ends before. Nobody hears of what comes of it. */
  readonly outlives?: boolean;
}

interface Step {
  readonly at: number;
  readonly life: Life | null;
  readonly label: string;
  readonly outlives: boolean;
  readonly take: () => void | Promise<void>;
  /** Called where it is never taken. */
  readonly drop: () => void;
  cancelled: boolean;
}

export interface TimelineParts {
  /** Milliseconds that a step takes. */
  readonly latency: () => number;
  /** Asked before each step of a life; what it starts is finished before the step. */
  readonly beforeStep: (life: Life, label: string) => void | Promise<void>;
}

/** A world that does not come to rest by then hangs. */
const STEPS_MAX = 400_000;

export class Timeline {
  readonly #parts: TimelineParts;
  /** The next step stands last. */
  readonly #steps: Step[] = [];
  readonly #digest = createHash('sha256');
  readonly #log: string[] | null;
  #now = 0;
  #taken = 0;

  constructor(parts: TimelineParts, keepsLog: boolean) {
    this.#parts = parts;
    this.#log = keepsLog ? [] : null;
  }

  /** Milliseconds since the beginning of the world. */
  get now(): number {
    return this.#now;
  }
  get taken(): number {
    return this.#taken;
  }
  /** Of every step so far: two runs with the same digest did the same. */
  get digest(): string {
    return this.#digest.copy().digest('hex').slice(0, 16);
  }
  get log(): readonly string[] {
    return this.#log ?? [];
  }

  /** Written into the record of the run. */
  note(text: string): void {
    const line = `${this.#now.toFixed(2)} ${text}`;
    this.#digest.update(line);
    this.#log?.push(line);
  }

  /** Does `work` after some time, and resolves with what it gives. */
  step<T>(
    life: Life | null,
    label: string,
    work: () => T | Promise<T>,
    { outlives = false }: StepOptions = {},
  ): Promise<T> {
    return new Promise((resolve, reject) => {
      const take = async (): Promise<void> => {
        try {
          resolve(await work());
        } catch (error) {
          reject(error);
        }
      };
      const at = this.#now + this.#parts.latency();
      this.#add({ at, life, label, outlives, take, drop: () => undefined, cancelled: false });
    });
  }

  /** A question and its answer, which travel apart: a life may end between them. */
  async call<T>(
    life: Life,
    label: string,
    work: () => T | Promise<T>,
    options: StepOptions = {},
  ): Promise<T> {
    const answer = await this.step(life, label, () => settle(work), options);
    await this.step(life, `${label}, answered`, () => undefined);
    if ('error' in answer) throw answer.error;
    return answer.value;
  }

  /** Resolves when the time has passed, or `signal` ends it. */
  pause(life: Life | null, ms: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      // A signal that is listened to is kept for good, and with it whoever waits: a whole world.
      const drop = (): void => signal?.removeEventListener('abort', end);
      const take = (): void => {
        drop();
        resolve();
      };
      const at = this.#now + Math.max(0, ms);
      const step = { at, life, label: 'waited', outlives: false, take, drop, cancelled: false };
      const end = (): void => {
        step.cancelled = true;
        take();
      };
      if (signal?.aborted) return end();
      signal?.addEventListener('abort', end, { once: true });
      this.#add(step);
    });
  }

  /** Nobody waits any more. */
  end(): void {
    for (const { drop } of this.#steps) drop();
    this.#steps.length = 0;
  }

  /** Takes steps until `done`; false where that does not happen within `ms`. */
  async runUntil(done: () => boolean, ms: number): Promise<boolean> {
    const until = this.#now + ms;
    for (;;) {
      await settled();
      if (done()) return true;
      const next = this.#steps.at(-1);
      if (next === undefined || next.at > until) {
        this.#now = until;
        return false;
      }
      this.#steps.pop();
      await this.#take(next);
      if (this.#taken > STEPS_MAX) throw new Error(`the world does not come to rest: ${next.label}`);
    }
  }

  async #take(step: Step): Promise<void> {
    const { life, label, outlives } = step;
    if (step.cancelled) return;
    if (life !== null && !life.alive && !outlives) return step.drop();
    this.#now = Math.max(this.#now, step.at);
    if (life?.alive) {
      await this.#parts.beforeStep(life, label);
      if (!life.alive && !outlives) return step.drop();
    }
    this.#taken += 1;
    this.note(`${life?.name ?? 'world'} ${label}`);
    await step.take();
  }

  #add(step: Step): void {
    let [low, high] = [0, this.#steps.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.#steps[middle]?.at ?? 0) > step.at) low = middle + 1;
      else high = middle;
    }
    this.#steps.splice(low, 0, step);
  }
}

type Settled<T> = { readonly value: T } | { readonly error: unknown };

async function settle<T>(work: () => T | Promise<T>): Promise<Settled<T>> {
  try {
    return { value: await work() };
  } catch (error) {
    return { error };
  }
}

/** Everything that needs no step has run. Twice, because what runs may put more into the same phase (`setImmediate`). */
async function settled(): Promise<void> {
  await new Promise((resolve) => setImmediate(resolve));
  await new Promise((resolve) => setImmediate(resolve));
}
