/** Purchases, coupons on accounts and referral accruals. Each row is made once and changed by few events after that. */
import type { ClientBase } from 'pg';
import type { Item } from '../item.ts';
import type { BatchContext, Fold, ReadModel } from '../read-model.ts';
import { CouponRows } from './coupons.ts';
import { PurchaseRows } from './purchases.ts';
import { ReferralRows } from './referrals.ts';
import { purchasesDdl } from './table.ts';

export const purchasesModel: ReadModel = {
  name: 'purchases',
  tables: ['purchases', 'account_coupons', 'referral_accruals'],
  ddl: purchasesDdl,
  fold: (batch) => new PurchasesFold(batch),
};

class PurchasesFold implements Fold {
  readonly #parts: readonly Fold[];

  constructor(batch: BatchContext) {
    this.#parts = [new PurchaseRows(batch), new CouponRows(batch), new ReferralRows(batch)];
  }

  add(item: Item): void {
    if (item.category !== 'wallet') return;
    for (const part of this.#parts) part.add(item);
  }

  async write(client: ClientBase): Promise<void> {
    for (const part of this.#parts) await part.write(client);
  }
}
