/** `ledger balance`: of a wallet with its identity, or of accounts of the ledger; now, or at a moment of the past. */
import {
  type AccountBalances,
  type AccountChoice,
  type AsOf,
  accountBalancesAt,
  type LastEvent,
  type WalletBalance,
  walletBalanceAt,
} from '@tallystick/audit';
import type { EventStore } from '@tallystick/event-store';
import { accountChoice } from './account-argument.ts';
import { type AddCommand, answer, type CliParts, Differs, withSources } from './command.ts';
import { UsageFault } from './connect.ts';
import { asOfOf, MOMENT, type Moment, momentAt, type Positions, positionsOf } from './moment.ts';
import { columns } from './table.ts';

interface Request {
  readonly at?: Moment;
  readonly json?: boolean;
}

export const addBalance: AddCommand = (program, parts) => {
  program
    .command('balance')
    .description('adds up a balance from the events')
    .argument('<account>', "a wallet's id, or an account or the beginning of accounts", accountChoice)
    .option('--at <moment>', MOMENT, momentAt)
    .option('--json', 'answers in JSON')
    .action((choice: AccountChoice, request: Request) => balance(parts, choice, request));
};

async function balance(parts: CliParts, choice: AccountChoice, { at, json }: Request): Promise<void> {
  await withSources(parts, async ({ store }) => {
    const positions = await positionsOf(store);
    const asOf = asOfOf(at, positions);
    if (choice.kind === 'wallet') await ofWallet(parts, store, { id: choice.id, asOf, json }, positions);
    else {
      const found = await accountBalancesAt(store, choice, asOf);
      if (found.accounts.length === 0) throw new UsageFault(`nothing was ever posted to ${choice.name} then`);
      const value = {
        accounts: found.accounts,
        totals: found.totals,
        as_of: lastShown(found.last, positions),
      };
      answer(parts.output, json, value, accountsText(found, positions));
    }
  });
}

interface WalletRequest {
  readonly id: string;
  readonly asOf: AsOf | null;
  readonly json: boolean | undefined;
}

async function ofWallet(
  { output }: CliParts,
  store: EventStore,
  { id, asOf, json }: WalletRequest,
  positions: Positions,
): Promise<void> {
  const found = await walletBalanceAt(store, id, asOf);
  if (found === null) throw new UsageFault(`there was no account ${id} then`);
  const { last, ...numbers } = found;
  answer(output, json, { ...numbers, as_of: lastShown(last, positions) }, walletText(found, positions));
  if (found.findings.length > 0) throw new Differs();
}

export function lastShown(last: LastEvent | null, { show }: Positions) {
  if (last === null) return null;
  return { entry_id: last.entryId, recorded_at: last.recordedAt, position: show(last.position) };
}

export function lastText(last: LastEvent | null, { show }: Positions): string {
  return last === null
    ? 'Nothing had been recorded.'
    : `Up to ${last.entryId}, recorded at ${last.recordedAt}, position ${show(last.position)}.`;
}

function walletText(found: WalletBalance, positions: Positions): string {
  const { granted, adjusted, consumed, held, expired, withdrawn, available } = found;
  const rows = [
    ['', 'granted', granted],
    ['+', 'adjusted', adjusted],
    ['-', 'consumed', consumed],
    ['-', 'held', held],
    ['-', 'expired', expired],
    ['-', 'withdrawn', withdrawn],
    ['=', 'available', available],
  ];
  const findings = found.findings.map(
    ({ what, stream, revision, expected, found: is }) =>
      `DIFFERS  ${stream}:${revision}  ${what}: expected ${expected}, found ${is}`,
  );
  return [
    `${found.account}, in credits`,
    columns(['left', 'left', 'right'], rows),
    lastText(found.last, positions),
    ...findings,
  ].join('\n');
}

function accountsText({ accounts, totals, last }: AccountBalances, positions: Positions): string {
  const rows = [
    ...accounts.map(({ account, unit, balance: amount }) => [account, amount, unit]),
    ...(accounts.length > 1 ? totals.map(({ unit, balance: amount }) => ['total', amount, unit]) : []),
  ];
  return [columns(['left', 'right', 'left'], rows), lastText(last, positions)].join('\n');
}
