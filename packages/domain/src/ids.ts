/** Ids, streams and how an entry is named (rules 13 and 18). */

/** Accounts, usages, holds, sources, references, price books. Case-sensitive; no `:`, which separates keys. */
export const ID_PATTERN = '^[A-Za-z0-9][A-Za-z0-9._@+-]{0,127}$';
const ID = new RegExp(ID_PATTERN);

export function isId(text: string): boolean {
  return ID.test(text);
}

export const walletStream = (account: string): string => `wallet-${account}`;

/** An entry is the event that carries it: `wallet-acme:17` is revision 17 of that stream. */
export function entryId(stream: string, revision: number): string {
  return `${stream}:${revision}`;
}

export function parseEntryId(text: string): { stream: string; revision: number } | undefined {
  const match = /^([a-z]+-[A-Za-z0-9._@+-]+):(\d{1,15})$/.exec(text);
  if (match === null) return undefined;
  return { stream: match[1] ?? '', revision: Number(match[2]) };
}

/** Business keys of a wallet stream. A kind before the id: two gateways that both count 1, 2, 3 do not collide. */
export const keys = {
  usage: (source: string, id: string) => `usage:${source}:${id}`,
  reprice: (source: string, id: string) => `reprice:${source}:${id}`,
  hold: (id: string) => `hold::${id}`,
  /** An expired hold that is extended is placed anew: for the first time, the second, … */
  holdAgain: (id: string, times: number) => `hold-again:${times}:${id}`,
  /** A settle claims the key of the usage: the settled call posted as usage again is the same charge. */
  settle: (hold: string) => `usage::${hold}`,
  void: (hold: string) => `void::${hold}`,
  topUp: (source: string, reference: string) => `top-up:${source}:${reference}`,
  grant: (kind: string, reference: string) => `grant:${kind}:${reference}`,
  adjust: (reference: string) => `adjust::${reference}`,
  reverse: (revision: number) => `reverse::${revision}`,
  subscribe: (reference: string) => `subscribe::${reference}`,
  changePlan: (reference: string) => `change-plan::${reference}`,
  cancelSubscription: (reference: string) => `cancel-subscription::${reference}`,
  subscriptionPayment: (reference: string) => `subscription-payment::${reference}`,
  expandQuota: (reference: string) => `expand-quota::${reference}`,
  purchase: (id: string) => `purchase::${id}`,
  /** Of whatever ends it: so only one thing does. */
  purchaseClosed: (id: string) => `purchase-closed::${id}`,
  /** One word about one payment, whether a purchase or a request to top up was waiting for it. */
  purchasePayment: (reference: string) => `purchase-payment::${reference}`,
  couponGrant: (code: string) => `coupon::${code}`,
  referralLink: 'referral-link::',
  /** The friend's entry that it accrues on. */
  referral: (friend: string, revision: number) => `referral:${friend}:${revision}`,
  referralGrant: (friend: string, revision: number) => `referral-grant:${friend}:${revision}`,
  referralClawBack: (friend: string, revision: number) => `referral-claw-back:${friend}:${revision}`,
  autoTopUp: (id: string) => `auto-top-up::${id}`,
  open: 'open::',
} as const;

/** Codes of coupons are the same in capitals and not (billing rule 18); streams are not. */
export const couponId = (code: string): string => code.toUpperCase();

/** What stands for the purchase where a coupon grants credits by itself; no reference can be that. */
export const COUPON_GRANT_USE = ':grant';

/** Business keys of a coupon's stream. A purchase's id is unique within its account. */
export const couponKeys = {
  confirm: (account: string, purchase: string) => `confirm:${account}:${purchase}`,
  return: (account: string, purchase: string) => `return:${account}:${purchase}`,
} as const;
