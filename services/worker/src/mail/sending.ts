/**
 * Sends the mails that wait, one at a time in each process. The row is held while its mail is sent: a process that dies
 * in between leaves it waiting, and it is sent again under the same `Message-ID`. Goes by the clock on the wall, also
 * where the ledger's own can be moved.
 */
import { type DomainEvent, type ProfileSet, profileDecider } from '@tallystick/domain';
import { decodeEvent, type EventStore, type StoredEvent, splitStream } from '@tallystick/event-store';
import { inTransaction } from '@tallystick/projections';
import { type Loop, startLoop } from '../webhooks/loop.ts';
import { type Mailer, MailRefused } from './mailer.ts';
import type { Notice } from './templates.ts';
import {
  claimMail,
  endMail,
  forgetMails,
  type MailEnd,
  type Mails,
  type Occasion,
  putOffMail,
} from './waiting.ts';

export interface SendingParts {
  readonly mails: Mails;
  readonly store: Pick<EventStore, 'readRevisions' | 'readStream'>;
  readonly mailer: Mailer;
  /** What an event is to be told as, and the mail's id. */
  readonly letterOf: (event: StoredEvent<DomainEvent>) => { readonly id: string; readonly notice: Notice };
  readonly now?: () => number;
  /** Of an attempt that failed; nothing in it says to whom. */
  readonly onError?: (error: unknown) => void;
}

const POLL_MS = 5_000;
const FORGET_EVERY_MS = 3_600_000;
/** A mail may take as long as its server's time-outs. */
const BEGIN = `begin; set local statement_timeout = '30s'; set local idle_in_transaction_session_timeout = '120s'`;

export function startSending(parts: SendingParts): Loop {
  const { mails, now = Date.now, onError = () => undefined } = parts;
  let forgottenAt = 0;
  return startLoop({
    pauseMs: POLL_MS,
    onError,
    async work() {
      if (now() - forgottenAt > FORGET_EVERY_MS) {
        await forgetMails(mails, now());
        forgottenAt = now();
      }
      return sendNext(parts);
    },
  });
}

/** @returns whether there was one */
export async function sendNext(parts: SendingParts): Promise<boolean> {
  const { mails, now = Date.now, onError = () => undefined } = parts;
  return inTransaction(mails.pool, BEGIN, async (client) => {
    const mail = await claimMail(client, mails.schema, now());
    if (mail === null) return false;
    try {
      await endMail(client, mails.schema, mail, await send(parts, mail), now());
    } catch (error) {
      onError(error);
      if (error instanceof MailRefused) await endMail(client, mails.schema, mail, 'refused', now());
      else await putOffMail(client, mails.schema, mail, now());
    }
    return true;
  });
}

async function send({ store, mailer, letterOf }: SendingParts, occasion: Occasion): Promise<MailEnd> {
  const { stream, revision } = occasion;
  const [recorded] = await store.readRevisions(stream, [revision]);
  if (recorded === undefined) return 'gone';
  const to = await addressOf(store, splitStream(stream).id);
  if (to === null) return 'unaddressed';
  await mailer.send({ to, ...letterOf(decodeEvent<DomainEvent>(recorded)) });
  return 'sent';
}

const PAGE = 500;

/** As the account's profile says it now. */
async function addressOf(store: Pick<EventStore, 'readStream'>, account: string): Promise<string | null> {
  const profile = profileDecider.initial(account);
  for (let from = 0; ; from += PAGE) {
    const events = await store.readStream(`${profileDecider.category}-${account}`, { from, limit: PAGE });
    for (const event of events)
      profileDecider.evolve(profile, decodeEvent<ProfileSet>(event), event.revision);
    if (events.length < PAGE) return profile.email;
  }
}
