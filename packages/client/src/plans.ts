/** Plans: what can be subscribed to, by version. Read with any key; published by admins. */
import type { Money, Page, Paging, Usage } from './shapes.ts';
import type { Transport } from './transport.ts';

interface PlanWindow {
  readonly unit: 'calls' | 'tokens';
  /** A model, or `*` for all. */
  readonly model: string;
  /** A whole number; `unlimited` only where it is included. */
  readonly amount: string;
  readonly per: 'day' | 'week' | 'month' | 'period';
}

export interface Included extends PlanWindow {
  /** Of a line in tokens; left out: all that are tokens. */
  readonly counted_dimensions?: readonly (
    | 'input_tokens'
    | 'cached_input_tokens'
    | 'cache_write_tokens'
    | 'output_tokens'
    | 'reasoning_tokens'
  )[];
}

export interface PlanTerms {
  readonly name: string;
  readonly description?: string;
  readonly features?: readonly string[];
  /** Of a period. */
  readonly price: { readonly credits: string } | Money;
  readonly interval: 'week' | 'month' | 'year';
  readonly trial_days?: number;
  readonly grace?: { readonly days: number; readonly quota: 'none' | 'provisional' | 'full' };
  /** Pays for usage before credits do. */
  readonly included: readonly Included[];
  /** What every call must pass, whoever pays. */
  readonly caps?: readonly PlanWindow[];
  /** What becomes of usage that is not covered. */
  readonly overage: 'credits' | 'refuse';
  readonly overage_multiplier?: string;
  /** By model (or `*`) and dimension. */
  readonly overage_prices?: {
    readonly [model: string]: {
      readonly [D in keyof Usage]?: { readonly credits: string; readonly per: number };
    };
  };
  readonly price_book?: string;
  /** Left out: all. */
  readonly allowed_models?: readonly string[];
  readonly rate_limit_per_minute?: number;
  readonly max_concurrent_requests?: number;
  readonly priority?: string;
  readonly support_level?: string;
  readonly display_order?: number;
  readonly refund_on_cancel?: boolean;
  readonly default_plan?: boolean;
  readonly active?: boolean;
}

export interface NewPlan extends PlanTerms {
  /** `subscription` unless given. */
  readonly anchor?: 'subscription' | 'calendar';
  /** Never in the past; left out: at once. */
  readonly effective_from?: string;
}

export interface PublishedPlan {
  readonly id: string;
  readonly version: number;
  readonly effective_from: string;
}

export interface Plan extends PublishedPlan, PlanTerms {
  readonly anchor: 'subscription' | 'calendar';
}

/** `all`: what is not active, too; for admins. */
export type Offered = Omit<Paging, 'min_position'> & { readonly all?: boolean };

export interface PlanRoutes {
  readonly 'PUT /v1/plans/{id}': {
    readonly path: { readonly id: string };
    readonly query: undefined;
    readonly body: NewPlan;
    readonly answers: { readonly 200: PublishedPlan; readonly 201: PublishedPlan };
  };
  readonly 'GET /v1/plans': {
    readonly path: undefined;
    readonly query: Offered;
    readonly body: undefined;
    readonly answers: { readonly 200: Page<Plan> };
  };
  readonly 'GET /v1/plans/{id}': {
    readonly path: { readonly id: string };
    readonly query: { readonly version?: number };
    readonly body: undefined;
    readonly answers: { readonly 200: Plan };
  };
}

export function planCalls({ send }: Transport) {
  return {
    /** The same content as the latest version's makes no new one. */
    publish(id: string, plan: NewPlan): Promise<PublishedPlan> {
      return send('PUT /v1/plans/{id}', { path: { id }, body: plan });
    },
    /** Each as it is in force. */
    list(query: Offered = {}): Promise<Page<Plan>> {
      return send('GET /v1/plans', { query });
    },
    get(id: string, query: { readonly version?: number } = {}): Promise<Plan> {
      return send('GET /v1/plans/{id}', { path: { id }, query });
    },
  };
}
