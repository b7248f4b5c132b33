/**
 * The words that the fuzz requests are made of: names that mean something in the ledger under test, so that requests get
 * past the first check and meet each other, and values from the edges of what can be written at all.
 */
import fc, { type Arbitrary } from 'fast-check';

/** Texts that break what was not made for them. */
export const EDGE_TEXTS: readonly string[] = [
  '',
  ' ',
  '\0',
  'a\0b',
  '\ud800',
  'a\udfffb',
  '\u{1f9fe}',
  'e\u0301',
  '\u202eabc',
  '\u2028',
  '\ufeff',
  '"',
  '\\',
  '%',
  '%00',
  '../..',
  "'; drop table events; --",
  '__proto__',
  'constructor',
  'toString',
  'null',
  '0',
  '-1',
  'x'.repeat(129),
  '\u{1f9fe}'.repeat(128),
  'y'.repeat(1_001),
];

const DECIMALS = [
  '0',
  '1',
  '2.5',
  '100',
  '-1',
  '-0',
  '0.000001',
  '0.0000001',
  '0.000000001',
  '999999999.999999',
  '1000000000',
  '1000000000.000001',
  '-1000000000',
  '1e3',
  '+1',
  '.5',
  '5.',
  '007',
  '0x10',
  'NaN',
  '1_000',
  '\u0663',
  '9'.repeat(64),
  `0.${'0'.repeat(61)}1`,
];

const INSTANTS = [
  '2020-01-01T00:00:00Z',
  '2099-06-30T12:00:00.123456789+14:00',
  '1970-01-01T00:00:00Z',
  '1969-12-31T23:59:59.999Z',
  '1970-01-01T00:00:00+00:01',
  '2024-02-29T23:59:59-23:59',
  '2023-02-29T00:00:00Z',
  '2026-12-31T23:59:60Z',
  '2026-01-01T24:00:00Z',
  '9999-12-31T23:59:59.999Z',
  '9999-12-31T23:59:59-01:00',
  '+275760-09-13T00:00:00Z',
  '0000-01-01T00:00:00Z',
  '2026-01-01',
  '2026-01-01t00:00:00z',
  'yesterday',
];

/** Where a message fails at once. */
export const URL_OF_NOBODY = 'http://127.0.0.1:1/hooks';
const URLS_REFUSED = [
  'https://169.254.169.254/latest',
  'https://user:secret@127.0.0.1/',
  'ftp://127.0.0.1/',
  'javascript:0',
];

/** Quantities: mostly such as can be charged. */
export const EDGE_NUMBERS: readonly number[] = [
  0,
  -0,
  1,
  -1,
  0.5,
  0.001,
  0.0001,
  999_999_999_999,
  1e12,
  1e12 + 1,
  Number.MAX_SAFE_INTEGER,
  Number.MAX_SAFE_INTEGER + 1,
  -Number.MAX_SAFE_INTEGER,
  2 ** 31,
  1e21,
  1e308,
  5e-324,
];

/** What is known of the ledger under test. */
export interface World {
  /** What its clock shows. */
  readonly now: string;
  readonly accounts: readonly string[];
  /** Of API keys that may be revoked: not those that the requests are sent with. */
  readonly keyIds: readonly string[];
  /** Ids of holds that are open, and of usage that has no price yet, of the first account. */
  readonly holds: readonly string[];
  readonly parked: readonly string[];
  /** Of the first account, too: what it buys, its requests to be topped up, and when its period began. */
  readonly purchases: readonly string[];
  readonly topUps: readonly string[];
  readonly periods: readonly string[];
  /** Of webhooks. Their endpoints are at a port where nobody listens: what is sent there fails at once. */
  readonly endpoints: readonly string[];
  readonly deliveries: readonly string[];
  /** By path of the list: cursors that it has answered, and forged ones. */
  readonly cursors: ReadonlyMap<string, readonly string[]>;
}

