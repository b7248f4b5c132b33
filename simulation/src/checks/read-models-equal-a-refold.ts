/** Rule 10 and section 6 of the design: the rows are what the events come to, each event counted once. */
import type { WalletEvent } from '@tallystick/domain';
import type { StoredEvent } from '@tallystick/event-store';
import type { Client, QueryResultRow } from 'pg';
import { emptyState, isEntry, postingsOf, refold, stepsOf, type WalletState } from '../refold.ts';
import { broken, type Evidence } from './evidence.ts';
import { addPlanRows, type PlanRows, planSelects } from './rows-of-plans.ts';

/** Each row as a text. */
interface Tables extends PlanRows {
  readonly balances: string[];
  readonly lots: string[];
  readonly holds: string[];
  readonly pins: string[];
  readonly entries: string[];
  readonly totals: string[];
  readonly keys: string[];
}

export async function readModelsEqualARefold(evidence: Evidence): Promise<void> {
  const { single, schema } = evidence.world.database;
  const found = await readTables(single, schema);
  const expected = whatEventsComeTo(evidence);
  for (const table of Object.keys(expected) as (keyof Tables)[])
    areEqual(table, found[table], expected[table]);
}

function whatEventsComeTo({ world, wallets, log }: Evidence): Tables {
  const tables: Tables = {
    ...{ balances: [], lots: [], holds: [], pins: [], entries: [], totals: [], keys: [] },
    ...{ subscriptions: [], quotas: [], purchases: [], coupons: [], accruals: [] },
  };
  const totals = new Map<string, bigint>();
  for (const { account, stream, events } of wallets) {
    const state = emptyState();
    for (const event of events) {
      refold(state, event);
      addPlatformPostings(totals, event);
      if (isEntry(event)) tables.entries.push(`${stream}:${event.revision} ${event.position}`);
    }
    addPlanRows(tables, account, state.plan, events);
    if (events.length > 0) addState(tables, account, state, events.length - 1);
  }
  for (const [name, sum] of totals) if (sum !== 0n) tables.totals.push(`${name} ${sum}`);
  if (!world.shape.enforcesKeys)
    for (const { stream, key, revision } of log)
      if (key !== null) tables.keys.push(`${stream} ${key} ${revision}`);
  return tables;
}

function addPlatformPostings(totals: Map<string, bigint>, event: StoredEvent<WalletEvent>): void {
  const { shown, hidden } = postingsOf(event);
  for (const { account, unit, amount } of [...shown, ...hidden]) {
    if (account.startsWith('liabilities:wallets:')) continue;
    const name = `${account} ${unit}`;
    totals.set(name, (totals.get(name) ?? 0n) + stepsOf(amount, unit));
  }
}

function addState(tables: Tables, account: string, state: WalletState, revision: number): void {
  const { available, held, granted, adjusted, consumed, expired, debt } = state;
  const sums = [available, held, granted, adjusted, consumed, expired, debt];
  tables.balances.push(`${account} ${sums.join(' ')} ${revision}`);
  for (const [lot, { free, pinned, paid }] of state.lots)
    tables.lots.push(`${account} ${lot} ${free} ${pinned} ${paid} ${free + pinned > 0n}`);
  for (const [hold, { status, credits, uncovered, pins }] of state.holds) {
    tables.holds.push(`${account} ${hold} ${status} ${credits} ${uncovered}`);
    for (const [lot, pin] of pins) tables.pins.push(`${account} ${hold} ${lot} ${pin.credits} ${pin.paid}`);
  }
}

/** In one statement, so of one snapshot. */
async function readTables(client: Client, name: string): Promise<Tables> {
  const schema = `"${name}"`;
  const select: Record<keyof Tables, string> = {
    balances: `select concat_ws(' ', account, available, held, granted, adjusted, consumed, expired, debt, revision) as x
      from ${schema}.balances where unit = 'credits'`,
    lots: `select concat_ws(' ', account, lot, free, pinned, paid, open::text) as x from ${schema}.lots`,
    holds: `select concat_ws(' ', account, hold, status, credits, uncovered) as x from ${schema}.holds`,
    pins: `select concat_ws(' ', account, hold, lot, credits, paid) as x from ${schema}.pins`,
    entries: `select stream || ':' || revision || ' ' || position as x from ${schema}.entries`,
    totals: `select account || ' ' || unit || ' ' || sum(balance) as x from ${schema}.platform_totals
      group by account, unit having sum(balance) <> 0`,
    keys: `select concat_ws(' ', stream, key, revision) as x from ${schema}.stream_keys`,
    ...planSelects(schema),
  };
  const columns = Object.entries(select).map(
    ([table, text]) => `coalesce((select json_agg(x) from (${text}) as ${table}_rows), '[]') as ${table}`,
  );
  const { rows } = await client.query<Tables & QueryResultRow>(`select ${columns.join(', ')}`);
  const [tables] = rows;
  if (tables === undefined) throw new Error('the read models cannot be read');
  return tables;
}

function areEqual(table: string, found: readonly string[], expected: readonly string[]): void {
  const missing = expected.filter((row) => !found.includes(row));
  const surplus = found.filter((row) => !expected.includes(row));
  if (missing.length + surplus.length > 0 || found.length !== expected.length)
    broken(`the rows of ${table} are what the events come to`, { missing, surplus });
}
