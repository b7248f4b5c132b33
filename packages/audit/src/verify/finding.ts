/** What a check found wrong, and the list of it: many are counted, few are kept. */
export interface Finding {
  /** In words, without numbers of its own. */
  readonly what: string;
  readonly stream?: string;
  readonly revision?: number;
  readonly account?: string;
  readonly unit?: string;
  /** Of the read models. */
  readonly table?: string;
  readonly column?: string;
  /** Of the row: the rest of its primary key, where account and unit do not say it. */
  readonly row?: string;
  readonly expected: string | null;
  readonly found: string | null;
}

export class Findings {
  readonly #shownMax: number;
  readonly shown: Finding[] = [];
  count = 0;

  constructor(shownMax: number) {
    this.#shownMax = shownMax;
  }

  add(finding: Finding): void {
    this.count += 1;
    if (this.shown.length < this.#shownMax) this.shown.push(finding);
  }

  /** What another has counted, and kept. */
  merge({ count, findings }: { readonly count: number; readonly findings: readonly Finding[] }): void {
    for (const finding of findings) this.add(finding);
    this.count += count - findings.length;
  }
}

/** Tells what is wrong with the event in hand. */
export type Name = (what: string, expected: string, found: string) => void;
