/** Whether an event agrees with itself about what was paid for a subscription or a purchase, and what came back. */
import { stepsOf, textOf } from '../decimal.ts';
import { type AccountedEvent, isCurrency } from '../verify/accounted.ts';
import type { MoneyText, Picture } from '../verify/picture.ts';
import type { Name } from './amounts.ts';

interface BillData {
  readonly subscription?: Picture;
  readonly lines?: readonly { readonly credits: string }[];
  readonly purchase?: { readonly credits: string; readonly bonus: string; readonly total: MoneyText };
  readonly credits?: string;
  readonly lot?: { readonly credits: string };
  readonly pending?: readonly { readonly credits: string }[];
  readonly owed?: string;
  readonly applied?: boolean;
}

/** @param spent credits that the moves burn, less what they give back */
export function checkBill({ type, data, facts, legs }: AccountedEvent, spent: bigint, name: Name): void {
  const { subscription, lines = [], purchase, ...rest } = data as BillData;
  if (subscription !== undefined) checkPaidFrom(subscription, name);
  const billed = lines.reduce((sum, { credits }) => sum + stepsOf(credits), 0n);
  switch (type) {
    case 'SubscriptionStarted':
    case 'SubscriptionRenewed':
      if (stepsOf(subscription?.period_credits ?? '0') !== spent)
        name(
          'the credits of the period are not what its moves burn',
          textOf(spent),
          subscription?.period_credits ?? '0',
        );
      return;
    case 'SubscriptionChanged':
    case 'SubscriptionEnded':
      if (billed !== spent)
        name('the lines of the bill are not what its moves burn', textOf(spent), textOf(billed));
      return;
    case 'SubscriptionPaymentRecorded':
      checkReceived(data.result === 'paid' ? (facts.received as MoneyText | null) : null, legs, name);
      return;
    case 'PurchasePaid':
      checkPurchase(purchase, rest.credits ?? '0', facts.payment as MoneyText, name);
      return;
    case 'PurchasePaymentUnapplied':
      checkReceived(facts.payment as MoneyText, legs, name);
      return;
    case 'ReferralClawedBack': {
      const { credits = '0', lot, pending = [], owed = '0' } = rest;
      const parts = pending.reduce(
        (sum, part) => sum + stepsOf(part.credits),
        stepsOf(owed) + stepsOf(lot?.credits ?? '0'),
      );
      if (parts !== stepsOf(credits))
        name('what is taken back is not what its parts come to', textOf(parts), credits);
      return;
    }
    default:
  }
}

const PAID_FROM_MAX = 100;

function checkPaidFrom({ period_credits, paid_from }: Picture, name: Name): void {
  const sum = paid_from.reduce((paid, { credits }) => paid + stepsOf(credits), 0n);
  const paid = stepsOf(period_credits);
  // Of very many lots the picture names the last ones.
  if (sum > paid || (sum < paid && paid_from.length < PAID_FROM_MAX))
    name('the lots that paid do not come to the credits of the period', period_credits, textOf(sum));
}

/** What came in stands against the clearing account of where it came from. */
function checkReceived(received: MoneyText | null, legs: AccountedEvent['legs'], name: Name): void {
  const posted = legs.reduce(
    (sum, { account, unit, steps }) =>
      account.startsWith('assets:clearing:') && isCurrency(unit) ? sum + steps : sum,
    0n,
  );
  const due = stepsOf(received?.amount ?? '0');
  if (posted !== due) name('the entry does not post what was received', textOf(due), textOf(posted));
}

function checkPurchase(
  purchase: BillData['purchase'],
  credits: string,
  payment: MoneyText,
  name: Name,
): void {
  if (purchase === undefined) return;
  const bought = stepsOf(purchase.credits) + stepsOf(purchase.bonus);
  if (bought !== stepsOf(credits))
    name('the credits are not what was bought with its bonus', textOf(bought), credits);
  const { amount, currency } = purchase.total;
  if (payment.currency !== currency || stepsOf(payment.amount) !== stepsOf(amount))
    name(
      'the payment is not the total of the purchase',
      `${amount} ${currency}`,
      `${payment.amount} ${payment.currency}`,
    );
}
