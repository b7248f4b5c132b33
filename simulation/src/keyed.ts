/** Commands as they are sent: with the key and the fingerprint that the API makes of what they say. */
import type { WalletCommand } from '@tallystick/domain';
import { keyOf, type Plain } from '@tallystick/projections/testing';

export type PlainCommand = Plain<WalletCommand>;

export interface PlannedOrder {
  readonly account: string;
  readonly command: WalletCommand;
}

/** The same key with other content: a conflict where the first is recorded. */
export function altered({ account, command }: PlannedOrder): PlannedOrder {
  switch (command.type) {
    case 'TopUpCredits':
    case 'GrantCredits':
      return { account, command: keyed({ ...command, credits: command.credits + 1n }) };
    case 'ChargeUsage':
      return { account, command: keyed({ ...command, model: 'plain', usage: { calls: 1 } }) };
    case 'PlaceHold':
      return { account, command: keyed({ ...command, estimate: { calls: 1 } }) };
    case 'Subscribe':
      return { account, command: keyed({ ...command, autoRenew: !command.autoRenew }) };
    case 'OpenPurchase':
      return { account, command: keyed({ ...command, paid: !command.paid }) };
    case 'RecordPurchasePayment':
      return { account, command: keyed({ ...command, paid: { amount: '0.5', currency: 'USD' } }) };
    default:
      return { account, command };
  }
}

export function keyed(
  plain: PlainCommand & { readonly key?: unknown; readonly fingerprint?: unknown },
): WalletCommand {
  const { key: _key, fingerprint: _fingerprint, ...sent } = plain;
  const fingerprint = JSON.stringify(sent, (_, value) => (typeof value === 'bigint' ? `${value}` : value));
  return { ...plain, key: keyOf(plain), fingerprint } as WalletCommand;
}
