/**
 * Sends the mails that wait, one at a time in each process. A mail is leased while it is sent, and the database has
 * nothing open meanwhile: a server takes its time. A process that dies in between leaves it waiting, and it is sent again
 * under the same `Message-ID` when the lease is over. Goes by the clock on the wall, also where the ledger's own can be
 * moved.
 */
import { type DomainEvent, type ProfileSet, profileDecider } from '@tallystick/domain';
import { decodeEvent, type EventStore, type StoredEvent, splitStream } from '@tallystick/event-store';
import { type Loop, startLoop } from '../webhooks/loop.ts';
import { type Mailer, MailRefused } from './mailer.ts';
import type { Notice } from './templates.ts';
import {
  claimMail,
  endMail,
  forgetMails,
  MAIL_ATTEMPTS_MAX,
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
  /** Of one attempt, whatever the server does: 5 min. */
  readonly limitMs?: number;
  /** Of an attempt that failed; nothing in it says to whom. */
  readonly onError?: (error: unknown) => void;
}

const POLL_MS = 5_000;
const FORGET_EVERY_MS = 3_600_000;
/** A dozen replies, each just within the mailer's time-outs. */
const LIMIT_MS = 5 * 60_000;
/** Beyond the limit: reading the event, and writing what came of it. */
const LEASE_MS = 5 * 60_000;

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
  const { mails, now = Date.now, onError = () => undefined, limitMs = LIMIT_MS } = parts;
  const mail = await claimMail(mails, now(), limitMs + LEASE_MS);
  if (mail === null) return false;
  if (mail.attempts > MAIL_ATTEMPTS_MAX) {
    await endMail(mails, mail, 'given_up', now());
    return true;
  }
  let end: MailEnd;
  try {
    end = await within(limitMs, send(parts, mail));
  } catch (error) {
    onError(error);
    if (error instanceof MailRefused) await endMail(mails, mail, 'refused', now());
    else await putOffMail(mails, mail, now());
    return true;
  }
  await endMail(mails, mail, end, now());
  return true;
}

/** What goes on after its time is not waited for. */
async function within<T>(ms: number, work: Promise<T>): Promise<T> {
  const late = Promise.withResolvers<never>();
  const timer = setTimeout(() => late.reject(new Error(`the mail was not taken within ${ms / 1_000} s`)), ms);
  work.catch(() => undefined);
  try {
    return await Promise.race([work, late.promise]);
  } finally {
    clearTimeout(timer);
  }
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