/** Ids that pass the pattern and are the names of what every object has. */
const AWKWARD_IDS = ['constructor', 'toString', 'hasOwnProperty', 'a'.repeat(128), 'A@b+c._-', '0', 'null'];
const awkward = fc.constantFrom(...AWKWARD_IDS);
/** What can be subscribed to, and bought. */
const offers = fc.oneof(
  { weight: 8, arbitrary: fc.constantFrom('basic', 'pro') },
  { weight: 1, arbitrary: fc.constantFrom('nobody', 'constructor') },
);
/** What people read. */
const prose = fc.constantFrom('A word', '\u{1f9fe}', 'a\0b');
/** Few enough to meet again, and enough that there are always new ones. */
const ids = fc.oneof(
  { weight: 6, arbitrary: fc.nat(20).map((n) => `u${n}`) },
  { weight: 6, arbitrary: fc.nat(100_000).map((n) => `u${n}`) },
  { weight: 1, arbitrary: awkward },
);
const decimal = fc.oneof(
  { weight: 1, arbitrary: fc.constantFrom(...DECIMALS) },
  { weight: 6, arbitrary: fc.integer({ min: 1, max: 900_000 }).map((n) => String(n / 1_000)) },
);

const whole = fc.oneof(
  { weight: 1, arbitrary: fc.constant('unlimited') },
  { weight: 6, arbitrary: fc.integer({ min: 1, max: 5_000 }).map(String) },
);

/** Between two years, and now and then an edge. */
function instants(from: number, to: number): Arbitrary<string> {
  const [min, max] = [new Date(Date.UTC(from, 0)), new Date(Date.UTC(to, 0))];
  return fc.oneof(
    { weight: 1, arbitrary: fc.constantFrom(...INSTANTS) },
    { weight: 3, arbitrary: fc.date({ noInvalidDate: true, min, max }).map((at) => at.toISOString()) },
  );
}

