/** What the books say at the end: money is read off the trial balance; only the ledger's answers are counted. */

import type { TrialBalance } from '@tallystick/client';

/** What of the trial balance is looked at. */
export type Books = Pick<TrialBalance, 'units'>;

/** What the ledger answered to the calls. */
export interface Tally {
  /** How many calls were answered with each status (`charged`, `unpriced`); a replay counts as what it repeats. */
  readonly answers: ReadonlyMap<string, number>;
  readonly seconds: number;
}

/** Everything went into the books, and they agree: each call was charged and each unit comes to zero. */
export function isWhole(trial: Books, { answers }: Tally): boolean {
  return notCharged(answers).length === 0 && trial.units.every(({ total }) => total === '0');
}

/** Line by line: what became of the calls, what they earned, and the trial balance. */
export function summaryLines(trial: Books, { answers, seconds }: Tally): string[] {
  const usd = (prefix: string): bigint => sum(trial, 'USD', prefix);
  const revenue = -usd('income:');
  const cost = usd('expenses:suppliers:');
  const calls = [...answers.values()].reduce((total, count) => total + count, 0);
  const rows: [string, string][] = [
    ['charges', (answers.get('charged') ?? 0).toLocaleString('en')],
    ...notCharged(answers).map(([status, count]): [string, string] => [status, count.toLocaleString('en')]),
    ['credits charged', show(-sum(trial, 'credits', 'income:usage:'))],
    ['revenue released', `${show(revenue)} USD`],
    ['supplier cost', `${show(cost)} USD`],
    ['profit', `${show(revenue - cost)} USD`],
    ['calls per second', Math.round(calls / seconds).toLocaleString('en')],
  ];
  return [
    ...rows.map(([name, value]) => `  ${name.padEnd(22)}${value.padStart(24)}`),
    '',
    '  trial balance',
    ...trial.units.map(
      ({ unit, total, accounts }) =>
        `  ${unit.padEnd(22)}${total.padStart(24)}   over ${accounts.length} accounts`,
    ),
  ];
}

function notCharged(answers: ReadonlyMap<string, number>): [string, number][] {
  return [...answers].filter(([status]) => status !== 'charged');
}

/** Sum in 10^-9, exactly. */
function sum(trial: Books, unit: string, prefix: string): bigint {
  const accounts = trial.units.find((candidate) => candidate.unit === unit)?.accounts ?? [];
  return accounts
    .filter(({ account }) => account.startsWith(prefix))
    .reduce((total, { balance }) => total + nanos(balance), 0n);
}

function nanos(text: string): bigint {
  const negative = text.startsWith('-');
  const [whole = '0', fraction = ''] = text.replace('-', '').split('.');
  const value = BigInt(whole + fraction.padEnd(9, '0'));
  return negative ? -value : value;
}

function show(value: bigint): string {
  const negative = value < 0n;
  const digits = (negative ? -value : value).toString().padStart(10, '0');
  const fraction = digits.slice(-9).replace(/0+$/, '');
  const whole = BigInt(digits.slice(0, -9)).toLocaleString('en');
  return `${negative ? '-' : ''}${whole}${fraction === '' ? '' : `.${fraction}`}`;
}
