/** `ledger explain`: every event of a wallet, what it did and why, and the balance after it. */
import {
  type AsOf,
  type AuditedEvent,
  eventsOf,
  explainToFinance,
  type FinanceExplanation,
} from '@tallystick/audit';
import { walletId } from './account-argument.ts';
import { type AddCommand, type CliParts, jsonOf, withSources } from './command.ts';
import { UsageFault } from './connect.ts';
import { asOfOf, MOMENT, type Moment, momentAt, momentFrom, type Positions, positionsOf } from './moment.ts';
import { writeChunks } from './write.ts';

interface Request {
  readonly at?: Moment;
  readonly from?: Moment;
  readonly json?: boolean;
}

export const addExplain: AddCommand = (program, parts) => {
  program
    .command('explain')
    .description('lists every event of a wallet: what it did, how it was priced, which lots it touched')
    .argument('<account>', "a wallet's id", walletId)
    .option('--from <moment>', `from there on: ${MOMENT}`, momentFrom)
    .option('--at <moment>', `up to there: ${MOMENT}`, momentAt)
    .option('--json', 'answers in JSON, an array')
    .action((account: string, request: Request) => explain(parts, account, request));
};

type After = FinanceExplanation['after'];

async function explain(parts: CliParts, account: string, { at, from, json }: Request): Promise<void> {
  await withSources(parts, async ({ store }) => {
    const positions = await positionsOf(store);
    const events = eventsOf(store, `wallet-${account}`, asOfOf(at, positions));
    const opening = await openAt(events, asOfOf(from, positions));
    if (!opening.isKnown) throw new UsageFault(`there was no account ${account} then`);
    const explained = explainFrom(opening.first, events, positions);
    await writeChunks(parts.output.results, json ? asJson(explained) : asText(opening.before, explained));
  });
}

/** The first event that is shown, and the balance before it. */
interface Opening {
  readonly isKnown: boolean;
  readonly before: After;
  readonly first: AuditedEvent | null;
}

async function openAt(events: AsyncGenerator<AuditedEvent, void>, from: AsOf | null): Promise<Opening> {
  let before: After = null;
  let isKnown = false;
  for (;;) {
    const next = await events.next();
    if (next.done) return { isKnown, before, first: null };
    isKnown = true;
    if (!precedes(next.value, from)) return { isKnown, before, first: next.value };
    before = explainToFinance(next.value).after ?? before;
  }
}

/** An event of the moment itself is shown. */
function precedes(event: AuditedEvent, from: AsOf | null): boolean {
  if (from === null) return false;
  return 'position' in from ? event.position < from.position : Date.parse(event.recordedAt) < from.at;
}

async function* explainFrom(
  first: AuditedEvent | null,
  rest: AsyncIterable<AuditedEvent>,
  { show }: Positions,
): AsyncGenerator<FinanceExplanation, void> {
  const shown = (event: AuditedEvent) => ({ ...explainToFinance(event), position: show(event.position) });
  if (first === null) return;
  yield shown(first);
  for await (const event of rest) yield shown(event);
}

async function* asJson(explained: AsyncIterable<FinanceExplanation>): AsyncGenerator<string, void> {
  let separator = '[';
  for await (const one of explained) {
    yield `${separator}\n${jsonOf(one)}`;
    separator = ',';
  }
  yield separator === '[' ? '[]\n' : '\n]\n';
}

async function* asText(
  before: After,
  explained: AsyncIterable<FinanceExplanation>,
): AsyncGenerator<string, void> {
  if (before !== null) yield `before: ${balanceText(before)}\n\n`;
  for await (const one of explained) yield `${textOf(one)}\n\n`;
}

function textOf(one: FinanceExplanation): string {
  const { entry_id, recorded_at, position, type, what, after } = one;
  const lines = [what, ...one.formula, ...bookOf(one), ...movesOf(one), ...costOf(one)];
  return [
    `${entry_id}  ${recorded_at}  position ${position}  ${type}`,
    ...lines.map((line) => `  ${line}`),
    ...(after === null ? [] : [`  after: ${balanceText(after)}`]),
  ].join('\n');
}

const balanceText = ({ available, held }: NonNullable<After>): string =>
  `${available} credits available, ${held} held`;

function bookOf({ price }: FinanceExplanation): string[] {
  const book = price?.price_book;
  return book == null ? [] : [`by price book ${book.name}, version ${book.version}`];
}

function movesOf({ moves, paid }: FinanceExplanation): string[] {
  return moves.map(({ lot, from, to, credits }, index) => {
    const money = paid[index] ?? '0';
    return `${lot ?? 'beyond all lots'}: ${credits} credits ${from} -> ${to}${money === '0' ? '' : `, ${money} paid for them`}`;
  });
}

function costOf({ cost, supplier }: FinanceExplanation): string[] {
  return cost === null ? [] : [`cost ${cost.amount} ${cost.currency}, supplier ${supplier ?? 'unknown'}`];
}
