/** `ledger explain`: every event of a wallet, what it did and why, and the balance after it. */
import {
  type AsOf,
  type AuditedEvent,
  counted,
  Examiner,
  eventsOf,
  explainToFinance,
  type FinanceExplanation,
} from '@tallystick/audit';
import { walletId } from './account-argument.ts';
import { noAccount } from './balance.ts';
import { type AddCommand, type CliParts, jsonOf, withSources } from './command.ts';
import { UsageFault } from './connect.ts';
import { differencesOf, nameDifferences } from './differences.ts';
import { assertReached } from './ledger-end.ts';
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
    .option('--json', 'answers in JSON')
    .action((account: string, request: Request) => explain(parts, account, request));
};

type After = FinanceExplanation['after'];

async function explain(parts: CliParts, account: string, { at, from, json }: Request): Promise<void> {
  await withSources(parts, async (sources) => {
    const positions = await positionsOf(sources.store);
    const [first, last] = [asOfOf(from, positions), asOfOf(at, positions)];
    if (isAfter(first, last)) throw new UsageFault('--from must not be after --at');
    for (const moment of [from, at]) await assertReached(sources, moment, positions);
    const examiner = new Examiner(last);
    const events = eventsOf(sources.store, `wallet-${account}`, examiner);
    const opening = await openAt(events, first);
    if (!opening.isKnown && examiner.end().count === 0) throw noAccount(account, last);
    const explained = explainFrom(opening.first, events, positions);
    const { results } = parts.output;
    await writeChunks(results, json ? asJson(explained, examiner) : asText(opening.before, explained));
    nameDifferences(parts.output, examiner.end());
  });
}

/** A position and a time cannot be told apart before the events are seen: then nothing is shown. */
function isAfter(from: AsOf | null, at: AsOf | null): boolean {
  if (from === null || at === null) return false;
  if ('position' in from) return 'position' in at && from.position > at.position;
  return 'at' in at && from.at > at.at;
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

/** Event by event: a wallet's may be more than memory holds. */
async function* asJson(
  explained: AsyncIterable<FinanceExplanation>,
  examiner: Examiner,
): AsyncGenerator<string, void> {
  let before = '{"events":[';
  for await (const one of explained) {
    yield `${before}\n${jsonOf(one)}`;
    before = ',';
  }
  const { difference_count, differences } = differencesOf(examiner.end());
  const empty = before === ',' ? '' : before;
  yield `${empty}],\n"difference_count":${difference_count},"differences":${jsonOf(differences)}}\n`;
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
  const lines = [
    what,
    ...one.formula,
    ...bookOf(one),
    ...movesOf(one),
    ...quotasOf(one),
    ...costOf(one),
    ...moneyOf(one),
  ];
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

function quotasOf({ quotas, quota_paid }: FinanceExplanation): string[] {
  return quotas.map(({ quota, unit, from, to, quantity }, index) => {
    const money = quota_paid[index] ?? '0';
    return `${quota}: ${counted(quantity, unit ?? 'units')} ${from} -> ${to}${money === '0' ? '' : `, ${money} paid for them`}`;
  });
}

/** What the entry posts in currencies: where money went, or that none did. */
function moneyOf({ postings }: FinanceExplanation): string[] {
  return postings
    .filter(({ unit }) => /^[A-Z]{3}$/.test(unit))
    .map(({ account, unit, amount }) => `posts ${amount} ${unit} to ${account}`);
}

function costOf({ cost, supplier }: FinanceExplanation): string[] {
  return cost === null ? [] : [`cost ${cost.amount} ${cost.currency}, supplier ${supplier ?? 'unknown'}`];
}
