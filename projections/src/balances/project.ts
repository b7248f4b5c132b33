/** Balances: differences gathered per wallet, added in one statement, and compared with what the events say. */
import { CREDITS, noTotals, parseCredits, type Totals, tally } from '@tallystick/domain';
import type { ClientBase } from 'pg';
import { CannotProject } from '../faults.ts';
import type { Item } from '../item.ts';
import { type BatchContext, type Column, type Fold, type ReadModel, unnest } from '../read-model.ts';
import { balancesDdl } from './table.ts';

interface Change extends Totals {
  readonly account: string;
  revision: number;
  position: bigint;
  /** The balance after the last event that moved anything, as that event tells it. */
  after: { readonly available: string; readonly held: string } | null;
}

export const balancesModel: ReadModel = {
  name: 'balances',
  tables: ['balances'],
  ddl: balancesDdl,
  fold: (batch) => new BalancesFold(batch),
};

class BalancesFold implements Fold {
  readonly #batch: BatchContext;
  readonly #changes = new Map<string, Change>();

  constructor(batch: BatchContext) {
    this.#batch = batch;
  }

  add({ category, id, revision, position, movement, flows }: Item): void {
    if (category !== 'wallet') return;
    let change = this.#changes.get(id);
    if (change === undefined) {
      change = { account: id, revision, position, after: null, ...noTotals() };
      this.#changes.set(id, change);
    }
    change.revision = revision;
    change.position = position;
    if (movement === null) return;
    for (const flow of flows) tally(change, flow);
    change.after = movement.after;
  }

  async write(client: ClientBase): Promise<void> {
    // In one order always, so that two writers cannot lock each other out.
    const changes = [...this.#changes.values()];
    if (changes.length === 0) return;
    const table = `${this.#batch.schema}.balances`;
    const { from, names, values } = unnest('d', COLUMNS, changes);
    const sums = SUMS.map((name) => `${name} = b.${name} + excluded.${name}`).join(', ');
    const { rows } = await client.query<{ account: string; available: string; held: string }>(
      `insert into ${table} as b (unit, ${names}) select '${CREDITS}', ${names} from ${from}
       on conflict (account, unit) do update set
         ${sums}, revision = excluded.revision, position = excluded.position
       returning account, available, held`,
      values,
    );
    for (const row of rows) this.#compare(row);
  }

  /** A row that an event contradicts means that moves and balances have parted: stop before anyone believes it. */
  #compare({ account, available, held }: { account: string; available: string; held: string }): void {
    const after = this.#changes.get(account)?.after;
    if (after == null) return;
    if (BigInt(available) === parseCredits(after.available) && BigInt(held) === parseCredits(after.held))
      return;
    throw new CannotProject(
      `wallet ${account} comes out at ${available} available and ${held} held (in steps), ` +
        `but its event says ${after.available} and ${after.held}`,
    );
  }

  async settle(client: ClientBase): Promise<void> {
    await this.#bringForward(client);
    await this.#lookForDues(client);
  }

  async #bringForward(client: ClientBase): Promise<void> {
    const { schema, dueAccounts, dueBy } = this.#batch;
    const earlier = [...dueBy].filter(([account]) => !dueAccounts.has(account));
    if (earlier.length === 0) return;
    const { from, values } = unnest('d', DUE, earlier);
    await client.query(
      `update ${schema}.balances b set next_due_at = d.due from ${from}
       where b.account = d.account and b.unit = d.unit and (b.next_due_at is null or b.next_due_at > d.due)`,
      values,
    );
  }

  async #lookForDues(client: ClientBase): Promise<void> {
    const { schema, dueAccounts } = this.#batch;
    if (dueAccounts.size === 0) return;
    await client.query(
      `update ${schema}.balances b set next_due_at = n.due
       from (
         select a.account, least(
           (select min(l.expires_at) from ${schema}.lots l where l.account = a.account and l.open and l.free > 0),
           (select min(h.expires_at) from ${schema}.holds h where h.account = a.account and h.status = 'open'),
           (select min(s.due_at) from ${schema}.subscriptions s where s.account = a.account and s.due_at is not null),
           (select min(case when q.free > 0 then q.expires_at else q.expires_at + interval '1 hour' end)
            from ${schema}.quotas q where q.account = a.account and q.open),
           (select min(r.available_at) from ${schema}.referral_accruals r
            where r.account = a.account and r.status = 'pending')
         ) as due
         from unnest($1::text[]) as a(account)
       ) n
       where b.account = n.account and b.unit = '${CREDITS}' and b.next_due_at is distinct from n.due`,
      [[...dueAccounts]],
    );
  }
}

const SUMS = [
  'available',
  'held',
  'granted',
  'adjusted',
  'consumed',
  'expired',
  'withdrawn',
  'debt',
] as const satisfies readonly (keyof Totals)[];

const DUE: readonly Column<readonly [account: string, due: string]>[] = [
  { name: 'account', type: 'text', of: ([account]) => account },
  // Of each row, not of the statement: a constant makes the planner look through all that have it.
  { name: 'unit', type: 'text', of: () => CREDITS },
  { name: 'due', type: 'timestamptz', of: ([, due]) => due },
];
const COLUMNS: readonly Column<Change>[] = [
  { name: 'account', type: 'text', of: (row) => row.account },
  ...SUMS.map((name): Column<Change> => ({ name, type: 'bigint', of: (row) => row[name] })),
  { name: 'revision', type: 'bigint', of: (row) => row.revision },
  { name: 'position', type: 'bigint', of: (row) => row.position },
];
