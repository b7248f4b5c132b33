/** What a projector tells of itself. */
export type ProjectorState =
  | { readonly status: 'starting' }
  /** Another projector moves the checkpoint; this one looks again from time to time. */
  | { readonly status: 'standby' }
  | { readonly status: 'running' }
  /** Store or database are away, or the ledger is not opened yet; it goes on by itself. */
  | { readonly status: 'waiting'; readonly reason: string; readonly error?: unknown }
  /** It met what it must not skip, or rows that are not its own: people have to look (rules 10, 11). */
  | { readonly status: 'halted'; readonly error: Error }
  | { readonly status: 'stopped' };

export interface BatchReport {
  readonly events: number;
  /** From the recording of the oldest event in it until its rows could be read. */
  readonly lagMs: number;
  readonly writeMs: number;
  readonly position: bigint;
}
