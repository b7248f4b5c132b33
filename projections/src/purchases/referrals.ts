/** What accrues to an account for its friends: pending, then granted, or taken back. */
import {
  parseCredits,
  type ReferralAccrued,
  type ReferralClawedBack,
  type ReferralGranted,
} from '@tallystick/domain';
import type { ClientBase } from 'pg';
import type { Item } from '../item.ts';
import { type BatchContext, type Column, type Fold, insertRows, unnest } from '../read-model.ts';

interface Accrued {
  readonly account: string;
  readonly data: ReferralAccrued;
  readonly born: number;
  readonly at: string;
}
interface Change {
  readonly account: string;
  readonly friend: string;
  readonly revision: number;
  taken: bigint;
  lot: string | null;
  clawedBack: boolean;
}

export class ReferralRows implements Fold {
  readonly #batch: BatchContext;
  readonly #accrued: Accrued[] = [];
  readonly #changes = new Map<string, Change>();

  constructor(batch: BatchContext) {
    this.#batch = batch;
  }

  add({ id: account, type, event, revision: born, at }: Item): void {
    switch (type) {
      case 'ReferralAccrued':
        this.#accrued.push({ account, data: event.data as ReferralAccrued, born, at });
        break;
      case 'ReferralGranted': {
        const { from, revision, lot } = event.data as ReferralGranted;
        this.#changeOf(account, from, revision).lot = lot;
        break;
      }
      case 'ReferralClawedBack': {
        const { from, revision, pending } = event.data as ReferralClawedBack;
        this.#changeOf(account, from, revision).clawedBack = true;
        for (const part of pending)
          this.#changeOf(account, part.from, part.revision).taken += parseCredits(part.credits);
        break;
      }
      default:
        return;
    }
    this.#batch.dueAccounts.add(account);
  }

  #changeOf(account: string, friend: string, revision: number): Change {
    const id = `${account} ${friend} ${revision}`;
    const found = this.#changes.get(id);
    if (found !== undefined) return found;
    const change: Change = { account, friend, revision, taken: 0n, lot: null, clawedBack: false };
    this.#changes.set(id, change);
    return change;
  }

  async write(client: ClientBase): Promise<void> {
    const table = `${this.#batch.schema}.referral_accruals`;
    await insertRows(client, table, ACCRUED, this.#accrued);
    const changes = [...this.#changes.values()];
    if (changes.length === 0) return;
    const { from, values } = unnest('d', CHANGES, changes);
    const { rowCount } = await client.query(
      `update ${table} a set taken = a.taken + d.taken, lot = coalesce(d.lot, a.lot),
         clawed_back = a.clawed_back or d.clawed_back
       from ${from} where a.account = d.account and a.friend = d.friend and a.revision = d.revision`,
      values,
    );
    if (rowCount !== changes.length)
      throw new Error(`${changes.length} accruals changed, of which ${rowCount} exist`);
  }
}

const ACCRUED: readonly Column<Accrued>[] = [
  { name: 'account', type: 'text', of: (row) => row.account },
  { name: 'friend', type: 'text', of: ({ data }) => data.from },
  { name: 'revision', type: 'bigint', of: ({ data }) => data.revision },
  { name: 'reason', type: 'text', of: ({ data }) => data.reason },
  { name: 'credits', type: 'bigint', of: ({ data }) => parseCredits(data.credits) },
  { name: 'taken', type: 'bigint', of: ({ data }) => parseCredits(data.withheld ?? '0') },
  { name: 'clawed_back', type: 'boolean', of: () => false },
  { name: 'available_at', type: 'timestamptz', of: ({ data }) => data.available_at },
  { name: 'born', type: 'bigint', of: (row) => row.born },
  { name: 'accrued_at', type: 'timestamptz', of: (row) => row.at },
];
const CHANGES: readonly Column<Change>[] = [
  { name: 'account', type: 'text', of: (row) => row.account },
  { name: 'friend', type: 'text', of: (row) => row.friend },
  { name: 'revision', type: 'bigint', of: (row) => row.revision },
  { name: 'taken', type: 'bigint', of: (row) => row.taken },
  { name: 'lot', type: 'text', of: (row) => row.lot },
  { name: 'clawed_back', type: 'boolean', of: (row) => row.clawedBack },
];
