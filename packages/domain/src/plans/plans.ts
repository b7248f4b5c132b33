/** All published plans, as an immutable picture that a decision is made on. */
import type { PlanTerms } from './terms.ts';

export interface PlanVersion {
  readonly id: string;
  readonly version: number;
  /** Milliseconds since 1970. */
  readonly effectiveFrom: number;
  readonly terms: PlanTerms;
}

export class Plans {
  readonly #plans: ReadonlyMap<string, readonly PlanVersion[]>;

  constructor(plans: ReadonlyMap<string, readonly PlanVersion[]> = new Map()) {
    this.#plans = plans;
  }

  with(version: PlanVersion): Plans {
    const others = (this.#plans.get(version.id) ?? []).filter((other) => other.version !== version.version);
    const plans = new Map(this.#plans);
    plans.set(
      version.id,
      [...others, version].sort((a, b) => a.version - b.version),
    );
    return new Plans(plans);
  }

  /** The highest version whose effective_from is not later than `at`. */
  inForce(id: string, at: number): PlanVersion | undefined {
    return this.#plans.get(id)?.findLast(({ effectiveFrom }) => effectiveFrom <= at);
  }

  /** The plan that new accounts start with: the first by id, where several say so. */
  defaultAt(at: number): PlanVersion | undefined {
    return [...this.#plans.keys()]
      .sort()
      .map((id) => this.inForce(id, at))
      .find((plan) => plan?.terms.default_plan === true && plan.terms.active !== false);
  }

  version(id: string, version: number): PlanVersion | undefined {
    return this.#plans.get(id)?.find((candidate) => candidate.version === version);
  }

  latest(id: string): PlanVersion | undefined {
    return this.#plans.get(id)?.at(-1);
  }

  ids(): readonly string[] {
    return [...this.#plans.keys()];
  }
}
