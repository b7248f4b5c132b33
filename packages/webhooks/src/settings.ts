/** What the environment says of webhooks. Every process that makes endpoints or sends to them is told the same. */
import { readSecretKey } from './secret-box.ts';

export interface WebhookSettings {
  /** LEDGER_WEBHOOKS_ALLOW_PRIVATE: `1` allows http and addresses of this machine and the network around it. */
  readonly allowPrivate: boolean;
  /** LEDGER_SECRETS_KEY: 32 bytes in hex or base64, several separated by commas; the first encrypts. None: nothing is. */
  readonly secretKeys: readonly Buffer[];
  /** LEDGER_WEBHOOKS_TIMEOUT_SECONDS: how long an attempt may take: 15. */
  readonly timeoutMs: number;
  /** LEDGER_WEBHOOKS_KEEP_DAYS: how long finished deliveries stay in the log: 30. */
  readonly keepDays: number;
}

export const WEBHOOK_SETTINGS = [
  'LEDGER_WEBHOOKS_ALLOW_PRIVATE',
  'LEDGER_SECRETS_KEY',
  'LEDGER_WEBHOOKS_TIMEOUT_SECONDS',
  'LEDGER_WEBHOOKS_KEEP_DAYS',
] as const;

/** @param faults each fault names its variable and the rule; of a key nothing is repeated */
export function readWebhookSettings(
  environment: Readonly<Record<string, string | undefined>>,
  faults: string[],
): WebhookSettings {
  const numberOf = (name: string, otherwise: number, max: number): number => {
    const given = environment[name] || String(otherwise);
    if (/^\d{1,5}$/.test(given) && Number(given) >= 1 && Number(given) <= max) return Number(given);
    faults.push(`${name} must be a whole number from 1 to ${max}, but is ${JSON.stringify(given)}`);
    return otherwise;
  };
  const allow = environment.LEDGER_WEBHOOKS_ALLOW_PRIVATE || '0';
  if (allow !== '0' && allow !== '1')
    faults.push(`LEDGER_WEBHOOKS_ALLOW_PRIVATE must be 0 or 1, but is ${JSON.stringify(allow)}`);
  return {
    allowPrivate: allow === '1',
    secretKeys: keysOf(environment.LEDGER_SECRETS_KEY || null, faults),
    timeoutMs: numberOf('LEDGER_WEBHOOKS_TIMEOUT_SECONDS', 15, 60) * 1_000,
    keepDays: numberOf('LEDGER_WEBHOOKS_KEEP_DAYS', 30, 3_650),
  };
}

function keysOf(given: string | null, faults: string[]): Buffer[] {
  const keys = given === null ? [] : given.split(',').map(readSecretKey);
  const read = keys.filter((key) => key !== null);
  if (read.length < keys.length)
    faults.push('LEDGER_SECRETS_KEY must be 32 bytes in hex or base64; several are separated by commas');
  return read;
}
