/**
 * Account and unit names as plain-text accounting programs allow them, and back (rule 18). Nothing is lost: two accounts
 * of the ledger are never one in an export, and from a name in a report the account of the ledger can be told.
 *
 * A segment of the ledger's names is percent-encoded, so it holds `A-Z a-z 0-9 - _ . ! ~ * ' ( ) %` only. hledger takes
 * that as it is. beancount takes letters, digits and `-`, and wants a capital or a digit first:
 *
 *   gpt-4o       Gpt-4o          a small first letter becomes a capital
 *   GPT-4o       GPT-4o-         a capital that was one is marked by a `-` at the end
 *   openai/o1    Openai--2fo1    other bytes are `--` and two hexadecimal digits; so is a `-` before one, or at the end
 *   ~x           X--7ex--        where the first is none of these, an `X` stands before it and `--` at the end
 */

/** Names that hledger reads as they are; anything else was not written by this ledger. */
const LEDGER_NAME = /^[a-z]+(:[A-Za-z0-9\-_.!~*'()%]+)+$/;

export function hledgerAccount(account: string): string {
  if (!LEDGER_NAME.test(account)) throw new Error(`not an account of the ledger: ${JSON.stringify(account)}`);
  return account;
}

export function beancountAccount(account: string): string {
  return hledgerAccount(account).split(':').map(toComponent).join(':');
}

export function fromBeancountAccount(name: string): string {
  return name.split(':').map(fromComponent).join(':');
}

function toComponent(segment: string): string {
  const bytes = Buffer.from(decodeURIComponent(segment));
  let text = '';
  for (const [index, byte] of bytes.entries()) {
    const next = bytes[index + 1];
    const isPlainHyphen = byte === HYPHEN && next !== undefined && isAlphanumeric(next);
    text += isAlphanumeric(byte) || isPlainHyphen ? String.fromCharCode(byte) : `--${hex(byte)}`;
  }
  if (/^[a-z]/.test(text)) return `${text.charAt(0).toUpperCase()}${text.slice(1)}`;
  if (/^[A-Z]/.test(text)) return `${text}-`;
  return /^[0-9]/.test(text) ? text : `X${text}--`;
}

function fromComponent(component: string): string {
  if (component.endsWith('--')) return encodeURIComponent(fromEscapes(component.slice(1, -2)));
  if (component.endsWith('-')) return encodeURIComponent(fromEscapes(component.slice(0, -1)));
  return encodeURIComponent(fromEscapes(`${component.charAt(0).toLowerCase()}${component.slice(1)}`));
}

function fromEscapes(text: string): string {
  const bytes = text.replaceAll(/--([0-9a-f]{2})/g, (_, digits: string) =>
    String.fromCharCode(Number.parseInt(digits, 16)),
  );
  return Buffer.from(bytes, 'latin1').toString();
}

const HYPHEN = 0x2d;
const isAlphanumeric = (byte: number): boolean => /[A-Za-z0-9]/.test(String.fromCharCode(byte));
const hex = (byte: number): string => byte.toString(16).padStart(2, '0');

/** Credits and currencies as they are; other units quoted, percent-encoded, so that no quote can end them early. */
export function hledgerCommodity(unit: string): string {
  return isPlain(unit) ? unit : `"${encodeURIComponent(unit)}"`;
}

export function fromHledgerCommodity(commodity: string): string {
  return commodity.startsWith('"') ? decodeURIComponent(commodity.slice(1, -1)) : commodity;
}

/** beancount allows capitals, digits and `' . _ -`, 24 in all: a unit that does not fit is refused, not cut. */
export function beancountCommodity(unit: string): string {
  if (unit === 'credits') return 'CREDITS';
  if (isPlain(unit)) return unit;
  const escaped = [...Buffer.from(unit)].map((byte) => {
    const character = String.fromCharCode(byte);
    return /[a-z0-9]/.test(character) ? character.toUpperCase() : `'${hex(byte).toUpperCase()}`;
  });
  const commodity = `Q.${escaped.join('')}`;
  if (commodity.length > 24) throw new Error(`beancount has no room for the unit ${JSON.stringify(unit)}`);
  return commodity;
}

export function fromBeancountCommodity(commodity: string): string {
  if (commodity === 'CREDITS') return 'credits';
  if (!commodity.startsWith('Q.')) return commodity;
  const bytes = commodity
    .slice(2)
    .replaceAll(/'([0-9A-F]{2})|([A-Z])/g, (_, digits: string | undefined, letter: string) =>
      digits === undefined ? letter.toLowerCase() : String.fromCharCode(Number.parseInt(digits, 16)),
    );
  return Buffer.from(bytes, 'latin1').toString();
}

const isPlain = (unit: string): boolean => unit === 'credits' || /^[A-Z]{3}$/.test(unit);
