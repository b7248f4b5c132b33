/**
 * What a reader of the books may name: a wallet by its id (`acme`), an account of the ledger, or all accounts below one
 * (`income:usage:gpt-4o`, `liabilities:wallets:`). A colon tells them apart: no id has one.
 */
export type AccountChoice =
  | { readonly kind: 'wallet'; readonly id: string }
  /** Without a colon at its end. */
  | { readonly kind: 'accounts'; readonly name: string };

const WALLET_ID = /^[A-Za-z0-9][A-Za-z0-9._@+-]{0,127}$/;
const ACCOUNTS = /^(assets|liabilities|equity|income|expenses)(:[A-Za-z0-9\-_.!~*'()%]+)*$/;

/**
 * Null where it is neither. A model's name may be given as it is (`income:usage:openai/gpt-4o`): what cannot stand in an
 * account's name is percent-encoded as the ledger does it.
 */
export function readAccountChoice(text: string): AccountChoice | null {
  if (!text.isWellFormed()) return null;
  if (WALLET_ID.test(text)) return { kind: 'wallet', id: text };
  if (!text.includes(':')) return null;
  const name = text
    .replace(/:$/, '')
    .split(':')
    .map((segment) => segment.replaceAll(/[^%]+/gu, encodeURIComponent))
    .join(':');
  return ACCOUNTS.test(name) ? { kind: 'accounts', name } : null;
}

/** Whether an account of the ledger is meant. */
export function isChosen(choice: AccountChoice, account: string): boolean {
  const name =
    choice.kind === 'wallet' ? `liabilities:wallets:${encodeURIComponent(choice.id)}` : choice.name;
  return account === name || account.startsWith(`${name}:`);
}
