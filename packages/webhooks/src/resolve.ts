/**
 * How the names of receivers are resolved: by asking the name servers ourselves (c-ares). What other programs of this
 * machine use (getaddrinfo) holds one of a few threads until it is answered, and nobody can call it back: one receiver
 * whose name server is silent would stop all messages, and with them every new connection to a database by its name.
 *
 * Each name has one look-up under way, however many messages wait for it, and a look-up has an end of its own. A name
 * that nobody answered for is left alone for a while: meanwhile its messages wait, and hold no place among those that are
 * sent. That is no failure of the receiver (billing rule 15).
 */
import { NODATA, NOTFOUND } from 'node:dns';
import { Resolver } from 'node:dns/promises';
import { readFile } from 'node:fs/promises';
import { isIP } from 'node:net';
import ipaddr from 'ipaddr.js';

export interface ResolvedAddress {
  readonly address: string;
  readonly family: number;
}

/**
 * All addresses of a name, in the order in which to take them; none where it has none.
 * @throws Unresolved where nobody has said what it has
 */
export type Resolve = (hostname: string) => Promise<readonly ResolvedAddress[]>;

/** No name server has answered in time: it says nothing of who has the name. */
export class Unresolved extends Error {
  constructor(hostname: string, options?: ErrorOptions) {
    super(`no name server has answered for ${hostname}`, options);
    this.name = 'Unresolved';
  }
}

export interface ResolveOptions {
  /** Name servers, `address:port`; the machine's where left out. */
  readonly servers?: readonly string[];
  readonly hostsFile?: string;
  /** Where `search` says what to add to a name without a dot. */
  readonly resolvConf?: string;
  /** Of one look-up, whatever the servers do. */
  readonly limitMs?: number;
  /** For so long a name that nobody answered for is not asked for again. */
  readonly silentMs?: number;
}

const HOSTS =
  process.platform === 'win32'
    ? `${process.env.SystemRoot ?? 'C:\\Windows'}\\System32\\drivers\\etc\\hosts`
    : '/etc/hosts';
const SILENT_NAMES_MAX = 1_000;
/** The name server has said that there is nothing, or that it does not tell. What is not here was no answer. */
const ANSWERS: ReadonlySet<string> = new Set([
  NODATA,
  NOTFOUND,
  'EFORMERR',
  'ESERVFAIL',
  'ENOTIMP',
  'EREFUSED',
  'EBADNAME',
  'EBADRESP',
]);

export function createResolve(options: ResolveOptions = {}): Resolve {
  const { silentMs = 30_000, hostsFile = HOSTS } = options;
  const underWay = new Map<string, Promise<readonly ResolvedAddress[]>>();
  /** Until when. */
  const silent = new Map<string, number>();

  async function lookUp(name: string): Promise<readonly ResolvedAddress[]> {
    const known = await fromHosts(name, hostsFile);
    if (known.length > 0) return known;
    if ((silent.get(name) ?? 0) > performance.now()) throw new Unresolved(name);
    silent.delete(name);
    try {
      return await askServers(name, options);
    } catch (error) {
      if (silent.size >= SILENT_NAMES_MAX) silent.clear();
      silent.set(name, performance.now() + silentMs);
      throw error;
    }
  }

  return async (hostname) => {
    const family = isIP(hostname);
    if (family !== 0) return [{ address: hostname, family }];
    const name = hostname.toLowerCase().replace(/\.$/, '');
    // Never asked for outside (RFC 6761, 6.3).
    if (name === 'localhost' || name.endsWith('.localhost')) return LOOPBACK;
    const found = underWay.get(name);
    if (found !== undefined) return found;
    const looking = lookUp(name).finally(() => underWay.delete(name));
    underWay.set(name, looking);
    return looking;
  };
}

const LOOPBACK: readonly ResolvedAddress[] = [
  { address: '127.0.0.1', family: 4 },
  { address: '::1', family: 6 },
];

/** As every process of the machine does where it is told nothing else. */
export const resolveName: Resolve = createResolve();

/** What the machine's own file says comes first. IPv4 first: not every machine gets out by IPv6. */
async function fromHosts(name: string, file: string): Promise<readonly ResolvedAddress[]> {
  const found: ResolvedAddress[] = [];
  for (const line of await linesOf(file)) {
    const [address = '', ...names] = line;
    if (!names.some((one) => one.toLowerCase() === name) || !ipaddr.isValid(address)) continue;
    found.push({ address, family: isIP(address) });
  }
  return found.toSorted((a, b) => a.family - b.family);
}

/** The words of each line, without remarks; none where there is no such file. */
async function linesOf(file: string): Promise<string[][]> {
  const text = await readFile(file, 'utf8').catch(() => '');
  return text.split(/\r?\n/).map((line) =>
    line
      .replace(/[#;].*/, '')
      .trim()
      .split(/\s+/),
  );
}

async function askServers(name: string, options: ResolveOptions): Promise<readonly ResolvedAddress[]> {
  const { servers, limitMs = 5_000 } = options;
  // Of its own, so that ending this look-up ends no other.
  const resolver = new Resolver({ timeout: Math.ceil(limitMs / 4), tries: 2 });
  if (servers !== undefined) resolver.setServers(servers);
  const timer = setTimeout(() => resolver.cancel(), limitMs);
  try {
    for (const asked of await namesFor(name, options)) {
      const found = await askFor(resolver, asked);
      if (found.length > 0) return found;
    }
    return [];
  } finally {
    clearTimeout(timer);
  }
}

/** A name without a dot is one of the network around: those who run it say what it is short for. */
async function namesFor(name: string, options: ResolveOptions): Promise<readonly string[]> {
  if (name.includes('.')) return [name];
  const lines = await linesOf(options.resolvConf ?? '/etc/resolv.conf');
  const [, ...suffixes] = lines.findLast(([first]) => first === 'search' || first === 'domain') ?? [];
  return [...suffixes.slice(0, 6).map((suffix) => `${name}.${suffix}`), name];
}

/** Where one family is told and nobody answers for the other, what is told suffices: only that is judged and used. */
async function askFor(resolver: Resolver, name: string): Promise<readonly ResolvedAddress[]> {
  const [v4, v6] = await Promise.allSettled([resolver.resolve4(name), resolver.resolve6(name)]);
  const found = [...familyOf(v4, 4), ...familyOf(v6, 6)];
  if (found.length > 0) return found;
  for (const asked of [v4, v6]) {
    if (asked.status === 'rejected' && !isAnswer(asked.reason))
      throw new Unresolved(name, { cause: asked.reason });
  }
  return [];
}

const familyOf = (asked: PromiseSettledResult<string[]>, family: number): ResolvedAddress[] =>
  asked.status === 'fulfilled' ? asked.value.map((address) => ({ address, family })) : [];

const isAnswer = (error: unknown): boolean => ANSWERS.has((error as { code?: string }).code ?? '');
