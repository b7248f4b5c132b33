/** Subscriptions: each of their events carries the whole picture, so the last one of a batch is what is written. */
import type { Money, PlanTerms, Pots, Subscription } from '@tallystick/domain';
import type { ClientBase } from 'pg';
import type { Item } from '../item.ts';
import {
  type BatchContext,
  type Column,
  type Fold,
  insertRows,
  type ReadModel,
  unnest,
} from '../read-model.ts';
import { subscriptionsDdl } from './table.ts';

/** What the events of a subscription say of it; those of quotas and refused payments say less. */
interface Told {
  readonly subscription?: Subscription;
  readonly terms?: PlanTerms;
}
interface ToldOfMoney {
  readonly pots?: Pots | null;
  readonly paid_from?: readonly Money[];
}

interface Row {
  readonly account: string;
  readonly now: Subscription;
  /** Null: as before. */
  readonly terms: PlanTerms | null;
  readonly pots: Pots | null;
  readonly paidMoney: readonly Money[] | null;
  readonly revision: number;
}
interface Started extends Row {
  readonly born: number;
  readonly at: string;
}

const NO_MONEY: readonly Money[] = [];

const TYPES: ReadonlySet<string> = new Set([
  'SubscriptionStarted',
  'SubscriptionRenewed',
  'SubscriptionPastDue',
  'SubscriptionChanged',
  'SubscriptionEnded',
  'SubscriptionPaymentRecorded',
  'QuotaGranted',
]);

export const subscriptionsModel: ReadModel = {
  name: 'subscriptions',
  tables: ['subscriptions'],
  ddl: subscriptionsDdl,
  fold: (batch) => new SubscriptionsFold(batch),
};

class SubscriptionsFold implements Fold {
  readonly #batch: BatchContext;
  readonly #started = new Map<string, Started>();
  readonly #changed = new Map<string, Row>();

  constructor(batch: BatchContext) {
    this.#batch = batch;
  }

  add({ category, id: account, type, event, revision, at }: Item): void {
    if (category !== 'wallet' || !TYPES.has(type)) return;
    const { subscription: now, terms = null } = event.data as Told;
    if (now === undefined) return;
    const { pots = null, paid_from } = event.facts as ToldOfMoney;
    const paidMoney = paid_from ?? (now.paid_from.length === 0 ? NO_MONEY : null);
    const id = `${account} ${now.id}`;
    const row = { account, now, terms, pots, paidMoney, revision };
    const started = this.#started.get(id);
    if (type === 'SubscriptionStarted') this.#started.set(id, { ...row, born: revision, at });
    else if (started !== undefined) this.#started.set(id, { ...started, ...after(started, row) });
    else this.#changed.set(id, after(this.#changed.get(id), row));
    this.#batch.dueAccounts.add(account);
  }

  async write(client: ClientBase): Promise<void> {
    const table = `${this.#batch.schema}.subscriptions`;
    await insertRows(client, table, STARTED, [...this.#started.values()]);
    const changed = [...this.#changed.values()];
    if (changed.length === 0) return;
    const { from, values } = unnest('d', CHANGED, changed);
    const sets = CHANGED.slice(2).map(({ name }) =>
      KEPT.has(name) ? `${name} = coalesce(d.${name}, s.${name})` : `${name} = d.${name}`,
    );
    const { rowCount } = await client.query(
      `update ${table} s set ${sets.join(', ')} from ${from}
       where s.account = d.account and s.subscription = d.subscription`,
      values,
    );
    if (rowCount !== changed.length)
      throw new Error(`${changed.length} subscriptions changed, of which ${rowCount} exist`);
  }
}

/** Terms and money that an event does not tell are as they were. */
function after(before: Row | undefined, row: Row): Row {
  if (before === undefined) return row;
  return {
    ...row,
    terms: row.terms ?? before.terms,
    paidMoney: row.paidMoney ?? before.paidMoney,
  };
}

/** Columns that stay as they were where an event does not tell them. */
const KEPT: ReadonlySet<string> = new Set(['terms', 'paid_money']);

const CHANGED: readonly Column<Row>[] = [
  { name: 'account', type: 'text', of: (row) => row.account },
  { name: 'subscription', type: 'text', of: ({ now }) => now.id },
  { name: 'plan', type: 'text', of: ({ now }) => now.plan },
  { name: 'plan_version', type: 'integer', of: ({ now }) => now.plan_version },
  { name: 'status', type: 'text', of: ({ now }) => now.status },
  { name: 'period_end', type: 'timestamptz', of: ({ now }) => now.period_end },
  { name: 'grace_ends_at', type: 'timestamptz', of: ({ now }) => now.grace_ends_at },
  { name: 'ended_at', type: 'timestamptz', of: ({ now }) => now.ended_at },
  { name: 'next_grant_at', type: 'timestamptz', of: ({ now }) => soonest(now.next_grants) },
  { name: 'picture', type: 'text', of: ({ now }) => JSON.stringify(now) },
  { name: 'terms', type: 'text', of: ({ terms }) => (terms === null ? null : JSON.stringify(terms)) },
  { name: 'pots', type: 'text', of: ({ pots }) => (pots === null ? null : JSON.stringify(pots)) },
  {
    name: 'paid_money',
    type: 'text',
    of: ({ paidMoney }) => (paidMoney === null ? null : JSON.stringify(paidMoney)),
  },
  { name: 'revision', type: 'bigint', of: (row) => row.revision },
];
const STARTED: readonly Column<Started>[] = [
  ...CHANGED,
  { name: 'born', type: 'bigint', of: (row) => row.born },
  { name: 'started_at', type: 'timestamptz', of: (row) => row.at },
];

function soonest(instants: readonly (string | null)[]): string | null {
  let found: string | null = null;
  for (const at of instants)
    if (at !== null && (found === null || Date.parse(at) < Date.parse(found))) found = at;
  return found;
}
