/**
 * Where a message may go. Whoever registers a URL makes this machine connect to it, so an address inside our own
 * network, or that of whoever hosts us, is refused, unless it is asked for by LEDGER_WEBHOOKS_ALLOW_PRIVATE. Names are
 * resolved once for each attempt and the connection is made to the address that was judged: a name that answers
 * differently the second time (DNS rebinding) is never asked a second time (billing rule 15).
 */
import ipaddr from 'ipaddr.js';

/**
 * - `public`: everybody's
 * - `private`: this machine, or the network around it; allowed only where private addresses are
 * - `never`: no receiver: link-local and with it metadata services, multicast, broadcast, reserved, documentation, and
 *   the ranges of IPv6 that stand for some address of IPv4
 */
export type AddressKind = 'public' | 'private' | 'never';

const PRIVATE: ReadonlySet<string> = new Set(['private', 'loopback', 'carrierGradeNat', 'uniqueLocal']);

/** Machines are told secrets here by whoever hosts them; not all of them are link-local. */
const METADATA: ReadonlySet<string> = new Set([
  '169.254.169.254',
  '100.100.100.200',
  '168.63.129.16',
  '192.0.0.192',
  'fd00:ec2::254',
  'fd20:ce::254',
]);

/** `::127.0.0.1`, long out of use. The library takes it for the mapped `::ffff:127.0.0.1`; the system does not. */
const IPV4_COMPATIBLE = /^::(?!ffff:)[^:]*\./i;

/** What is given out to the public in IPv6 at all. */
const GLOBAL_V6 = ipaddr.parseCIDR('2000::/3');

export function kindOfAddress(text: string): AddressKind {
  if (!ipaddr.isValid(text) || IPV4_COMPATIBLE.test(text)) return 'never';
  // An IPv4 address written as one of IPv6 is judged as what it is.
  const address = ipaddr.process(text);
  if (METADATA.has(address.toString())) return 'never';
  const range = address.range();
  if (PRIVATE.has(range)) return 'private';
  if (range !== 'unicast') return 'never';
  return address.kind() === 'ipv4' || address.match(GLOBAL_V6) ? 'public' : 'never';
}

export function isAllowedAddress(text: string, allowPrivate: boolean): boolean {
  const kind = kindOfAddress(text);
  return kind === 'public' || (kind === 'private' && allowPrivate);
}

/** An IPv6 address stands in brackets in a URL, and nowhere else. */
export const hostOf = (url: URL): string => url.hostname.replace(/^\[|\]$/g, '');

const URL_MAX = 2_000;

/** What is wrong with a URL for messages; null where nothing is. Names are judged when they are resolved. */
export function faultOfUrl(text: string, allowPrivate: boolean): string | null {
  const url = URL.canParse(text) && text.length <= URL_MAX ? new URL(text) : null;
  const protocols = allowPrivate ? ['https:', 'http:'] : ['https:'];
  if (url === null || !protocols.includes(url.protocol))
    return `must be a URL of ${protocols.map((protocol) => `${protocol}//`).join(' or ')}, up to ${URL_MAX} characters`;
  if (url.username !== '' || url.password !== '') return 'must not hold a user or a password';
  if (url.hash !== '') return 'must not have a fragment';
  const host = hostOf(url);
  if (ipaddr.isValid(host) && !isAllowedAddress(host, allowPrivate))
    return 'must not lead to a private or reserved address';
  return null;
}
