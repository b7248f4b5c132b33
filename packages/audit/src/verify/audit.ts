/** Accounts for streams while their events pass by, in the order of their positions: a part in this very thread. */
import type { RecordedEvent } from '@tallystick/event-store';
import { textOf } from '../decimal.ts';
import { type AccountedEvent, leftOver, readAccounted } from './accounted.ts';
import type { Cell } from './cells.ts';
import type { Digests, RowDigest } from './digest.ts';
import { Directory } from './directory.ts';
import { checkEnvelope } from './envelope.ts';
import { type Finding, Findings } from './finding.ts';
import { Landmarks } from './landmarks.ts';
import type { Listed, Part, PartSettings, PartSummary, Repeated } from './part.ts';
import { PlatformSums } from './platform.ts';
import { RepeatedKeys } from './repeated-keys.ts';
import { SealRows } from './seal-rows.ts';
import { StreamAudit } from './stream.ts';

export class Audit implements Part {
  readonly #streams = new Map<string, StreamAudit>();
  readonly #platform = new PlatformSums();
  readonly #directory = new Directory();
  readonly #seals = new SealRows();
  readonly #keys = new RepeatedKeys();
  readonly #repeated: Repeated[] = [];
  readonly #checkpoints: readonly bigint[];
  readonly #findings: Findings;
  readonly #landmarks: Landmarks;
  #behind = 0;
  #epoch: number | null = null;

  constructor(settings: PartSettings) {
    this.#checkpoints = settings.checkpoints;
    this.#findings = new Findings(settings.shownMax);
    this.#landmarks = new Landmarks(settings, this.#report);
  }

  readonly #report = (finding: Finding): void => this.#findings.add(finding);

  async add(events: readonly RecordedEvent[], partitions: readonly number[]): Promise<void> {
    events.forEach((event, at) => {
      this.#add(event, partitions[at] ?? 0);
    });
  }

  #add(recorded: RecordedEvent, partition: number): void {
    const { stream: name, revision, key } = recorded;
    const stream = this.#streamOf(name);
    stream.chain.follow(recorded);
    if (key !== null && this.#keys.isRepeated(name, key))
      this.#repeated.push({ stream: name, key, revision });
    try {
      this.#account(stream, readAccounted(recorded), partition);
    } catch (error) {
      const found = error instanceof Error ? error.message : String(error);
      this.#name(recorded, 'the event cannot be read', 'an event of this ledger', found);
    }
  }

  #streamOf(name: string): StreamAudit {
    let stream = this.#streams.get(name);
    if (stream === undefined) {
      stream = new StreamAudit(name, this.#report);
      this.#streams.set(name, stream);
    }
    return stream;
  }

  #account(stream: StreamAudit, event: AccountedEvent, partition: number): void {
    checkEnvelope(event, stream.category, this.#report);
    if (event.type === 'LedgerOpened') this.#epoch = Number(event.data.epoch);
    for (const [unit, steps] of leftOver(event.legs))
      this.#name(event, 'the entry does not come to zero', '0', textOf(steps), unit);
    const isCovered = event.position <= (this.#checkpoints[partition] ?? -1n);
    if (!isCovered) {
      this.#behind += 1;
      stream.leaveBehind();
    }
    stream.wallet?.apply(event, this.#report);
    if (isCovered) {
      stream.cover(event);
      this.#directory.add(event, stream.id);
      this.#seals.add(event, stream.chain.hash);
      this.#platform.add(event, partition);
    }
    this.#landmarks.pass(event, stream);
  }

  async summary(): Promise<PartSummary> {
    const streams = [...this.#streams.values()];
    for (const { chain } of streams) chain.end();
    this.#landmarks.end();
    const digestsOf = (digestOf: (stream: StreamAudit) => RowDigest): Digests =>
      new Map(streams.map((stream) => [stream.name, digestOf(stream).value]));
    return {
      count: this.#findings.count,
      findings: this.#findings.shown,
      repeated: this.#repeated,
      behind: this.#behind,
      epoch: this.#epoch,
      covered: new Map(streams.map(({ name, covered }) => [name, covered])),
      entries: digestsOf(({ entries }) => entries),
      keys: digestsOf(({ keys }) => keys),
      sealedRanges: new Map([...this.#seals.covered].map(([name, { value }]) => [name, value])),
      platform: this.#platform.sum,
    };
  }

  async rows(table: Listed): Promise<readonly (readonly Cell[])[]> {
    return [...this.#rowsOf(table)];
  }

  #rowsOf(table: Listed): Iterable<readonly Cell[]> {
    switch (table) {
      case 'balances':
        return this.#each((stream) => oneOf(stream.walletRows()?.balance));
      case 'lots':
      case 'holds':
      case 'pins':
      case 'quota_pins':
      case 'subscriptions':
      case 'quotas':
      case 'purchases':
      case 'account_coupons':
      case 'referral_accruals':
        return this.#each((stream) => stream.walletRows()?.[table] ?? []);
      case 'marks':
        return this.#each((stream) => stream.markRows());
      case 'coverage':
        return this.#each(({ name, covered }) => (covered < 0 ? [] : [[name, String(covered)]]));
      case 'accounts':
        return this.#directory.accountRows();
      case 'freezes':
        return this.#directory.freezeRows();
      case 'profiles':
        return this.#directory.profileRows();
      case 'api_keys':
        return this.#directory.keyRows();
      case 'seals':
        return this.#seals.rows;
      default:
        return table satisfies never;
    }
  }

  *#each(rowsOf: (stream: StreamAudit) => Iterable<readonly Cell[]>): Iterable<readonly Cell[]> {
    for (const stream of this.#streams.values()) yield* rowsOf(stream);
  }

  async stop(): Promise<void> {
    // It holds nothing but memory.
  }

  #name(
    { stream, revision }: Pick<RecordedEvent, 'stream' | 'revision'>,
    what: string,
    expected: string,
    found: string,
    unit?: string,
  ): void {
    this.#report({ what, stream, revision, ...(unit === undefined ? {} : { unit }), expected, found });
  }
}

const oneOf = (row: readonly Cell[] | undefined): readonly (readonly Cell[])[] =>
  row === undefined ? [] : [row];
