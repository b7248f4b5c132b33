/** Everything that is left to chance, out of one seed: the same seed makes the same world, step by step. */
import { uniformInt } from 'pure-rand/distribution/uniformInt';
import { xoroshiro128plus } from 'pure-rand/generator/xoroshiro128plus';
import type { RandomGenerator } from 'pure-rand/types/RandomGenerator';

const FINE = 2 ** 24;

export class Chance {
  readonly #generator: RandomGenerator;

  constructor(seed: number) {
    this.#generator = xoroshiro128plus(seed);
  }

  /** Both ends included. */
  int(from: number, to: number): number {
    return uniformInt(this.#generator, from, to);
  }

  /** From 0 up to, but not including, 1. */
  fraction(): number {
    return this.int(0, FINE - 1) / FINE;
  }

  /** Draws even where the answer is clear, so that a rate of 0 does not shift what comes after it. */
  happens(rate: number): boolean {
    return this.fraction() < rate;
  }

  pick<T>(choices: readonly [T, ...T[]]): T {
    return choices[this.int(0, choices.length - 1)] ?? choices[0];
  }

  /** Undefined where there is nothing to choose from. */
  among<T>(choices: readonly T[]): T | undefined {
    return choices.length === 0 ? undefined : choices[this.int(0, choices.length - 1)];
  }

  /** One of the choices, each as often as its weight says. */
  weighed<T>(choices: readonly (readonly [weight: number, choice: T])[]): T {
    let left = this.fraction() * choices.reduce((sum, [weight]) => sum + weight, 0);
    for (const [weight, choice] of choices) {
      left -= weight;
      if (left < 0) return choice;
    }
    throw new Error('nothing to choose from');
  }
}
