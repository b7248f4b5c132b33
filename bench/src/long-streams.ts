/**
 * Wallets with a given number of events, through the front door: arrays of charges, so every event is as the ledger
 * writes it, hash chain, keys, read models and snapshots included. A stream that is made in another way proves nothing.
 */
import { setTimeout as pause } from 'node:timers/promises';
import { drain, type Ledger, onPostgres } from './ledger.ts';
import type { Generator } from './measure.ts';
import { accountOf } from './requests.ts';
import { newPrefix } from './rows.ts';

/** What `prepare` writes before the first charge: the account, and its top-up. */
export const PREPARED_EVENTS = 2;
const ARRAY = 1_000;
/** Arrays between two words of progress. */
const SLICE = 200;
/** Of the projector. */
const SNAPSHOT_EVERY = 1_000;
/** Looks at what is still to be projected or frozen. */
const PATIENCE = 600;

export interface Growing {
  readonly ledger: Ledger;
  readonly generator: Generator;
  readonly tell: (what: string) => void;
}

/** @returns whole credits that were charged, and the last position */
export async function grow(
  { ledger, generator, tell }: Growing,
  wallet: number,
  events: number,
): Promise<{ credits: number; position: bigint }> {
  let left = events;
  let credits = 0;
  let position = 0n;
  while (left > 0) {
    const items = Math.min(ARRAY, left);
    const report = await generator.ask({
      kind: 'array',
      url: ledger.url,
      key: ledger.key,
      prefix: newPrefix(),
      wallets: 1,
      firstWallet: wallet,
      items,
      walletsPerArray: 1,
      connections: 2,
      seconds: 600,
      requestsMax: Math.min(SLICE, Math.trunc(left / items)),
      status: 200,
    });
    if (report.failed > 0) throw new Error(`${accountOf(wallet)} did not grow: ${report.firstFailure}`);
    left -= report.items;
    credits += report.credits;
    position = BigInt(report.position);
    if (events > ARRAY)
      tell(
        `${accountOf(wallet)}: ${left} events to write, ${Math.round(report.items / report.seconds)} a second`,
      );
  }
  return { credits, position };
}

/** How a stream stands, and how much of it a cold load reads. */
export interface Stream {
  readonly events: number;
  /** From the snapshot's own event on. */
  readonly tail: number;
}

export async function streamsOf(ledger: Ledger, wallets: readonly number[]): Promise<readonly Stream[]> {
  return onPostgres(ledger, async (client) => {
    const { rows } = await client.query<{ events: string; tail: string }>(
      `select h.events, h.events - coalesce(s.revision, 0) as tail
       from unnest($1::text[]) with ordinality w(stream, n)
       cross join lateral (select max(revision) + 1 as events from ${ledger.namespace}_events.events e
         where e.stream = w.stream) h
       left join ${ledger.namespace}_reads.snapshots s on s.stream = w.stream
       order by w.n`,
      [wallets.map((wallet) => `wallet-${accountOf(wallet)}`)],
    );
    return rows.map(({ events, tail }) => ({ events: Number(events), tail: Number(tail) }));
  });
}

/** Everything is projected, every snapshot taken, statistics are made: nothing of the load is left to be done later. */
export async function comeToRest(
  ledger: Ledger,
  wallets: readonly number[],
  position: bigint,
): Promise<void> {
  for (let tries = 0; (await drain(ledger, position)) === null; tries += 1)
    if (tries > PATIENCE) throw new Error('the read models do not come to the end');
  for (let tries = 0; ; tries += 1) {
    const streams = await streamsOf(ledger, wallets);
    if (streams.every(({ events, tail }) => tail <= (events % SNAPSHOT_EVERY) + 1)) break;
    if (tries > PATIENCE) throw new Error('the snapshots are not taken');
    await pause(100);
  }
  await onPostgres(ledger, async (client) => {
    await client.query('analyze');
    await client.query('checkpoint');
  });
}
