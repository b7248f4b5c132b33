/** Every checker, in the order in which a failure tells most: what went wrong before what came of it. */
import { aNoWasTrue } from './a-no-was-true.ts';
import { acknowledgedFactsAreStoredOnce } from './acknowledged-facts-are-stored-once.ts';
import { alertsAreToldOnce } from './alerts-are-told-once.ts';
import { balancesAreAClosedIdentity } from './balances-are-a-closed-identity.ts';
import { capsAreNeverExceeded } from './caps-are-never-exceeded.ts';
import { chainsAreWhole } from './chains-are-whole.ts';
import { chargesAreRoundedOnce } from './charges-are-rounded-once.ts';
import { checkpointIsNotAheadOfRows } from './checkpoint-is-not-ahead-of-rows.ts';
import { couponsAreUsedAsOftenAsTheySay } from './coupons-are-used-as-often-as-they-say.ts';
import { entriesSumToZero } from './entries-sum-to-zero.ts';
import type { Check } from './evidence.ts';
import { holdsEndOnce } from './holds-end-once.ts';
import { nobodyOverspends } from './nobody-overspends.ts';
import { nothingIsReportedBroken } from './nothing-is-reported-broken.ts';
import { periodsFollowOneAnother } from './periods-follow-one-another.ts';
import { purchasesArePaidOnce } from './purchases-are-paid-once.ts';
import { quotasAreNeverOverdrawn } from './quotas-are-never-overdrawn.ts';
import { readModelsEqualARefold } from './read-models-equal-a-refold.ts';
import { referralsAreGrantedOnce } from './referrals-are-granted-once.ts';
import { refusedAndUnknownOrdersAreRecordedAtMostOnce } from './refused-and-unknown-orders-are-recorded-at-most-once.ts';
import { sameIdSameAnswer } from './same-id-same-answer.ts';
import { topUpsComeOneAtATime } from './top-ups-come-one-at-a-time.ts';
import { whatIsShownWasSo } from './what-is-shown-was-so.ts';

export const ALL_CHECKS: readonly Check[] = [
  nothingIsReportedBroken,
  acknowledgedFactsAreStoredOnce,
  refusedAndUnknownOrdersAreRecordedAtMostOnce,
  sameIdSameAnswer,
  entriesSumToZero,
  balancesAreAClosedIdentity,
  chargesAreRoundedOnce,
  nobodyOverspends,
  holdsEndOnce,
  quotasAreNeverOverdrawn,
  capsAreNeverExceeded,
  periodsFollowOneAnother,
  purchasesArePaidOnce,
  couponsAreUsedAsOftenAsTheySay,
  referralsAreGrantedOnce,
  topUpsComeOneAtATime,
  alertsAreToldOnce,
  chainsAreWhole,
  aNoWasTrue,
  whatIsShownWasSo,
  ({ world }) => checkpointIsNotAheadOfRows(world),
  readModelsEqualARefold,
];
