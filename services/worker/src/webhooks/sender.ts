/**
 * Sends what is due. At least once: whoever dies between sending and writing it down is followed by another, and the
 * message carries the same id again. In no order: one that has to wait holds no other up (billing rule 15).
 */
import { type Catalogues, webhookEndpointDecider } from '@tallystick/domain';
import type { EventStore, Runner } from '@tallystick/event-store';
import {
  deliveryId,
  letterOf,
  type Message,
  messageOf,
  readSecrets,
  send,
  testMessage,
  updateEndpoint,
  type Webhooks,
} from '@tallystick/webhooks';
import { type Due, takeDue } from './due.ts';
import { type Loop, startLoop } from './loop.ts';
import type { OnAttempt } from './metrics.ts';
import { isGone, isUntried, putBack, restUntried, tidy, writeOutcome } from './outcome.ts';

export interface SenderParts {
  readonly store: Pick<EventStore, 'readRevisions'>;
  /** To pause endpoints that are gone. */
  readonly runner: Pick<Runner<Catalogues>, 'execute' | 'peek'>;
  readonly webhooks: Webhooks;
  /** Positions as the API writes them, with the store's epoch. */
  readonly formatPosition: (position: bigint) => string;
  /** How many messages are under way at a time, in all and to one endpoint. */
  readonly concurrency?: number;
  readonly perEndpoint?: number;
  /** Milliseconds since 1970. */
  readonly now?: () => number;
  /** From 0 up to, but not including, 1. */
  readonly random?: () => number;
  readonly onError?: (error: unknown) => void;
  readonly onAttempt?: OnAttempt;
}

const POLL_MS = 500;
const TIDY_MS = 60_000;
/** Beyond the time that an attempt may take: reading the event, and writing what came of it. */
const LEASE_MS = 60_000;
const PUT_BACK_MS = 60_000;
const COMMAND_MS = 10_000;

/** @returns how to call and to stop it; stopped when all that is under way has been written down */
export function startSender(parts: SenderParts): Loop {
  const { onError = () => undefined, now = Date.now } = parts;
  const { concurrency = 64, perEndpoint = 16, webhooks } = parts;
  const underWay = new Map<string, number>();
  const sending = new Set<Promise<void>>();
  let tidiedAt = Number.NEGATIVE_INFINITY;

  async function begin(due: Due): Promise<void> {
    underWay.set(due.endpoint, (underWay.get(due.endpoint) ?? 0) + 1);
    try {
      await deliver(parts, due);
    } catch (error) {
      onError(error);
    }
    const left = (underWay.get(due.endpoint) ?? 1) - 1;
    if (left === 0) underWay.delete(due.endpoint);
    else underWay.set(due.endpoint, left);
  }

  const loop = startLoop({
    pauseMs: POLL_MS,
    onError,
    async work() {
      if (now() - tidiedAt >= TIDY_MS) {
        tidiedAt = now();
        await tidy(webhooks, now());
      }
      const free = concurrency - sending.size;
      if (free === 0) return false;
      for (const due of await takeDue(webhooks, { ...roomOf(parts), free, perEndpoint, underWay })) {
        const done = begin(due).then(() => {
          sending.delete(done);
          // Taking costs as much for one as for many; what hangs is not waited for, the loop looks by itself.
          if (sending.size <= concurrency / 2) loop.wake();
        });
        sending.add(done);
      }
      return false;
    },
  });
  return {
    wake: () => loop.wake(),
    async stop() {
      await loop.stop();
      await Promise.all(sending);
    },
  };
}

function roomOf({ now = Date.now, webhooks }: SenderParts): { now: number; leaseUntil: number } {
  const at = now();
  return { now: at, leaseUntil: at + webhooks.sending.timeoutMs + LEASE_MS };
}

/** All that is due now, once, and waits for it. */
export async function sendDue(parts: SenderParts): Promise<number> {
  const room = { free: 1_000, perEndpoint: parts.perEndpoint ?? 1_000, underWay: new Map() };
  const due = await takeDue(parts.webhooks, { ...roomOf(parts), ...room });
  await Promise.all(due.map((one) => deliver(parts, one)));
  return due.length;
}

async function deliver(parts: SenderParts, due: Due): Promise<void> {
  const { webhooks, now = Date.now, random = Math.random } = parts;
  const { onError = () => undefined, onAttempt = () => undefined } = parts;
  const at = now();
  let letter: ReturnType<typeof letterOf>;
  try {
    const secrets = await readSecrets(webhooks.pool, webhooks, due.endpoint, at);
    // Deleted meanwhile, and with it the delivery; or its first secret was never written, and one must be made.
    if (secrets.length === 0) return;
    letter = letterOf(due.url, await messageFor(parts, due), secrets, at);
  } catch (error) {
    onAttempt(null);
    await putBack(webhooks, due, at + PUT_BACK_MS);
    throw error;
  }
  const sent = await send(letter, webhooks.sending);
  onAttempt(sent);
  if (isUntried(sent)) {
    await restUntried(webhooks, due, at + sent.tookMs + PUT_BACK_MS);
    throw new Error(`no name server has answered for the URL of the endpoint ${due.endpoint}`);
  }
  // Where this fails the endpoint answers 410 to the next message, too.
  if (isGone(sent)) await pauseGone(parts, due.endpoint).catch(onError);
  await writeOutcome(webhooks, due, sent, at, random());
}

async function messageFor({ store, formatPosition }: SenderParts, due: Due): Promise<Message> {
  const { stream, revision, endpoint } = due;
  if (stream === null) return testMessage(endpoint, deliveryId(due.id), due.created_at.getTime());
  const [event] = await store.readRevisions(stream, [Number(revision)]);
  if (event === undefined) throw new Error(`${stream}:${revision} is not in the store`);
  return messageOf(event, { id: endpoint, scope: due.scope }, formatPosition);
}

/** 410: it is not told of anything until somebody says otherwise. */
async function pauseGone({ runner, webhooks, now = Date.now }: SenderParts, endpoint: string): Promise<void> {
  const change = { paused: 'gone' } as const;
  const command = { type: 'ChangeWebhookEndpoint', change, key: null, fingerprint: null } as const;
  const order = { id: endpoint, command, cause: { actor: 'webhooks', request: '' } };
  const executed = await runner.execute(webhookEndpointDecider, [order], now() + COMMAND_MS);
  const outcome = executed === 'queue_full' ? undefined : executed[0];
  if (outcome?.status === 'unavailable' || outcome === undefined)
    throw new Error(`the endpoint ${endpoint} is gone, and could not be paused`);
  const { state, revision } = await runner.peek(webhookEndpointDecider, endpoint);
  await updateEndpoint(webhooks.pool, webhooks, state, revision);
}
