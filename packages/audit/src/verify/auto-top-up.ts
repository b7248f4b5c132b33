/** Topping up by itself, of one wallet: what was set, what is asked for and not answered yet, and what counts for today. */
import type { AuditedEvent } from '../event.ts';
import type { Json } from './differences.ts';
import type { Name } from './finding.ts';

const TERMS = ['enabled', 'threshold', 'amount', 'cool_off_seconds', 'daily_cap'] as const;
const REQUEST = ['id', 'amount', 'credits', 'threshold', 'day', 'requested_at'] as const;

export class AutoTopUpBook {
  /** Null: never set. */
  #terms: Json = null;
  #open: { readonly [name: string]: Json } | null = null;
  #lastAt: number | null = null;
  #day = '';
  #today = 0;
  #declined = 0;
  #isOff = false;

  apply({ type, data }: AuditedEvent, name: Name): void {
    switch (type) {
      case 'AutoTopUpSet':
        this.#terms = picked(data, TERMS);
        this.#declined = 0;
        this.#isOff = false;
        return;
      case 'AutoTopUpRequested': {
        if (this.#open !== null)
          name('a top-up is asked for while another is', String(this.#open.id), String(data.id));
        const day = String(data.day);
        this.#open = picked(data, REQUEST);
        this.#lastAt = Date.parse(String(data.requested_at));
        this.#today = this.#day === day ? this.#today + 1 : 1;
        this.#day = day;
        return;
      }
      case 'AutoTopUpResolved':
        if (this.#open?.id !== data.id)
          name(
            'a top-up is answered that was not asked for',
            String(this.#open?.id ?? 'none'),
            String(data.id),
          );
        this.#declined = data.result === 'declined' ? this.#declined + 1 : 0;
        this.#isOff ||= data.off === true;
        this.#open = null;
        return;
      default:
    }
  }

  /** As a snapshot has it. */
  state(): Json {
    if (this.#terms === null) return null;
    const [terms, open, lastAt, day] = [this.#terms, this.#open, this.#lastAt, this.#day];
    return { terms, open, lastAt, day, today: this.#today, declined: this.#declined, isOff: this.#isOff };
  }
}

function picked(data: AuditedEvent['data'], names: readonly string[]): { readonly [name: string]: Json } {
  return Object.fromEntries(names.map((name) => [name, (data[name] ?? null) as Json]));
}
