/** What the books say at the end: everything is read off the trial balance, nothing is counted on the side. */

export interface TrialBalance {
  readonly units: readonly {
    readonly unit: string;
    readonly total: string;
    readonly accounts: readonly { readonly account: string; readonly balance: string }[];
  }[];
}

/** Prints it; false where a unit does not come to zero. */
export function printSummary(trial: TrialBalance, calls: number, seconds: number): boolean {
  const usd = (prefix: string): bigint => sum(trial, 'USD', prefix);
  const revenue = -usd('income:');
  const cost = usd('expenses:suppliers:');
  const rows: [string, string][] = [
    ['charges', calls.toLocaleString('en')],
    ['credits charged', show(-sum(trial, 'credits', 'income:usage:'))],
    ['revenue released', `${show(revenue)} USD`],
    ['supplier cost', `${show(cost)} USD`],
    ['profit', `${show(revenue - cost)} USD`],
    ['requests per second', Math.round(calls / seconds).toLocaleString('en')],
  ];
  console.log();
  for (const [name, value] of rows) console.log(`  ${name.padEnd(22)}${value.padStart(24)}`);
  console.log('\n  trial balance');
  for (const { unit, total, accounts } of trial.units) {
    console.log(`  ${unit.padEnd(22)}${total.padStart(24)}   over ${accounts.length} accounts`);
  }
  return trial.units.every(({ total }) => total === '0');
}

/** Sum in 10^-9, exactly. */
function sum(trial: TrialBalance, unit: string, prefix: string): bigint {
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
