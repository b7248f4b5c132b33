/** All published packages, as an immutable picture. The latest version of each is the one in force. */
import type { FreeAmount, PackageTerms } from './package-terms.ts';

export interface PackageVersion<T extends PackageTerms = PackageTerms> {
  readonly id: string;
  readonly version: number;
  readonly terms: T;
}

export class Packages {
  readonly #packages: ReadonlyMap<string, readonly PackageVersion[]>;

  constructor(packages: ReadonlyMap<string, readonly PackageVersion[]> = new Map()) {
    this.#packages = packages;
  }

  with(version: PackageVersion): Packages {
    const others = (this.#packages.get(version.id) ?? []).filter(
      (other) => other.version !== version.version,
    );
    const packages = new Map(this.#packages);
    packages.set(
      version.id,
      [...others, version].sort((a, b) => a.version - b.version),
    );
    return new Packages(packages);
  }

  latest(id: string): PackageVersion | undefined {
    return this.#packages.get(id)?.at(-1);
  }

  version(id: string, version: number): PackageVersion | undefined {
    return this.#packages.get(id)?.find((candidate) => candidate.version === version);
  }

  /** The active terms for free amounts of a currency: the first by id, where several say so. */
  freeAmount(currency: string): PackageVersion<FreeAmount> | undefined {
    for (const id of this.ids()) {
      const latest = this.latest(id);
      if (latest !== undefined && isFreeAmount(latest) && latest.terms.active !== false) {
        if (latest.terms.rate.currency === currency) return latest;
      }
    }
    return undefined;
  }

  /** In order. */
  ids(): readonly string[] {
    return [...this.#packages.keys()].sort();
  }
}

function isFreeAmount(version: PackageVersion): version is PackageVersion<FreeAmount> {
  return 'rate' in version.terms;
}
