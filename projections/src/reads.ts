/** What a query needs: connections, and where the tables are. */
import { type Catalogues, formatAmount, formatCredits } from '@tallystick/domain';
import type { Pool } from 'pg';
import { quoted } from './schema.ts';

export interface Reads {
  readonly pool: Pool;
  /** Quoted, as it stands in a statement. */
  readonly schema: string;
  /** What renewals that are due are decided on. Without it balances are told as if no subscription were due. */
  readonly catalogues?: () => Catalogues;
}

export function openReads(pool: Pool, schema: string, catalogues?: () => Catalogues): Reads {
  return { pool, schema: quoted(schema), ...(catalogues === undefined ? {} : { catalogues }) };
}

/** A relation of one row: how far the read models are, which is how far the last of the partitions is. */
export const reached = (schema: string): string =>
  `(select min(position) as position from ${schema}.checkpoints)`;

/** Steps as Postgres gives them, to the decimal string of the API. */
export const credits = (steps: string): string => formatCredits(BigInt(steps));
export const amount = (steps: string, unit: string): string => formatAmount(BigInt(steps), unit);
export const instant = (at: Date): string => at.toISOString();
export const instantOrNull = (at: Date | null): string | null => (at === null ? null : at.toISOString());
