/**
 * Moments on the command line: a position as the API shows it (the store's epoch in its high digits), an instant with
 * its zone, or a day in UTC.
 */

import type { AsOf } from '@tallystick/audit';
import { formatPosition, parsePosition } from '@tallystick/connect';
import type { EventStore } from '@tallystick/event-store';
import { InvalidArgumentError } from 'commander';
import { UsageFault } from './connect.ts';

export type Moment =
  | { readonly kind: 'position'; readonly text: string }
  /** Milliseconds since 1970. A day is meant up to its end; `begins` is its beginning. */
  | { readonly kind: 'instant'; readonly at: number; readonly begins: number };

const DAY_MS = 24 * 3_600_000;
const DAY = /^\d{4}-\d\d-\d\d$/;
const ZONELESS = /^\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d(:\d\d(\.\d{1,9})?)?$/;
const INSTANT = /^\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(\.\d{1,9})?([Zz]|[+-]\d\d:\d\d)$/;

export const MOMENT = 'a position, a time (2026-01-31T12:00:00Z) or a day (2026-01-31)';

/** Of a moment that something is looked at: a day is meant with all that was recorded in it. */
export function momentAt(text: string): Moment {
  return readMoment(text, DAY_MS - 1);
}

/** Of a moment from which on something is looked at: a day is its first instant. */
export function momentFrom(text: string): Moment {
  return readMoment(text, 0);
}

/** As `momentFrom`, of times only; also of one before which: a day is its first instant. */
export function instantAt(text: string): number {
  const moment = momentFrom(text);
  if (moment.kind === 'position')
    throw new InvalidArgumentError('a time (2026-01-31T12:00:00Z) or a day (2026-01-31)');
  return moment.at;
}

function readMoment(text: string, dayOffset: number): Moment {
  if (/^\d{1,30}$/.test(text)) return { kind: 'position', text };
  if (ZONELESS.test(text))
    throw new InvalidArgumentError('the zone is missing: end it with Z for UTC, or as in +01:00');
  const isDay = DAY.test(text);
  const at = isDay ? Date.parse(`${text}T00:00:00Z`) : INSTANT.test(text) ? Date.parse(text) : Number.NaN;
  if (Number.isNaN(at) || !isRealDay(text)) throw new InvalidArgumentError(MOMENT);
  return { kind: 'instant', at: isDay ? at + dayOffset : at, begins: at };
}

/** `Date.parse` takes the 30th of February for the 2nd of March. */
function isRealDay(text: string): boolean {
  return new Date(`${text.slice(0, 10)}T00:00:00Z`).getUTCDate() === Number(text.slice(8, 10));
}

/** Positions of this store, read and written as the API does it. */
export interface Positions {
  show(position: bigint): string;
  /** @throws UsageFault where the position is of another epoch */
  read(text: string): bigint;
}

export async function positionsOf(store: Pick<EventStore, 'readStream'>): Promise<Positions> {
  const [genesis] = await store.readStream('ledger-genesis', { from: 0, limit: 1 });
  if (genesis === undefined) throw new UsageFault('the event store is empty: there is no ledger in it yet');
  const { epoch } = JSON.parse(genesis.data) as { readonly epoch: number };
  const show = (position: bigint): string => formatPosition(epoch, position);
  return {
    show,
    read(text) {
      const position = parsePosition(epoch, text);
      if (position === null || show(position) !== BigInt(text).toString())
        throw new UsageFault(`${text} is a position of another epoch than this store's (${epoch})`);
      return position;
    },
  };
}

export function asOfOf(moment: Moment | undefined, positions: Positions): AsOf | null {
  if (moment === undefined) return null;
  return moment.kind === 'position' ? { position: positions.read(moment.text) } : { at: moment.at };
}
