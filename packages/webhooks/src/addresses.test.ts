import fc from 'fast-check';
import { test } from 'tap';
import { type AddressKind, faultOfUrl, isAllowedAddress, kindOfAddress } from './addresses.ts';

const KINDS: readonly (readonly [what: string, address: string, kind: AddressKind])[] = [
  ['a public address', '8.8.8.8', 'public'],
  ['a public address of IPv6', '2606:4700::1111', 'public'],
  ['a public address, mapped', '::ffff:8.8.8.8', 'public'],
  ['private, 10/8', '10.1.2.3', 'private'],
  ['private, 172.16/12', '172.31.255.255', 'private'],
  ['next to it', '172.32.0.1', 'public'],
  ['private, 192.168/16', '192.168.0.1', 'private'],
  ['loopback', '127.0.0.1', 'private'],
  ['loopback, all of it', '127.200.0.1', 'private'],
  ['loopback of IPv6', '::1', 'private'],
  ['carrier-grade NAT', '100.64.0.1', 'private'],
  ['unique local', 'fc00::1', 'private'],
  ['unique local, the used half', 'fd12:3456::1', 'private'],
  ['private, mapped', '::ffff:10.0.0.1', 'private'],
  ['loopback, mapped, in hex', '::ffff:7f00:1', 'private'],
  ['unspecified', '0.0.0.0', 'never'],
  ['this network', '0.1.2.3', 'never'],
  ['unspecified of IPv6', '::', 'never'],
  ['link-local', '169.254.1.1', 'never'],
  ['link-local of IPv6', 'fe80::1', 'never'],
  ['link-local with its interface', 'fe80::1%eth0', 'never'],
  ['site-local', 'fec0::1', 'never'],
  ['multicast', '224.0.0.1', 'never'],
  ['multicast of IPv6', 'ff02::1', 'never'],
  ['broadcast', '255.255.255.255', 'never'],
  ['reserved', '240.0.0.1', 'never'],
  ['documentation', '192.0.2.1', 'never'],
  ['documentation of IPv6', '2001:db8::1', 'never'],
  ['benchmarks', '198.18.0.1', 'never'],
  ['IPv4-compatible', '::127.0.0.1', 'never'],
  ['IPv4-translated', '::ffff:0:10.0.0.1', 'never'],
  ['NAT64', '64:ff9b::a00:1', 'never'],
  ['NAT64, local', '64:ff9b:1::a00:1', 'never'],
  ['6to4', '2002:7f00:1::', 'never'],
  ['Teredo', '2001::1', 'never'],
  ['outside what is given out', '4000::1', 'never'],
  ['metadata of AWS, GCP and Azure', '169.254.169.254', 'never'],
  ['metadata, mapped', '::ffff:169.254.169.254', 'never'],
  ['metadata of AWS by IPv6', 'fd00:ec2::254', 'never'],
  ['metadata of GCP by IPv6', 'fd20:ce::254', 'never'],
  ['metadata of Alibaba', '100.100.100.200', 'never'],
  ['metadata of Oracle', '192.0.0.192', 'never'],
  ['the wire server of Azure', '168.63.129.16', 'never'],
  ['no address', 'example.com', 'never'],
  ['nothing', '', 'never'],
];

test('an address is public, private, or no receiver at all', async (t) => {
  for (const [what, address, kind] of KINDS) t.equal(kindOfAddress(address), kind, `${what}: ${address}`);
});

test('private addresses are allowed where they are asked for; what is no receiver never is', async (t) => {
  for (const [what, address, kind] of KINDS) {
    t.equal(isAllowedAddress(address, false), kind === 'public', what);
    t.equal(isAllowedAddress(address, true), kind !== 'never', what);
  }
});

test('however an address of IPv4 is written as one of IPv6, it is never more allowed than as itself', async () => {
  const octets = fc.tuple(fc.nat(255), fc.nat(255), fc.nat(255), fc.nat(255));
  fc.assert(
    fc.property(octets, fc.boolean(), (parts, allowPrivate) => {
      const plain = parts.join('.');
      const allowed = isAllowedAddress(plain, allowPrivate);
      const hex = parts.map((part) => part.toString(16).padStart(2, '0'));
      const forms = [
        `::ffff:${plain}`,
        `::${plain}`,
        `64:ff9b::${plain}`,
        `2002:${hex[0]}${hex[1]}:${hex[2]}${hex[3]}::1`,
      ];
      return forms.every((form) => allowed || !isAllowedAddress(form, allowPrivate));
    }),
  );
});

test('a URL is https, and leads to no address that may not be had, however that is written', async (t) => {
  const refused: readonly (readonly [url: string, rule: RegExp])[] = [
    ['http://example.com/', /https/],
    ['ftp://example.com/', /https/],
    ['javascript:alert(1)', /https/],
    ['example.com', /https/],
    ['', /https/],
    [`https://example.com/${'a'.repeat(2_000)}`, /2000/],
    ['https://user@example.com/', /password/],
    ['https://user:secret@example.com/', /password/],
    ['https://example.com/#top', /fragment/],
    ['https://127.0.0.1/', /private/],
    ['https://2130706433/', /private/],
    ['https://0x7f.1/', /private/],
    ['https://0177.0.0.1/', /private/],
    ['https://127.1/', /private/],
    ['https://0/', /private/],
    ['https://[::1]/', /private/],
    ['https://[::ffff:10.0.0.1]/', /private/],
    ['https://169.254.169.254/latest/meta-data', /private/],
    ['https://１２７.0.0.1/', /private/],
  ];
  for (const [url, rule] of refused) t.match(faultOfUrl(url, false), rule, url);
  t.equal(faultOfUrl('https://example.com:8443/hooks?of=ledger', false), null);
  t.equal(faultOfUrl('https://8.8.8.8/', false), null);
});

test('where private addresses are allowed so are http and this machine, but not metadata services', async (t) => {
  t.equal(faultOfUrl('http://localhost:3000/', true), null);
  t.equal(faultOfUrl('http://127.0.0.1:3000/', true), null);
  t.equal(faultOfUrl('https://[::1]/', true), null);
  t.match(faultOfUrl('http://169.254.169.254/', true), /private/);
});
