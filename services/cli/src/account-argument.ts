/** How an account is named on the command line. */
import { type AccountChoice, readAccountChoice } from '@tallystick/audit';
import { InvalidArgumentError } from 'commander';

export function accountChoice(text: string): AccountChoice {
  const choice = readAccountChoice(text);
  if (choice === null)
    throw new InvalidArgumentError(
      "a wallet's id (acme), or an account or the beginning of accounts (income:usage:gpt-4o, liabilities:wallets:)",
    );
  return choice;
}

export function walletId(text: string): string {
  const choice = readAccountChoice(text);
  if (choice?.kind !== 'wallet') throw new InvalidArgumentError("a wallet's id (acme)");
  return choice.id;
}
