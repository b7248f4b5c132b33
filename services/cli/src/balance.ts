/** `ledger balance`: of a wallet with its identity, or of accounts of the ledger; now, or at a moment of the past. */
import {
  type AccountBalances,
  type AccountChoice,
  type AsOf,
  accountBalancesAt,
  type LastEvent,
  SEALS,
  type WalletBalance,
  walletBalanceAt,
} from '@tallystick/audit';
import { accountChoice } from './account-argument.ts';
import { type AddCommand, answer, type CliParts, withSources } from './command.ts';
import { type Sources, UsageFault } from './connect.ts';
import { differencesOf, nameDifferences } from './differences.ts';
import { assertReached } from './ledger-end.ts';
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
  await withSources(parts, async (sources) => {
    const { store } = sources;
    const positions = await positionsOf(store);
    await assertReached(sources, at, positions);
    const asOf = asOfOf(at, positions);
    if (choice.kind === 'wallet') return ofWallet(parts, sources, { id: choice.id, asOf, json }, positions);
    const found = await accountBalancesAt(store, choice, asOf);
    if (found.accounts.length === 0 && found.count === 0)
      throw new UsageFault(`nothing was ever posted to ${choice.name}${asOf === null ? '' : ' then'}`);
    const value = {
      accounts: found.accounts,
      totals: found.totals,
      as_of: lastShown(found.last, positions),
      ...differencesOf(found),
    };
    answer(parts.output, json, value, accountsText(found, positions));
    nameDifferences(parts.output, found);
  });
}

interface WalletRequest {
  readonly id: string;
  readonly asOf: AsOf | null;
  readonly json: boolean | undefined;
}

async function ofWallet(
  { output }: CliParts,
  { store }: Sources,
  { id, asOf, json }: WalletRequest,
  positions: Positions,
): Promise<void> {
  const found = await walletBalanceAt(store, id, asOf);
  if (found === null) throw noAccount(id, asOf);
  const { last, count, findings, ...numbers } = found;
  const value = { ...numbers, as_of: lastShown(last, positions), ...differencesOf({ count, findings }) };
  answer(output, json, value, walletText(found, positions));
  nameDifferences(output, found);
}

export const noAccount = (id: string, asOf: AsOf | null): UsageFault =>
  new UsageFault(asOf === null ? `there is no account ${id}` : `there was no account ${id} then`);

export function lastShown(last: LastEvent | null, { show }: Positions) {
  if (last === null) return null;
  return { entry_id: last.entryId, recorded_at: last.recordedAt, position: show(last.position) };
}

export function lastText(last: LastEvent | null, { show }: Positions): string {
  return last === null
    ? 'Nothing had been recorded.'
    : `Up to ${nameOf(last)}, recorded at ${last.recordedAt}, position ${show(last.position)}.`;
}

/** A seal has a number beside the place of its event, and is known by that. */
function nameOf({ entryId }: LastEvent): string {
  const [stream, revision] = entryId.split(':');
  return stream === SEALS ? `${entryId} (seal ${Number(revision) + 1})` : entryId;
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
  return [
    `${found.account}, in credits`,
    columns(['left', 'left', 'right'], rows),
    lastText(found.last, positions),
  ].join('\n');
}

function accountsText({ accounts, totals, last }: AccountBalances, positions: Positions): string {
  const rows = [
    ...accounts.map(({ account, unit, balance: amount }) => [account, amount, unit]),
    ...(accounts.length > 1 ? totals.map(({ unit, balance: amount }) => ['total', amount, unit]) : []),
  ];
  return [columns(['left', 'right', 'left'], rows), lastText(last, positions)].join('\n');
}