/** Values for members, parameters and queries of a name, whatever the route; undefined where a name says nothing. */
export function wordsOf(name: string, path: string, world: World): Arbitrary<string> | undefined {
  const [first = ''] = world.accounts;
  const account = fc.oneof(
    { weight: 8, arbitrary: fc.constant(first) },
    { weight: 8, arbitrary: fc.constantFrom(...world.accounts) },
    { weight: 1, arbitrary: awkward },
  );
  switch (name) {
    case 'id':
      if (path.startsWith('/v1/api-keys')) return fc.constantFrom('nobody', ...world.keyIds);
      if (/^\/v1\/(plans|packages)/.test(path)) return offers;
      if (path.startsWith('/v1/webhook-endpoints')) return fc.constantFrom('nobody', ...world.endpoints);
      if (path.startsWith('/v1/webhook-deliveries')) return fc.constantFrom('nobody', ...world.deliveries);
      return path.startsWith('/v1/accounts') ? account : ids;
    case 'account':
    case 'referred_by':
      return account;
    case 'plan':
    case 'package':
      return offers;
    case 'usage_id':
      return fc.oneof(ids, fc.constantFrom(...world.parked));
    case 'hold':
      return fc.oneof(ids, fc.constantFrom(...world.holds));
    case 'reference':
      return ids;
    case 'purchase':
      return fc.oneof(ids, fc.constantFrom(...world.purchases));
    case 'request':
      return fc.oneof(ids, fc.constantFrom(...world.topUps));
    case 'endpoint':
      return fc.constantFrom('nobody', ...world.endpoints);
    case 'url':
      return fc.oneof(
        { weight: 4, arbitrary: fc.constant(URL_OF_NOBODY) },
        { weight: 1, arbitrary: fc.constantFrom(...URLS_REFUSED) },
      );
    case 'events':
    case 'type':
      return fc.oneof(
        { weight: 9, arbitrary: fc.constantFrom('TopUp', 'UsageCharged', 'Expired') },
        { weight: 1, arbitrary: fc.constantFrom('*', 'constructor') },
      );
    case 'email':
      return fc.constantFrom('owner@example.com', 'nobody', 'a@b@c', 'a@b.c\r\nbcc: d@e.f');
    case 'entry_id':
      return fc.oneof(
        { weight: 8, arbitrary: fc.tuple(account, fc.nat(40)).map(([id, n]) => `wallet-${id}:${n}`) },
        {
          weight: 1,
          arbitrary: fc.constantFrom(
            'ledger-genesis:0',
            'wallet-acme:999999999999999',
            'wallet-acme:-1',
            'acme:1',
          ),
        },
      );
    case 'model':
      return fc.oneof(
        { weight: 4, arbitrary: fc.constantFrom('m', 'seconds', 'dear') },
        {
          weight: 1,
          arbitrary: fc.constantFrom('openai/gpt-4o', 'constructor', '\u{1f9fe}', 'n'.repeat(256)),
        },
      );
    case 'code':
    case 'coupon':
    case 'coupon_code':
      return fc.constantFrom('SAVE10', 'save10', 'RUSH', 'GIFT', 'gift', 'constructor');
    case 'source':
    case 'kind':
      return fc.constantFrom('shop', 'promotion', 'constructor');
    case 'name':
      if (path.startsWith('/v1/price-books')) return fc.constantFrom('other', 'third', 'steady');
      return path === '/v1/plans/{id}' ? prose : undefined;
    case 'description':
    case 'features':
    case 'reason':
      return prose;
    case 'priority':
    case 'support_level':
      return fc.constantFrom('high', 'low', '');
    case 'price_book':
      return fc.constantFrom('steady', 'other', 'unheard-of');
    case 'currency':
      return fc.oneof({ weight: 8, arbitrary: fc.constant('USD') }, fc.constantFrom('EUR', 'XXX'));
    case 'markup':
    case 'demand_factor':
      return fc.oneof({ weight: 6, arbitrary: fc.constantFrom('0', '0.35', '1', '1.5') }, decimal);
    case 'amount':
      // Of a quota: whole; of money: not.
      return /plans|quotas$/.test(path) ? fc.oneof(whole, decimal) : decimal;
    case 'credits':
    case 'round_to':
    case 'overdraft_limit':
    case 'threshold':
    case 'bonus':
    case 'percent':
      return decimal;
    case 'cursor':
      return cursorsOf(path, world);
    case 'min_position':
    case 'position':
      return fc.oneof(
        { weight: 40, arbitrary: fc.constantFrom('0', '1', '5', '007') },
        { weight: 1, arbitrary: fc.constant('9'.repeat(30)) },
      );
    case 'time_zone':
      return fc.constantFrom('UTC', 'Europe/Berlin', 'Etc/GMT+14', '+25:00', 'Mars/Olympus');
    case 'period_start':
      return fc.oneof(fc.constantFrom(...world.periods), instants(2_026, 2_027));
    case 'start_at':
      return instants(2_026, 2_027);
    case 'from':
      if (path.startsWith('/v1/webhook-endpoints')) return fc.constantFrom('0', '1', '007', '9'.repeat(30));
      return instants(2_000, 2_026);
    case 'to':
      if (path.startsWith('/v1/test-clock')) return soon(world);
      return instants(2_000, 2_026);
    case 'as_of':
    case 'occurred_at':
    case 'effective_from':
      return instants(2_000, 2_026);
    case 'expires_at':
      return instants(2_090, 2_100);
    default:
      return undefined;
  }
}

/** An advance carries out everything that is due on its way: here two days are the farthest, and years would not end. */
const AHEAD_SECONDS_MAX = 2 * 86_400;

function soon({ now }: World): Arbitrary<string> {
  const aheadMs = fc.integer({ min: -AHEAD_SECONDS_MAX, max: AHEAD_SECONDS_MAX }).map((s) => s * 1_000);
  return aheadMs.map((ms) => new Date(Date.parse(now) + ms).toISOString());
}

/** The same of numbers: where what may be sent is less than what the schema admits. */
export function numbersOf(name: string): Arbitrary<number> | undefined {
  return name === 'by_seconds' ? fc.integer({ min: 1, max: AHEAD_SECONDS_MAX }) : undefined;
}

function cursorsOf(path: string, { cursors }: World): Arbitrary<string> {
  const own = cursors.get(path) ?? [];
  const all = fc.constantFrom('a', 'WyJ4Il0', ...[...cursors.values()].flat());
  if (own.length === 0) return all;
  const [given = ''] = own;
  return fc.oneof({ weight: 4, arbitrary: fc.constant(given) }, fc.constantFrom(...own), all);
}
