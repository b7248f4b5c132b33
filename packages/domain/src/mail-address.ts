/**
 * What counts as an address for mail: one mailbox, without a name, a comment or quotes. RFC 5321 allows more, of which
 * every bit is a way to say more than one address, or a header.
 */

const LOCAL = "[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(?:\\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*";
const LABEL = '[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?';
const ADDRESS = new RegExp(`^${LOCAL}@${LABEL}(?:\\.${LABEL})*$`);

export const MAIL_ADDRESS_MAX = 254;
const LOCAL_MAX = 64;

export function isMailAddress(text: string): boolean {
  return text.length <= MAIL_ADDRESS_MAX && text.indexOf('@') <= LOCAL_MAX && ADDRESS.test(text);
}
