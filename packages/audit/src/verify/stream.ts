/** One stream under audit: its chain to the end, and what the read models should hold of it up to their checkpoint. */
import { splitStream } from '@tallystick/event-store/port';
import type { AccountedEvent } from './accounted.ts';
import { Chain } from './chain.ts';
import { RowDigest } from './digest.ts';
import { entryCells } from './entry-row.ts';
import type { Finding } from './finding.ts';
import { Marks } from './marks.ts';
import { WalletBook } from './wallet.ts';
import { rowsOf, type WalletRows } from './wallet-rows.ts';

export class StreamAudit {
  readonly name: string;
  readonly category: string;
  /** The account, for a wallet. */
  readonly id: string;
  readonly chain: Chain;
  readonly wallet: WalletBook | null;
  /** Of the rows that the read models should have. */
  readonly entries = new RowDigest();
  readonly keys = new RowDigest();
  /** Last revision that the read models should have seen. */
  covered = -1;
  #marks: Marks | null = null;
  #rows: WalletRows | null = null;

  constructor(name: string, report: (finding: Finding) => void) {
    const { category, id } = splitStream(name);
    this.name = name;
    this.category = category;
    this.id = id;
    this.chain = new Chain(name, report);
    this.wallet = category === 'wallet' ? new WalletBook(id) : null;
  }

  /** An event that the read models should have seen. */
  cover(event: AccountedEvent): void {
    this.covered = event.revision;
    if (event.recorded.key !== null) this.keys.add([this.name, event.recorded.key, String(event.revision)]);
    const cells = entryCells(event);
    if (cells === null) return;
    this.entries.add(cells);
    const { type, data } = event;
    if (type !== 'UsageUnpriced' && type !== 'EntryReversed' && data.repriced === undefined) return;
    this.#marks ??= new Marks(this.name);
    this.#marks.add(event);
  }

  /** Before the first event that the read models have not come to yet: what they should hold stays as it is. */
  leaveBehind(): void {
    if (this.wallet !== null && this.covered >= 0) this.#rows ??= rowsOf(this.wallet);
  }

  walletRows(): WalletRows | null {
    if (this.wallet === null || this.covered < 0) return null;
    return this.#rows ?? rowsOf(this.wallet);
  }

  markRows(): Iterable<(string | null)[]> {
    return this.#marks?.rows() ?? [];
  }
}
