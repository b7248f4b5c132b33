/** Webhooks on a connected ledger: the outbox and the sender, started together and stopped in order. Any number of processes may. */
import { type Connected, formatPosition, type Meter } from '@tallystick/connect';
import { openWebhooks, type WebhookSettings } from '@tallystick/webhooks';
import { measureAttempts, measureBacklog } from './metrics.ts';
import { startOutbox } from './outbox.ts';
import { type SenderParts, startSender } from './sender.ts';

export interface WebhooksParts {
  readonly ledger: Pick<Connected, 'store' | 'pool' | 'genesis'>;
  readonly namespace: string;
  readonly runner: SenderParts['runner'];
  readonly settings: WebhookSettings;
  readonly meter?: Meter;
  /** `where` is the part that it happened in. */
  readonly onError?: (error: unknown, where: 'outbox' | 'sender') => void;
}

/**
 * Goes by the clock on the wall, also where the ledger's own can be moved: receivers check the time of a signature.
 * @returns how to stop it; resolves when what is under way has been written down
 * @throws ForeignWebhooks where the tables are those of another store
 */
export async function startWebhooks(parts: WebhooksParts): Promise<() => Promise<void>> {
  const { ledger, namespace, runner, settings, meter, onError = () => undefined } = parts;
  const { store, pool, genesis } = ledger;
  const webhooks = await openWebhooks({ pool, namespace, storeId: genesis.store_id, settings });
  if (meter !== undefined) measureBacklog(meter, webhooks);
  const sender = startSender({
    store,
    runner,
    webhooks,
    formatPosition: (position) => formatPosition(genesis.epoch, position),
    onError: (error) => onError(error, 'sender'),
    ...(meter === undefined ? {} : { onAttempt: measureAttempts(meter) }),
  });
  const outbox = startOutbox({
    store,
    webhooks,
    onQueued: () => sender.wake(),
    onError: (error) => onError(error, 'outbox'),
  });
  return async () => {
    await outbox.stop();
    await sender.stop();
  };
}
