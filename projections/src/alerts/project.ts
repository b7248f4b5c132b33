/** Warnings: one row for each that was raised. */
import type { AlertRaised } from '@tallystick/domain';
import type { ClientBase } from 'pg';
import type { Item } from '../item.ts';
import { type BatchContext, type Column, type Fold, insertRows, type ReadModel } from '../read-model.ts';
import { alertsDdl } from './table.ts';

export const alertsModel: ReadModel = {
  name: 'alerts',
  tables: ['alerts'],
  ddl: alertsDdl,
  fold: (batch) => new AlertsFold(batch),
};

interface Raised {
  readonly account: string;
  readonly born: number;
  readonly data: AlertRaised;
  readonly at: string;
}

class AlertsFold implements Fold {
  readonly #schema: string;
  readonly #raised: Raised[] = [];

  constructor({ schema }: BatchContext) {
    this.#schema = schema;
  }

  add({ category, type, id: account, event, revision: born, at }: Item): void {
    if (category !== 'wallet' || type !== 'AlertRaised') return;
    this.#raised.push({ account, born, data: event.data as AlertRaised, at });
  }

  async write(client: ClientBase): Promise<void> {
    await insertRows(client, `${this.#schema}.alerts`, RAISED, this.#raised);
  }
}

/** Named one by one: what an event carries beside its own fields is no figure. */
function figuresOf(data: AlertRaised): object {
  switch (data.alert) {
    case 'quota': {
      const { unit, model, granted, used, held, period_start, period_end } = data;
      return { unit, model, granted, used, held, period_start, period_end };
    }
    case 'balance':
      return { available: data.available };
    case 'daily_spend':
      return { spent: data.spent, day: data.day };
  }
}

const RAISED: readonly Column<Raised>[] = [
  { name: 'account', type: 'text', of: (row) => row.account },
  { name: 'born', type: 'bigint', of: (row) => row.born },
  { name: 'alert', type: 'text', of: ({ data }) => data.alert },
  { name: 'threshold', type: 'text', of: ({ data }) => data.threshold },
  { name: 'key', type: 'text', of: ({ data }) => data.key },
  { name: 'figures', type: 'text', of: ({ data }) => JSON.stringify(figuresOf(data)) },
  { name: 'effective_at', type: 'timestamptz', of: ({ data }) => data.effective_at },
  { name: 'raised_at', type: 'timestamptz', of: (row) => row.at },
];
