/** Settings from the environment, all optional. Parsed once, at the start; a bad one names its variable and rule. */

import { readWebhookSettings, type WebhookSettings } from '@tallystick/webhooks';
import { type MailSettings, readMailSettings } from './mail-settings.ts';

export interface Settings {
  /** PORT: 3000. `0` takes a free one. */
  readonly port: number;
  /** HOST: all interfaces of this machine's loopback unless told: `127.0.0.1`. */
  readonly host: string;
  /** LEDGER_POSTGRES_URL: null means the embedded PostgreSQL. */
  readonly postgresUrl: string | null;
  /** LEDGER_DATA_DIR: where the embedded PostgreSQL keeps its data. */
  readonly dataDir: string;
  /** LEDGER_ESDB_URL: null means that events are stored in Postgres. */
  readonly esdbUrl: string | null;
  /** LEDGER_REDIS_URL: for jobs, and for what all API processes count together. */
  readonly redisUrl: string | null;
  /** LEDGER_ADMIN_KEY: null means that one is made at the first start, and printed once. */
  readonly adminKey: string | null;
  /** LEDGER_NAMESPACE: one deployment is one platform (rule 18). */
  readonly namespace: string;
  readonly logLevel: LogLevel;
  /** LEDGER_PARTITIONS: into how many parts the read models' writing is split; the same for every process. */
  readonly partitions: number;
  /** LEDGER_TAKES: the parts that this process's projector works on, as `0,2`; null means all. */
  readonly takes: readonly number[] | null;
  /** LEDGER_SEAL_SECONDS: at most this often the ledger is sealed; 0 for never. */
  readonly sealSeconds: number;
  /** LEDGER_TEST_CLOCK: of a store that was born with a clock that can be moved; a new one is. */
  readonly testClock: boolean;
  /** LEDGER_SEED_CATALOGUES: whether the first start publishes plans and packages to begin with. */
  readonly seedCatalogues: boolean;
  /** LEDGER_REFERRAL_PERCENT: of what a friend buys and pays for, a decimal; "0" for none. */
  readonly referralPercent: string;
  /** LEDGER_REFERRAL_DAYS: from a friend's payment until its share is granted. */
  readonly referralDays: number;
  /** METRICS_PORT: metrics on a port of their own, without a key; null leaves them on PORT, with one. */
  readonly metricsPort: number | null;
  readonly webhooks: WebhookSettings;
  readonly mail: MailSettings;
}

const LOG_LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

/** Why the process does not start; every fault of the environment at once. */
export class BadSettings extends Error {
  readonly faults: readonly string[];
  constructor(faults: readonly string[]) {
    super(`cannot start:\n${faults.map((fault) => `  ${fault}`).join('\n')}`);
    this.name = 'BadSettings';
    this.faults = faults;
  }
}

type Environment = Readonly<Record<string, string | undefined>>;

