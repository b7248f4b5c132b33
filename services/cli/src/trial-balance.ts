/** `ledger trial-balance`: every account by unit, from the postings of every entry. Exit code 1 where anything in them is wrong. */
import { type TrialBalanceAt, trialBalanceAt } from '@tallystick/audit';
import { positionOf } from '@tallystick/projections';
import { lastShown, lastText } from './balance.ts';
import { type AddCommand, answer, type CliParts, withSources } from './command.ts';
import { differencesOf, nameDifferences } from './differences.ts';
import { assertReached } from './ledger-end.ts';
import { asOfOf, MOMENT, type Moment, momentAt, type Positions, positionsOf } from './moment.ts';
import { startMeter } from './progress.ts';
import { columns } from './table.ts';

interface Request {
  readonly at?: Moment;
  readonly json?: boolean;
}

export const addTrialBalance: AddCommand = (program, parts) => {
  program
    .command('trial-balance')
    .description('adds up every account from the events; the total of each unit is zero')
    .option('--at <moment>', MOMENT, momentAt)
    .option('--json', 'answers in JSON')
    .action((request: Request) => trialBalance(parts, request));
};

async function trialBalance(parts: CliParts, { at, json }: Request): Promise<void> {
  const { output } = parts;
  await withSources(parts, async (sources) => {
    const { store, pool, schema } = sources;
    const positions = await positionsOf(store);
    await assertReached(sources, at, positions);
    const asOf = asOfOf(at, positions);
    const meter = startMeter(output, 'trial balance', await positionOf(pool, schema));
    const found = await trialBalanceAt(store, asOf, meter.show).finally(meter.stop);
    const { units, last } = found;
    const value = { units, as_of: lastShown(last, positions), ...differencesOf(found) };
    answer(output, json, value, textOf(found, positions));
    nameDifferences(output, found);
  });
}

function textOf({ units, last }: TrialBalanceAt, positions: Positions): string {
  const rows = units.flatMap(({ unit, total, accounts }) => [
    ...accounts.map(({ account, balance }) => [account, balance, unit]),
    ['total', total, unit],
    ['', '', ''],
  ]);
  return [
    ...(rows.length === 0 ? [] : [columns(['left', 'right', 'left'], rows)]),
    lastText(last, positions),
  ].join('\n');
}
