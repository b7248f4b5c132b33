/**
 * Whose expense it is what runs beyond a hard stop (billing rule 6). The platform's: without a hold while the plan is paid
 * for; of a hold that has not expired where the plan was paid for when it was placed, and its subscription was not left
 * before its period's end since; but not of a call that was held as one of another model, nor tokens of one of another kind.
 * Then the customer pays nothing, and the supplier's cost is an overrun of the plan. Else the customer pays for it like for
 * anything else.
 */
import { stepsOf } from '../decimal.ts';
import { thousandthsOf } from '../fraction.ts';
import type { AccountedEvent } from './accounted.ts';
import { TOKENS, usedIn } from './caps.ts';
import type { CoveredText } from './covered.ts';
import type { Name } from './finding.ts';
import { type Hold, paidIn } from './holds.ts';
import type { PlanTermsText, Subscribed } from './picture.ts';

interface ChargedData {
  readonly model: string;
  readonly usage: Quantities;
  readonly credits: string;
  readonly hold?: string;
  readonly repriced?: string;
  readonly plan?: { readonly id: string };
  readonly covered?: readonly CoveredText[];
  readonly violations?: readonly string[];
}
type Quantities = Readonly<Record<string, number>>;

const OVERRUNS = 'expenses:overrun:';

/** @param held the event's hold as it was before it; null where it has none */
export function checkOverrun(
  { type, data, legs }: AccountedEvent,
  current: Subscribed | null,
  held: Hold | null,
  name: Name,
): void {
  if (type !== 'UsageCharged') return;
  const charged = data as unknown as ChargedData;
  const { hold, repriced, plan, credits, violations = [] } = charged;
  // Of a hold that was never placed, which is named elsewhere, nobody knows.
  if (hold !== undefined && held === null) return;
  const terms = repriced === undefined ? termsOfOurs(current, held) : null;
  const lacking = terms === null ? null : lackingOf(terms, charged);
  const isOurs = lacking !== null && (held === null || wasAskedAbout(held, charged.model, lacking));
  const isSaid = violations.includes('quota_exhausted');
  if (isSaid !== isOurs)
    name('what runs beyond a hard stop is at another expense', expenseOf(isOurs), expenseOf(isSaid));
  if (isOurs && stepsOf(credits) !== 0n) name('an overrun is charged to the customer', '0', credits);
  const due = `${OVERRUNS}${encodeURIComponent(plan?.id ?? '')}`;
  for (const { account } of legs) {
    if (!account.startsWith('expenses:')) continue;
    if (isOurs ? account !== due : account.startsWith(OVERRUNS))
      name('the cost of a call is booked as another expense', isOurs ? due : 'the supplier’s', account);
  }
}

/** A hold says truly in which subscription it was paid for; one from before this was told says nothing. */
export function checkPaidIn(hold: Hold | undefined, name: Name): void {
  const said = hold?.terms.plan?.paid_in;
  const due = hold?.on.paidIn ?? 'none';
  if (said !== undefined && said !== due) name('a hold was paid for in another subscription', due, said);
}

const expenseOf = (isOurs: boolean): string => (isOurs ? 'the platform’s' : 'the customer’s');

/** Those of a plan whose overruns are the platform's; null: they are the customer's. */
function termsOfOurs(current: Subscribed | null, held: Hold | null): PlanTermsText | null {
  if (held === null) return current === null || paidIn(current) === null ? null : current.terms;
  return held.status === 'open' && held.on.paidIn !== null ? held.on.terms : null;
}

/** Something that the plan includes for the model has run out: calls that are not covered, or else tokens that count. */
function lackingOf(
  { overage, included }: PlanTermsText,
  { model, usage, covered = [] }: ChargedData,
): 'calls' | 'tokens' | null {
  if (overage !== 'refuse') return null;
  const lines = included.filter((line) => line.model === '*' || line.model === model);
  const calls = covered.reduce(
    (sum, { unit, quantity }) => (unit === 'calls' ? sum + Number(quantity) : sum),
    0,
  );
  if (calls >= usedIn('calls', usage)) return null;
  const left = Object.keys(usage).filter((dimension) => isLeft(dimension, usage, covered));
  if (covered.length > 0 && left.length === 0) return null;
  if (lines.some(({ unit }) => unit === 'calls')) return 'calls';
  const isLacking = lines.some(({ counted_dimensions: counted = TOKENS }) =>
    counted.some((one) => left.includes(one)),
  );
  return isLacking ? 'tokens' : null;
}

/** A hold asks the stop about its own model, and about tokens where it is not of another kind. */
function wasAskedAbout(held: Hold, model: string, lacking: 'calls' | 'tokens'): boolean {
  return held.terms.model === model && (lacking === 'calls' || !isOfAnotherKind(held));
}

/** Its estimate names something that is neither tokens nor calls, and no tokens: no stop in tokens was asked about it. */
function isOfAnotherKind({ terms: { estimate } }: Hold): boolean {
  const named = Object.entries(estimate).filter(([, quantity]) => quantity > 0);
  return (
    named.some(([dimension]) => dimension !== 'calls') &&
    !named.some(([dimension]) => TOKENS.includes(dimension))
  );
}

function isLeft(dimension: string, usage: Quantities, covered: readonly CoveredText[]): boolean {
  const gone = covered.reduce((sum, part) => sum + thousandthsOf(part.usage[dimension] ?? 0), 0n);
  return thousandthsOf(usage[dimension] ?? 0) > gone;
}
