/** The warnings of one wallet: each crossing is told once, and what it says has been crossed is. */
import { stepsOf, textOf } from '../decimal.ts';
import type { AuditedEvent } from '../event.ts';
import { creditCell } from './cells.ts';
import type { Json } from './differences.ts';
import type { Name } from './finding.ts';

interface RaisedText {
  readonly alert: string;
  readonly key: string;
  readonly threshold: string;
  readonly effective_at: string;
  readonly period_end?: string;
  readonly granted?: string;
  readonly used?: string;
  readonly held?: string;
  readonly available?: string;
  readonly spent?: string;
}

interface SpendDay {
  readonly name: string;
  readonly start: number;
  readonly end: number;
  readonly since: number;
  spent: bigint;
  told: readonly string[];
}

export class AlertBook {
  /** Null: never set. */
  #terms: Json = null;
  /** Keys of quotas, each until its window ends. */
  #quotas: readonly { readonly key: string; readonly until: number }[] = [];
  /** Thresholds on the balance that were told, and wait for credits to come in. */
  #low: readonly string[] = [];
  #day: SpendDay | null = null;

  apply(event: AuditedEvent, name: Name): void {
    const { type, data } = event;
    switch (type) {
      case 'AlertsSet':
        this.#terms = { enabled: data.enabled as boolean, thresholds: data.thresholds as Json };
        this.#low = [];
        return;
      case 'AlertRaised':
        this.#raise(data as unknown as RaisedText, name);
        return;
      case 'AlertsRearmed': {
        const thresholds = data.thresholds as readonly string[];
        this.#low = this.#low.filter((threshold) => !thresholds.includes(threshold));
        return;
      }
      case 'SpendDayBegan':
        this.#begin(data);
        return;
      case 'UsageCharged':
        if (this.#day !== null) this.#day.spent += stepsOf(String(data.credits));
        return;
      case 'EntryReversed':
        if (
          this.#day !== null &&
          data.reversed_type === 'UsageCharged' &&
          Number(data.reverses) >= this.#day.since
        )
          this.#day.spent -= stepsOf(String(data.credits));
        return;
      default:
    }
  }

  #begin(data: AuditedEvent['data']): void {
    const { day, starts_at, ends_at, since, spent } = data as Record<string, string>;
    this.#day = {
      ...{ name: String(day), start: Date.parse(starts_at ?? ''), end: Date.parse(ends_at ?? '') },
      ...{ since: Number(since), spent: stepsOf(spent ?? '0'), told: [] },
    };
  }

  #raise(raised: RaisedText, name: Name): void {
    const { alert, key, threshold, effective_at, period_end = '' } = raised;
    switch (alert) {
      case 'quota': {
        if (this.#quotas.some((told) => told.key === key)) name('a warning is told twice', 'once', key);
        const at = Date.parse(effective_at);
        const open = this.#quotas.filter(({ until }) => until > at);
        this.#quotas = [...open, { key, until: Date.parse(period_end) }];
        break;
      }
      case 'balance':
        if (this.#low.includes(threshold)) name('a warning is told twice', 'once', key);
        this.#low = [...this.#low.filter((told) => told !== threshold), threshold];
        break;
      case 'daily_spend': {
        const day = this.#day;
        if (day === null) {
          name('a warning is of a day that has not begun', 'a day', key);
          break;
        }
        if (day.told.includes(threshold)) name('a warning is told twice', 'once', key);
        if (day.spent !== stepsOf(raised.spent ?? '0'))
          name('a warning tells another sum than was spent', textOf(day.spent), raised.spent ?? 'none');
        day.told = [...day.told, threshold];
        break;
      }
      default:
        name('a warning is of something that is not known', 'quota, balance, daily_spend', alert);
    }
    if (!isCrossed(raised)) name('a warning tells of what has not been crossed', threshold, saidOf(raised));
  }

  /** As a snapshot has it. */
  state(): Json {
    const day = this.#day === null ? null : { ...this.#day, spent: `${creditCell(this.#day.spent)}n` };
    return { terms: this.#terms, quotas: this.#quotas, low: this.#low, day } as unknown as Json;
  }
}

function isCrossed({ alert, threshold, granted, used, held, available, spent }: RaisedText): boolean {
  const limit = stepsOf(threshold);
  switch (alert) {
    case 'quota':
      return (stepsOf(used ?? '0') + stepsOf(held ?? '0')) * 100n * UNIT >= limit * stepsOf(granted ?? '0');
    case 'balance':
      return stepsOf(available ?? '0') < limit;
    default:
      return stepsOf(spent ?? '0') >= limit;
  }
}
const UNIT = 10n ** 9n;

const saidOf = ({ alert, granted, used, held, available, spent }: RaisedText): string =>
  alert === 'quota' ? `${used} used and ${held} held of ${granted}` : (available ?? spent ?? 'nothing');
