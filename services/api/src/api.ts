/** What the routes work with: the parts that the process was given, and what is made of them once. */

import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox';
import type { Tracer } from '@opentelemetry/api';
import type { Catalogue, Log, Meter } from '@tallystick/connect';
import type { Catalogues } from '@tallystick/domain';
import type { EventStore, KeyIndex, Runner } from '@tallystick/event-store';
import type { BalanceReader, Reads, Wanted } from '@tallystick/projections';
import type {
  FastifyBaseLogger,
  FastifyInstance,
  RawReplyDefaultExpression,
  RawRequestDefaultExpression,
  RawServerDefault,
} from 'fastify';
import type { Acknowledged } from './acknowledged.ts';

import type { ProblemCode } from './problems.ts';

/** The read models, and how to wait for them. */
export interface ApiReads {
  readonly queries: Reads;
  readonly balances: BalanceReader;
  /** The store where it enforces keys, else the projector's. */
  readonly index: KeyIndex;
  /** The projector's where it runs in this process, else a follower's. */
  waitFor(wanted: Wanted, timeoutMs: number): Promise<boolean>;
  /** Of the projector in this process; null where it runs elsewhere. */
  lagMs(): number | null;
}

export interface ApiParts {
  readonly runner: Runner<Catalogues>;
  readonly store: Pick<EventStore, 'readStream' | 'head'>;
  readonly catalogue: Catalogue;
  readonly reads: ApiReads;
  /** Of the store's genesis event; the high digits of every position. */
  readonly epoch: number;
  /** Whether the process has come up whole; until then it is not ready. True where left out. */
  readonly isStarted?: () => boolean;
  /** How long at most until an entry is sealed; 0: it is never. A minute where left out. */
  readonly sealSeconds?: number;
  /** Milliseconds since 1970. */
  readonly now?: () => number;
  /** Nothing is logged where left out. From `info` on each request is, which costs as much as the request. */
  readonly log?: Log;
  readonly meter?: Meter;
  /** Requests are not traced where it is null or left out. */
  readonly tracer?: Tracer | null;
  readonly limits?: Partial<ApiLimits>;
}

export interface ApiLimits {
  /** How long a command may wait to be decided. */
  readonly deadlineMs: number;
  /** How long a read waits for what this process has acknowledged, or for a `min_position`. */
  readonly waitMs: number;
  readonly bodyBytes: number;
  readonly batchBytes: number;
}

export const LIMITS: ApiLimits = {
  deadlineMs: 10_000,
  waitMs: 250,
  bodyBytes: 1024 * 1024,
  batchBytes: 16 * 1024 * 1024,
};

export interface Api {
  readonly runner: Runner<Catalogues>;
  readonly store: Pick<EventStore, 'readStream' | 'head'>;
  readonly catalogue: Catalogue;
  readonly reads: ApiReads;
  readonly epoch: number;
  readonly isStarted: () => boolean;
  readonly sealSeconds: number;
  readonly now: () => number;
  readonly limits: ApiLimits;
  readonly acknowledged: Acknowledged;
  /** How many requests, and items of arrays, were refused by each code. */
  readonly refusals: ReadonlyMap<ProblemCode, number>;
  countRefusal(code: ProblemCode): void;
}

export type App = FastifyInstance<
  RawServerDefault,
  RawRequestDefaultExpression<RawServerDefault>,
  RawReplyDefaultExpression<RawServerDefault>,
  FastifyBaseLogger,
  TypeBoxTypeProvider
>;
