/**
 * Amounts as the audit reads them: its own reading, so that a fault in the ledger's own does not vouch for itself.
 * Every unit is counted in steps of 10^-9, which is fine enough for all of them; sums stay exact as bigints.
 */
const PLACES = 9;
const UNIT = 10n ** BigInt(PLACES);

const POINT = 46;
const ZERO = 48;
const POWERS = Array.from({ length: PLACES + 1 }, (_, exponent) => 10 ** exponent);
/** Digits that a float holds exactly, whatever they are. */
const DIGITS_EXACT = 15;

/** `"-1.5"` to steps of 10^-9. Throws on anything that is not a plain decimal of at most 9 places. */
export function stepsOf(text: string): bigint {
  const from = text.startsWith('-') ? 1 : 0;
  const { length } = text;
  if (length - from > DIGITS_EXACT) return longSteps(text);
  let digits = 0;
  let point = -1;
  for (let at = from; at < length; at++) {
    const code = text.charCodeAt(at);
    if (code === POINT && point === -1) point = at;
    else if (code >= ZERO && code < ZERO + 10) digits = digits * 10 + code - ZERO;
    else throw notAnAmount(text);
  }
  if (point === from || point === length - 1 || length === from) throw notAnAmount(text);
  const power = POWERS[PLACES - (point === -1 ? 0 : length - point - 1)];
  if (power === undefined) throw tooFine(text);
  const steps = digits * power;
  const magnitude = Number.isSafeInteger(steps) ? BigInt(steps) : BigInt(digits) * BigInt(power);
  return from === 1 ? -magnitude : magnitude;
}

function longSteps(text: string): bigint {
  const match = /^(-?)(\d+)(?:\.(\d+))?$/.exec(text);
  if (match === null) throw notAnAmount(text);
  const [, sign, whole = '', fraction = ''] = match;
  if (fraction.length > PLACES) throw tooFine(text);
  const steps = BigInt(whole + fraction.padEnd(PLACES, '0'));
  return sign === '-' ? -steps : steps;
}

const notAnAmount = (text: string): Error => new Error(`not an amount: ${JSON.stringify(text)}`);
const tooFine = (text: string): Error => new Error(`more than ${PLACES} decimal places: ${text}`);

/** The other way round: a decimal without trailing zeros. */
export function textOf(steps: bigint): string {
  const magnitude = steps < 0n ? -steps : steps;
  const fraction = (magnitude % UNIT).toString().padStart(PLACES, '0').replace(/0+$/, '');
  const text = `${magnitude / UNIT}${fraction === '' ? '' : `.${fraction}`}`;
  return steps < 0n ? `-${text}` : text;
}
