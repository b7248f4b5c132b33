/**
 * What goes wrong where no request waits for it, as the log tells it. An outage ends by itself: it is a warning, and each
 * part that looks several times a second tells it twice a minute. Anything else is a fault of the ledger, told every time.
 */
import type { Log } from '@tallystick/connect';
import { StoreUnavailable } from '@tallystick/event-store';
import { onceInAWhile } from '@tallystick/jobs';
import { isOutage } from './failures.ts';

export function tellFaults(log: Pick<Log, 'warn' | 'error'>): (err: unknown, where: string) => void {
  let place = '';
  const warn = onceInAWhile((err) =>
    log.warn({ err, where: place }, 'what is done behind the answers has to wait'),
  );
  return (err, where) => {
    if (err instanceof StoreUnavailable || (err instanceof Error && isOutage(err))) {
      place = where;
      warn(err);
    } else {
      log.error({ err, where }, 'something failed behind the answers');
    }
  };
}