/** @throws BadSettings */
export function parseSettings(environment: Environment): Settings {
  const faults: string[] = [];
  const text = (name: string): string | null => environment[name] || null;
  const portOf = (name: string, otherwise: number | null): number | null => {
    const given = text(name);
    if (given === null) return otherwise;
    if (/^\d{1,5}$/.test(given) && Number(given) <= 65_535) return Number(given);
    faults.push(`${name} must be a port from 0 to 65535, but is ${JSON.stringify(given)}`);
    return otherwise;
  };
  const urlOf = (name: string, protocols: readonly string[]): string | null => {
    const given = text(name);
    if (given === null || protocols.some((protocol) => given.startsWith(`${protocol}://`))) return given;
    // Not repeated: a connection string may hold a password.
    faults.push(`${name} must start with ${protocols.map((protocol) => `${protocol}://`).join(' or ')}`);
    return null;
  };
  const partitions = partitionsOf(text('LEDGER_PARTITIONS'), faults);
  const settings: Settings = {
    port: portOf('PORT', 3000) ?? 3000,
    host: text('HOST') ?? '127.0.0.1',
    postgresUrl: urlOf('LEDGER_POSTGRES_URL', ['postgres', 'postgresql']),
    dataDir: text('LEDGER_DATA_DIR') ?? './.data',
    esdbUrl: urlOf('LEDGER_ESDB_URL', ['esdb', 'esdb+discover', 'kurrentdb', 'kurrentdb+discover']),
    redisUrl: urlOf('LEDGER_REDIS_URL', ['redis', 'rediss']),
    adminKey: adminKeyOf(text('LEDGER_ADMIN_KEY'), faults),
    namespace: namespaceOf(text('LEDGER_NAMESPACE'), faults),
    logLevel: logLevelOf(text('LOG_LEVEL'), faults),
    partitions,
    takes: takesOf(text('LEDGER_TAKES'), partitions, faults),
    sealSeconds: sealSecondsOf(text('LEDGER_SEAL_SECONDS'), faults),
    testClock: testClockOf(text('LEDGER_TEST_CLOCK'), faults),
    seedCatalogues: seedCataloguesOf(text('LEDGER_SEED_CATALOGUES'), faults),
    referralPercent: referralPercentOf(text('LEDGER_REFERRAL_PERCENT'), faults),
    referralDays: referralDaysOf(text('LEDGER_REFERRAL_DAYS'), faults),
    metricsPort: portOf('METRICS_PORT', null),
    webhooks: readWebhookSettings(environment, faults),
    mail: readMailSettings(environment, faults),
  };
  if (faults.length > 0) throw new BadSettings(faults);
  return settings;
}

/** Printable, without spaces: it travels in a header. */
function adminKeyOf(given: string | null, faults: string[]): string | null {
  if (given === null || /^[\x21-\x7e]{8,256}$/.test(given)) return given;
  faults.push('LEDGER_ADMIN_KEY must have 8 to 256 printable characters and no space');
  return null;
}

/** It becomes the name of database schemas and a prefix of streams. */
function namespaceOf(given: string | null, faults: string[]): string {
  if (given === null) return 'ledger';
  if (/^[a-z][a-z0-9_]{0,30}$/.test(given)) return given;
  faults.push(
    `LEDGER_NAMESPACE must be a lower-case letter and up to 30 of a-z, 0-9 and _, but is ${JSON.stringify(given)}`,
  );
  return 'ledger';
}

const PARTITIONS_MAX = 64;

function partitionsOf(given: string | null, faults: string[]): number {
  if (given === null) return 1;
  const count = Number(given);
  if (/^[0-9]+$/.test(given) && count >= 1 && count <= PARTITIONS_MAX) return count;
  faults.push(
    `LEDGER_PARTITIONS must be a whole number from 1 to ${PARTITIONS_MAX}, but is ${JSON.stringify(given)}`,
  );
  return 1;
}

function takesOf(given: string | null, partitions: number, faults: string[]): readonly number[] | null {
  if (given === null) return null;
  const takes = given.split(',').map(Number);
  if (
    /^[0-9]+(,[0-9]+)*$/.test(given) &&
    takes.every((take) => take < partitions) &&
    new Set(takes).size === takes.length
  )
    return takes;
  faults.push(
    `LEDGER_TAKES must list different partitions from 0 to ${partitions - 1}, as in "0,2", but is ${JSON.stringify(given)}`,
  );
  return null;
}

const SEAL_SECONDS_MAX = 86_400;

function sealSecondsOf(given: string | null, faults: string[]): number {
  if (given === null) return 60;
  if (/^[0-9]{1,5}$/.test(given) && Number(given) <= SEAL_SECONDS_MAX) return Number(given);
  faults.push(
    `LEDGER_SEAL_SECONDS must be a whole number from 0 to ${SEAL_SECONDS_MAX}, but is ${JSON.stringify(given)}`,
  );
  return 60;
}

function testClockOf(given: string | null, faults: string[]): boolean {
  if (given === '1') return true;
  if (given !== null && given !== '0')
    faults.push(`LEDGER_TEST_CLOCK must be 0 or 1, but is ${JSON.stringify(given)}`);
  return false;
}

function seedCataloguesOf(given: string | null, faults: string[]): boolean {
  if (given !== null && given !== '0' && given !== '1')
    faults.push(`LEDGER_SEED_CATALOGUES must be 0 or 1, but is ${JSON.stringify(given)}`);
  return given !== '0';
}

function referralPercentOf(given: string | null, faults: string[]): string {
  if (given === null) return '10';
  if (/^\d{1,3}(\.\d{1,6})?$/.test(given) && Number(given) <= 100) return given;
  faults.push(`LEDGER_REFERRAL_PERCENT must be a decimal from 0 to 100, but is ${JSON.stringify(given)}`);
  return '10';
}

const REFERRAL_DAYS_MAX = 3_650;

function referralDaysOf(given: string | null, faults: string[]): number {
  if (given === null) return 7;
  if (/^\d{1,4}$/.test(given) && Number(given) <= REFERRAL_DAYS_MAX) return Number(given);
  faults.push(
    `LEDGER_REFERRAL_DAYS must be a whole number from 0 to ${REFERRAL_DAYS_MAX}, but is ${JSON.stringify(given)}`,
  );
  return 7;
}

function logLevelOf(given: string | null, faults: string[]): LogLevel {
  if (given === null) return 'warn';
  const level = LOG_LEVELS.find((candidate) => candidate === given);
  if (level !== undefined) return level;
  faults.push(`LOG_LEVEL must be one of ${LOG_LEVELS.join(', ')}, but is ${JSON.stringify(given)}`);
  return 'warn';
}
