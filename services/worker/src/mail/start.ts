/** Mails of warnings on a connected ledger: what puts them in, to be followed with the others, and what sends them. */
import type { MailSettings } from '@tallystick/connect';
import type { EventStore } from '@tallystick/event-store';
import type { Pool } from 'pg';
import { alertLetter, alertMailReactor } from '../reactors/alert-mails.ts';
import type { Reactor } from '../reactors/reaction.ts';
import { createMailer } from './mailer.ts';
import { startSending } from './sending.ts';
import { openMails } from './waiting.ts';

export interface AlertMailsParts {
  readonly store: Pick<EventStore, 'readRevisions' | 'readStream'>;
  readonly pool: Pool;
  readonly namespace: string;
  /** The ledger's clock. */
  readonly now: () => number;
  readonly settings: MailSettings & { readonly dataDir: string };
  readonly onError: (error: unknown) => void;
}

export interface AlertMails {
  readonly reactor: Reactor;
  /** Resolves when the mail under way has been sent, or has failed. */
  stop(): Promise<void>;
}

export async function startAlertMails(parts: AlertMailsParts): Promise<AlertMails> {
  const { store, pool, namespace, now, settings, onError } = parts;
  const mails = await openMails(pool, namespace);
  const mailer = createMailer(settings);
  const sending = startSending({ mails, store, mailer, letterOf: alertLetter, onError });
  return {
    reactor: alertMailReactor({ mails, now, onQueued: () => sending.wake() }),
    async stop() {
      await sending.stop();
      mailer.close();
    },
  };
}
