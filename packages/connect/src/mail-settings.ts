/** What the environment says of mail. */
import { isMailAddress } from '@tallystick/domain';

export interface MailSettings {
  /** LEDGER_SMTP_URL: `smtp://user:password@host:587` or `smtps://…`. Null: mails are written to files. */
  readonly smtpUrl: string | null;
  /** LEDGER_MAIL_FROM: the sender: `ledger@localhost`. */
  readonly from: string;
  /** LEDGER_MAIL_DIR: where mails are written that nobody sends, one file each. Null: `mail` in the data folder. */
  readonly dir: string | null;
}

/** @param faults each fault names its variable and the rule; of a URL nothing is repeated: it may hold a password */
export function readMailSettings(
  environment: Readonly<Record<string, string | undefined>>,
  faults: string[],
): MailSettings {
  const smtpUrl = environment.LEDGER_SMTP_URL || null;
  const from = environment.LEDGER_MAIL_FROM || 'ledger@localhost';
  if (smtpUrl !== null && !isServer(smtpUrl))
    faults.push('LEDGER_SMTP_URL must be a URL that starts with smtp:// or smtps:// and names a host');
  if (!isMailAddress(from))
    faults.push(
      `LEDGER_MAIL_FROM must be an address like ledger@example.com, but is ${JSON.stringify(from)}`,
    );
  // What is empty counts as not set.
  if (smtpUrl !== null && !environment.LEDGER_MAIL_FROM)
    faults.push('LEDGER_MAIL_FROM must be given where LEDGER_SMTP_URL is');
  return { smtpUrl, from, dir: environment.LEDGER_MAIL_DIR || null };
}

const isServer = (url: string): boolean =>
  /^smtps?:\/\//.test(url) && URL.canParse(url) && new URL(url).hostname !== '';
