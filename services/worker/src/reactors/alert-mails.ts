/**
 * Whoever has left an address is mailed when a warning is raised: one mail for each. The reaction only puts it in; sending
 * takes its time, and nobody else who follows may wait for a mail server.
 */
import type { AlertRaised, DomainEvent } from '@tallystick/domain';
import { type StoredEvent, splitStream } from '@tallystick/event-store';
import type { Notice } from '../mail/templates.ts';
import { type Mails, queueMail } from '../mail/waiting.ts';
import type { Reactor } from './reaction.ts';

/** Yesterday's news: where everything is followed again from the first event, nobody is told of last year. */
const OLD_MS = 2 * 24 * 3_600_000;

export interface AlertMailParts {
  readonly mails: Mails;
  /** The ledger's clock: when an event was recorded goes by it. */
  readonly now: () => number;
  /** There is a mail to be sent. */
  readonly onQueued: () => void;
}

export function alertMailReactor({ mails, now, onQueued }: AlertMailParts): Reactor {
  return {
    name: 'alert-mails',
    types: new Set(['AlertRaised']),
    async react({ stream, revision, recordedAt }) {
      if (recordedAt < now() - OLD_MS) return;
      await queueMail(mails, { stream, revision }, Date.now());
      onQueued();
    },
  };
}

export function alertLetter(event: StoredEvent<DomainEvent>): {
  readonly id: string;
  readonly notice: Notice;
} {
  const account = splitStream(event.stream).id;
  const alert = event.data as AlertRaised;
  return { id: `alert:${account}:${alert.key}`, notice: noticeOf(account, alert) };
}

function noticeOf(account: string, alert: AlertRaised): Notice {
  switch (alert.alert) {
    case 'quota': {
      const { unit, model, granted, period_end: periodEnd } = alert;
      // Held counts: it was what the threshold was crossed by.
      const used = BigInt(alert.used) + BigInt(alert.held);
      const percent = Number((used * 100n) / BigInt(granted));
      const kind = 'quota_warning';
      return { kind, account, percent, unit, model, used: used.toString(), granted, periodEnd };
    }
    case 'balance': {
      const { threshold, available } = alert;
      return { kind: 'balance_warning', account, threshold, available };
    }
    case 'daily_spend': {
      const { threshold, spent, day } = alert;
      return { kind: 'spend_warning', account, threshold, spent, day };
    }
  }
}
