/**
 * Sends mails by SMTP, or writes each into a file of its own where no server is set. A mail has an id of its business
 * fact: sent twice it is the same file, and to a receiver the same `Message-ID`.
 */
import { createHash, randomUUID } from 'node:crypto';
import { mkdir, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { MailSettings } from '@tallystick/connect';
import { isMailAddress } from '@tallystick/domain';
import { createTransport } from 'nodemailer';
import type Mail from 'nodemailer/lib/mailer';
import { type Notice, write } from './templates.ts';

export interface Envelope {
  /** Of the business fact: `quota:acme:…`. */
  readonly id: string;
  /** One address. */
  readonly to: string;
  readonly notice: Notice;
}

/** No server will ever take it: trying again is of no use. An outage throws something else. */
export class MailRefused extends Error {
  constructor(reason: string, options?: ErrorOptions) {
    super(`the mail was refused: ${reason}`, options);
    this.name = 'MailRefused';
  }
}

export interface Mailer {
  /**
   * Resolves when the server has taken it, or the file is whole.
   * @throws MailRefused where it is final; anything else may be tried again
   */
  send(mail: Envelope): Promise<void>;
  close(): void;
}

export interface MailerOptions extends MailSettings {
  /** Where the ledger keeps its data. */
  readonly dataDir: string;
  readonly now?: () => number;
}

const TIMEOUT_MS = 15_000;
/** Nothing in a mail comes from a file or from another machine. */
const CLOSED = { disableFileAccess: true, disableUrlAccess: true };

export function createMailer(options: MailerOptions): Mailer {
  const { smtpUrl, from, dir, dataDir, now = Date.now } = options;
  return smtpUrl === null ? intoFiles(dir ?? join(dataDir, 'mail'), from, now) : bySmtp(smtpUrl, from, now);
}

function bySmtp(url: string, from: string, now: () => number): Mailer {
  const transport = createTransport({
    url,
    pool: true,
    maxConnections: 2,
    connectionTimeout: TIMEOUT_MS,
    greetingTimeout: TIMEOUT_MS,
    socketTimeout: TIMEOUT_MS,
    ...CLOSED,
  } as object);
  return {
    async send(mail) {
      try {
        await transport.sendMail(messageOf(mail, from, now()));
      } catch (error) {
        const { responseCode = 0, message } = error as { responseCode?: number; message: string };
        // 5xx is final (RFC 5321, 4.2.1), but for what our own login comes to.
        const isFinal = responseCode >= 500 && responseCode < 600 && !/auth/i.test(message);
        throw isFinal ? new MailRefused(String(responseCode), { cause: error }) : error;
      }
    },
    close: () => transport.close(),
  };
}

/** One file a mail, named after its id. A reader never sees half of one. */
function intoFiles(folder: string, from: string, now: () => number): Mailer {
  const transport = createTransport({ streamTransport: true, buffer: true, newline: 'windows', ...CLOSED });
  return {
    async send(mail) {
      const { message } = await transport.sendMail(messageOf(mail, from, now()));
      await mkdir(folder, { recursive: true });
      const path = join(folder, `${digestOf(mail.id)}.eml`);
      const part = `${path}.${randomUUID()}`;
      await writeFile(part, message as Buffer);
      await rename(part, path);
    },
    close: () => transport.close(),
  };
}

function messageOf({ id, to, notice }: Envelope, from: string, now: number): Mail.Options {
  if (!isMailAddress(to)) throw new MailRefused('not an address');
  const { subject, text } = write(notice);
  return {
    // Each as one mailbox, never as a text that is taken apart.
    from: { name: '', address: from },
    to: { name: '', address: to },
    envelope: { from, to: [to] },
    subject,
    text,
    date: new Date(now),
    messageId: `<${digestOf(id)}@${from.slice(from.indexOf('@') + 1)}>`,
    headers: { 'Auto-Submitted': 'auto-generated' },
  };
}

/** An id may hold anything; a file's name and a header may not. */
const digestOf = (id: string): string => createHash('sha256').update(id).digest('hex').slice(0, 32);
