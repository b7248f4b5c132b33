/**
 * Which quotas the state of a wallet still has: decisions look at all of them, so it lets go of what can matter no more.
 * One of which nothing is left leaves when its end is carried out, with a later event of the subscription, or when its
 * subscription is cancelled. What has lapsed stays: a payment may revive it, and then what was used of it counts.
 */
import type { AuditedEvent } from '../event.ts';
import { isOfSubscription, type Picture, type ToldData } from './picture.ts';
import type { Quota } from './quotas.ts';

interface GrantedText {
  readonly quota: string;
  readonly starts_at: string;
}

export class QuotasInState {
  /** In the order of their births. */
  readonly ids = new Set<string>();

  /** @param now how the last subscription stands after the event */
  apply(event: AuditedEvent, quotas: ReadonlyMap<string, Quota>, now: Picture | undefined): void {
    const { type, data } = event;
    const granted = (data.quotas as { readonly granted?: readonly GrantedText[] } | undefined)?.granted ?? [];
    for (const { quota } of granted) this.ids.add(quota);
    const forget = (isOver: (quota: Quota, id: string) => boolean): void => {
      for (const id of this.ids) {
        const quota = quotas.get(id);
        if (quota === undefined || (quota.free === 0n && quota.pinned === 0n && isOver(quota, id)))
          this.ids.delete(id);
      }
    };
    if (type === 'Expired') {
      const items = data.items as readonly { readonly kind: string; readonly id: string }[];
      forget((_, id) => items.some((item) => item.id === id && item.kind.startsWith('quota')));
    }
    if (!isOfSubscription(event) && type !== 'QuotaExpanded') return;
    const times = [(data as ToldData).effective_at ?? '1970', ...granted.map(({ starts_at }) => starts_at)];
    const at = Math.max(...times.map((time) => Date.parse(time)));
    const ended = now?.status === 'canceled' ? now.id : null;
    forget(
      ({ marks: { origin, expires_at } }) =>
        Date.parse(expires_at) <= at || (origin.kind === 'plan' && origin.subscription === ended),
    );
  }
}
