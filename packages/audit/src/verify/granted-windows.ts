/** Whether what a plan's line grants for a window is granted once. */
import type { AuditedEvent } from '../event.ts';
import type { Name } from './finding.ts';
import type { OriginText, QuotaText } from './quotas.ts';

interface GrantedWindow {
  readonly start: number;
  readonly end: number;
  readonly quota: string;
}

/**
 * By line of a subscription. Lines are numbered anew with a change of plan, so they go by what they grant. Two grants may
 * be of one window only where its period was paid late: the first was the grace's, the second makes it up to the whole.
 */
export class GrantedWindows {
  readonly #byLine = new Map<string, GrantedWindow[]>();

  /** Its windows end at an instant: others begin. */
  cut(subscription: string, at: number): void {
    for (const [line, windows] of this.#byLine)
      if (line.startsWith(`${subscription} `))
        this.#byLine.set(
          line,
          windows.filter(({ start }) => start < at).map((one) => (one.end > at ? { ...one, end: at } : one)),
        );
  }

  /** @returns the quotas that were granted of the same window before */
  add(
    { type, data }: AuditedEvent,
    marks: QuotaText,
    origin: OriginText & { kind: 'plan' },
    name: Name,
  ): readonly string[] {
    if (origin.extra === true) return [];
    const { quota, unit, model, starts_at, expires_at } = marks;
    const line = `${origin.subscription} ${unit} ${origin.per} ${model}`;
    const window = { start: Date.parse(starts_at), end: Date.parse(expires_at), quota };
    const before = this.#byLine.get(line) ?? [];
    const isLate =
      type === 'SubscriptionPaymentRecorded' ||
      (type === 'SubscriptionRenewed' && data.effective_at === undefined);
    const met = before.filter(({ start, end }) => start < window.end && window.start < end);
    const isSame = (other: GrantedWindow): boolean =>
      other.start === window.start && other.end === window.end;
    for (const other of met)
      if (!isLate || !isSame(other))
        name(`a window of ${line} is granted twice`, `${other.quota} only`, quota);
    // Only the last ones can be met again.
    this.#byLine.set(line, [...before.slice(-8), window]);
    return met.filter(isSame).map((other) => other.quota);
  }
}
