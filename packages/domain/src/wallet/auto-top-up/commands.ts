/** Orders about topping up by itself, already parsed. */
import type { Money } from '../../amount.ts';
import type { Offer } from '../purchase/commands.ts';
import type { AutoTopUpTerms } from './events.ts';

export type AutoTopUpCommand =
  | { readonly type: 'SetAutoTopUp'; readonly terms: AutoTopUpTerms }
  | ResolveAutoTopUp;

/** A provider's answer to the charge, or that of a status query: nothing else ends a request (billing rule 16). */
export interface ResolveAutoTopUp {
  readonly type: 'ResolveAutoTopUp';
  readonly id: string;
  readonly reference: string;
  /** Null: declined. */
  readonly paid: Money | null;
  /** What the money buys; null where nothing of its currency is on offer. */
  readonly offer: Offer | null;
}

export type AutoTopUpRefusal = { readonly code: 'auto_top_up_not_found'; readonly id: string };
