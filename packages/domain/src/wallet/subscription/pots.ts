/**
 * The money behind a subscription's period (billing rule 10). What was paid stays deferred: it lies in a pot for each line
 * of the plan that has a limit, in equal parts, and goes with the quotas as they are granted, so that covered calls show
 * income beside their cost. What nobody uses is breakage at the end. A plan without such lines earns at once.
 *
 * A pot has one currency. Money of other currencies (credits may have been bought in several) is earned at once, too.
 */
import { formatAmount, type Money, parseAmount } from '../../amount.ts';
import { accounts } from '../../entry.ts';
import type { PlanTerms } from '../../plans/terms.ts';
import type { EntryDraft } from '../entry-draft.ts';
import type { TimeWindow } from './calendar.ts';
import type { Pots as PotsFact } from './events.ts';
import type { SubscriptionState } from './state.ts';

export class Pots {
  readonly #draft: EntryDraft;
  readonly #plan: string;
  readonly #isLimited: readonly boolean[];
  #currency: string | null = null;
  #lines: bigint[];

  /** @param draft where money is moved that leaves the pots without a quota */
  constructor(draft: EntryDraft, plan: string, terms: PlanTerms) {
    this.#draft = draft;
    this.#plan = plan;
    this.#isLimited = terms.included.map(({ amount }) => amount !== 'unlimited');
    this.#lines = terms.included.map(() => 0n);
  }

  /** What the subscription's own pots still have. */
  static left(draft: EntryDraft, { now, terms, pots: left }: SubscriptionState): Pots {
    const pots = new Pots(draft, now.plan, terms);
    pots.takeOver(left, (index) => index);
    return pots;
  }

  /** Takes over what another plan's pots had: each line's by `lineOf`, the rest to the first line. */
  takeOver(before: PotsFact | null, lineOf: (index: number) => number): void {
    if (before === null) return;
    before.lines.forEach((amount, index) => {
      const steps = parseAmount(amount, before.currency);
      if (steps === 0n) return;
      const line = lineOf(index);
      const target = line === -1 ? this.#isLimited.indexOf(true) : line;
      if (target === -1) this.#earn(before.currency, steps);
      else {
        this.#currency = before.currency;
        this.#lines[target] = (this.#lines[target] ?? 0n) + steps;
      }
    });
  }

  /** Deferred money comes in, in equal parts; the first lines have what cannot be divided. */
  fill(currency: string, steps: bigint): void {
    const count = BigInt(this.#isLimited.filter((isLimited) => isLimited).length);
    if (count === 0n || (this.#currency !== null && this.#currency !== currency)) {
      this.#earn(currency, steps);
      return;
    }
    this.#currency = currency;
    let left = steps % count;
    this.#lines = this.#lines.map((line, index) => {
      if (this.#isLimited[index] !== true) return line;
      const more = left > 0n ? 1n : 0n;
      left -= more;
      return line + steps / count + more;
    });
  }

  /** The share of a window in what the line's pot still has for the rest of the period; the last takes all of it. */
  take(line: number, { start, end }: TimeWindow, period: TimeWindow): Money | undefined {
    const pot = this.#lines[line] ?? 0n;
    if (this.#currency === null || pot === 0n) return undefined;
    const from = Math.max(start, period.start);
    const share =
      end >= period.end ? pot : (pot * BigInt(end - from)) / BigInt(Math.max(1, period.end - from));
    this.#lines[line] = pot - share;
    return share === 0n
      ? undefined
      : { amount: formatAmount(share, this.#currency), currency: this.#currency };
  }

  /** What a line's pot has is earned at once: nothing of it will be granted any more. */
  earn(line: number): void {
    const steps = this.#lines[line] ?? 0n;
    if (this.#currency === null || steps === 0n) return;
    this.#lines[line] = 0n;
    this.#earn(this.#currency, steps);
  }

  /** The period is over: what no quota has taken is breakage. Says how much it was. */
  lapse(): void {
    const { currency, steps } = this.rest();
    if (currency === null || steps === 0n) return;
    this.#draft.moneyMove(accounts.deferred, accounts.breakage, currency, steps);
    this.#lines = this.#lines.map(() => 0n);
  }

  rest(): { readonly currency: string | null; readonly steps: bigint } {
    return { currency: this.#currency, steps: this.#lines.reduce((sum, line) => sum + line, 0n) };
  }

  fact(): PotsFact | null {
    const currency = this.#currency;
    if (currency === null || this.rest().steps === 0n) return null;
    return { currency, lines: this.#lines.map((steps) => formatAmount(steps, currency)) };
  }

  #earn(currency: string, steps: bigint): void {
    this.#draft.moneyMove(accounts.deferred, accounts.subscriptions(this.#plan), currency, steps);
  }
}
