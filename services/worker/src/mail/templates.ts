/**
 * What mails say: plain text, one function per kind. Nothing in a currency goes into any of them, for they go to owners
 * of accounts (P8). What comes from outside, such as the name of a model, is text in a text: there is nothing that it
 * could break out of, but for lines, so it is kept to one.
 */

/** Amounts are decimal strings, times RFC 3339. */
export type Notice =
  | {
      readonly kind: 'quota_warning';
      readonly account: string;
      /** Whole percents that are used. */
      readonly percent: number;
      readonly unit: string;
      readonly model: string;
      readonly used: string;
      readonly granted: string;
      readonly periodEnd: string;
    }
  | {
      readonly kind: 'balance_warning';
      readonly account: string;
      /** In credits: what it fell below. */
      readonly threshold: string;
      readonly available: string;
    }
  | {
      readonly kind: 'spend_warning';
      readonly account: string;
      /** In credits, of one day. */
      readonly threshold: string;
      readonly spent: string;
      readonly day: string;
    };

export interface Written {
  readonly subject: string;
  readonly text: string;
}

export function write(notice: Notice): Written {
  switch (notice.kind) {
    case 'quota_warning': {
      const { percent, unit, used, granted, periodEnd } = notice;
      const of = notice.model === '*' ? unit : `${unit} of ${line(notice.model)}`;
      return letter(notice.account, `${percent} % of the quota is used`, [
        `Of ${granted} ${of}, ${used} are used: ${percent} %.`,
        `The period ends at ${periodEnd}.`,
      ]);
    }
    case 'balance_warning':
      return letter(notice.account, 'The balance is low', [
        `${notice.available} credits are available, less than ${notice.threshold}.`,
      ]);
    case 'spend_warning':
      return letter(notice.account, 'Much was spent today', [
        `On ${notice.day} ${notice.spent} credits have been spent, more than ${notice.threshold}.`,
      ]);
  }
}

function letter(account: string, what: string, lines: readonly string[]): Written {
  return {
    subject: `${what}: ${line(account)}`,
    text: `Account ${line(account)}\n\n${lines.map(line).join('\n')}\n`,
  };
}

/** On one line, whatever it holds: controls and the other ends of lines become spaces. */
const line = (text: string): string => text.replace(/[\p{Cc}\u2028\u2029]+/gu, ' ').trim();
