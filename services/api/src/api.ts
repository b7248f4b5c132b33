/** What the routes work with: the parts that the process was given, and what is made of them once. */

import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox';
import type { Tracer } from '@opentelemetry/api';
import type { Catalogue, Log, Meter, TestClock } from '@tallystick/connect';
import type { Catalogues } from '@tallystick/domain';
import type { EventStore, KeyIndex, Runner } from '@tallystick/event-store';
import type { BalanceReader, Reads, Wanted } from '@tallystick/projections';
import type { Webhooks } from '@tallystick/webhooks';
import type {
  FastifyBaseLogger,
  FastifyInstance,
  RawReplyDefaultExpression,
  RawRequestDefaultExpression,
  RawServerDefault,
} from 'fastify';
import type { Acknowledged } from './acknowledged.ts';

import type { ProblemCode } from './problems.ts';
import type { RateLimits } from './rate-limit.ts';

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
  readonly webhooks: Webhooks;
  /** Of the store's genesis event; the high digits of every position. */
  readonly epoch: number;
  /** Whether the process has come up whole; until then it is not ready. True where left out. */
  readonly isStarted?: () => boolean;
  /** How long at most until an entry is sealed; 0: it is never. A minute where left out. */
  readonly sealSeconds?: number;
  /** Milliseconds since 1970: what business goes by. */
  readonly now?: () => number;
  /** Of the clock on the wall, where `now` is one that can be moved: time-outs go by it. `now` where left out. */
  readonly realNow?: () => number;
  /** The clock that can be moved; null or left out where the store was not born with one. */
  readonly testClock?: TestClock | null;
  /** Nothing is logged where left out. From `info` on each request is, which costs as much as the request. */
  readonly log?: Log;
  readonly meter?: Meter;
  /** Requests are not traced where it is null or left out. */
  readonly tracer?: Tracer | null;
  readonly limits?: Partial<ApiLimits>;
  /** Each process for itself where left out. */
  readonly rateLimits?: RateLimits;
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
  readonly webhooks: Webhooks;
  readonly epoch: number;
  readonly isStarted: () => boolean;
  readonly sealSeconds: number;
  readonly now: () => number;
  readonly realNow: () => number;
  readonly testClock: TestClock | null;
  readonly limits: ApiLimits;
  readonly rateLimits: RateLimits;
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
