/** What has accrued to one wallet for its friends: pending, granted, taken back; and whose friend it is itself. */
import { stepsOf, textOf } from '../decimal.ts';
import type { AuditedEvent } from '../event.ts';
import type { Name } from './finding.ts';

export interface Accrual {
  readonly from: string;
  /** Of the friend's entry. */
  readonly revision: number;
  readonly reason: string;
  readonly credits: string;
  readonly availableAt: string;
  readonly born: number;
  readonly accruedAt: string;
  /** Withheld, or taken while pending; in steps of 10^-9. */
  taken: bigint;
  lot: string | null;
  clawedBack: boolean;
}

interface AccruedText {
  readonly from: string;
  readonly revision: number;
  readonly reason: string;
  readonly credits: string;
  readonly available_at: string;
  readonly withheld?: string;
}
interface ClawedText {
  readonly from: string;
  readonly revision: number;
  readonly credits: string;
  readonly pending: readonly { readonly from: string; readonly revision: number; readonly credits: string }[];
  readonly lot?: { readonly credits: string };
  readonly owed: string;
}

export class ReferralBook {
  readonly all = new Map<string, Accrual>();
  referredBy: string | null = null;
  hasToppedUp = false;
  /** Clawed back and not taken yet. */
  owed = 0n;
  /** Still to be granted, in the order in which they fall due. */
  #pending: Accrual[] = [];

  apply(event: AuditedEvent, name: Name): void {
    switch (event.type) {
      case 'TopUp':
      case 'PurchasePaid':
        this.hasToppedUp = true;
        return;
      case 'ReferralLinked':
        this.referredBy = String(event.data.referred_by);
        return;
      case 'ReferralAccrued':
        this.#accrue(event, name);
        return;
      case 'ReferralGranted':
        this.#grant(event, name);
        return;
      case 'ReferralClawedBack':
        this.#clawBack(event, name);
        return;
      default:
    }
  }

  get pending(): readonly Accrual[] {
    return this.#pending;
  }

  #accrue({ data, revision: born, recordedAt }: AuditedEvent, name: Name): void {
    const { from, revision, reason, credits, available_at, withheld = '0' } = data as unknown as AccruedText;
    const kept = stepsOf(withheld);
    if (this.all.has(`${from}:${revision}`)) name('a share accrues twice', 'once', `${from}:${revision}`);
    if (kept > this.owed || kept > stepsOf(credits))
      name('more is withheld than is owed', textOf(this.owed), withheld);
    const accrual: Accrual = {
      ...{ from, revision, reason, credits, availableAt: available_at, born, accruedAt: recordedAt },
      ...{ taken: kept, lot: null, clawedBack: false },
    };
    this.owed -= kept;
    this.all.set(`${from}:${revision}`, accrual);
    if (leftOf(accrual) === 0n) return;
    const due = Date.parse(available_at);
    const at = this.#pending.findLastIndex(({ availableAt }) => Date.parse(availableAt) <= due);
    this.#pending = this.#pending.toSpliced(at + 1, 0, accrual);
  }

  #grant({ data }: AuditedEvent, name: Name): void {
    const accrual = this.#find(data, name);
    if (accrual === undefined) return;
    if (!this.#pending.includes(accrual))
      name('a share is granted that is not pending', 'pending', 'not pending');
    if (stepsOf(String(data.credits)) !== leftOf(accrual))
      name('a share is granted that is not what has accrued', textOf(leftOf(accrual)), String(data.credits));
    if (Date.parse(String(data.effective_at)) !== Date.parse(accrual.availableAt))
      name('a share is granted at another time', accrual.availableAt, String(data.effective_at));
    accrual.lot = String(data.lot);
    this.#pending = this.#pending.filter((other) => other !== accrual);
  }

  #clawBack({ data }: AuditedEvent, name: Name): void {
    const { credits, pending, lot, owed } = data as unknown as ClawedText;
    const accrual = this.#find(data, name);
    if (accrual !== undefined) accrual.clawedBack = true;
    let sum = stepsOf(owed) + stepsOf(lot?.credits ?? '0');
    for (const part of pending) {
      const other = this.#find(part, name);
      if (other === undefined) continue;
      sum += stepsOf(part.credits);
      other.taken += stepsOf(part.credits);
      if (leftOf(other) < 0n)
        name('more is taken back than is pending', 'at least 0 left', textOf(leftOf(other)));
    }
    if (sum !== stepsOf(credits))
      name('what is taken back is not what its parts come to', textOf(sum), credits);
    this.owed += stepsOf(owed);
    this.#pending = this.#pending.filter((other) => leftOf(other) > 0n);
  }

  #find(
    { from, revision }: { readonly from?: unknown; readonly revision?: unknown },
    name: Name,
  ): Accrual | undefined {
    const found = this.all.get(`${from}:${revision}`);
    if (found === undefined)
      name('a share was never accrued', 'an accrual of this wallet', `${from}:${revision}`);
    return found;
  }

  /** When the next one is granted. */
  firstGrant(): string | null {
    return this.#pending[0]?.availableAt ?? null;
  }
}

/** Still to be granted. */
export const leftOf = ({ credits, taken }: Accrual): bigint => stepsOf(credits) - taken;
