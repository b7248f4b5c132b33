/**
 * Bugs to plant, one at a time: the simulation has to find each. A mutation replaces one exact piece of one source file;
 * where that piece is no longer there, once, it says so, and is to be written anew.
 */

import { PLAN_MUTATIONS } from './plan-mutations.ts';
import { SHOP_MUTATIONS } from './shop-mutations.ts';

export interface Mutation {
  /** From the root of the checkout. */
  readonly file: string;
  readonly find: string;
  readonly replace: string;
  /** The seed to begin with, where the first few do not meet what it takes. 1 where left out. */
  readonly from?: number;
}

export const LEDGER_MUTATIONS: { readonly [name: string]: Mutation } = {
  'drop the de-duplication check': {
    file: 'packages/event-store/src/round.ts',
    find: 'if (isKnown(folded, waiting, round)) continue;',
    replace: '',
  },
  'believe that an absent fact stays absent': {
    file: 'packages/event-store/src/round.ts',
    find: "if (fact === null && stale && !key.startsWith('#')) waiting.facts.delete(key);",
    replace: '',
    from: 39,
  },
  'leave a hole between key index and memory': {
    file: 'packages/event-store/src/round.ts',
    find: 'waiting.looked.coveredTo + 1 >= folded.recent.startsAt',
    replace: 'true',
    from: 43,
  },
  'forget keys, and not that they are forgotten': {
    file: 'packages/event-store/src/key-memory.ts',
    find: 'this.#startsAt = this.#youngStartsAt;',
    replace: '',
    from: 43,
  },
  'date an append before the one before it': {
    file: 'packages/event-store/src/round.ts',
    find: 'Math.max(clock(), folded.recordedAt)',
    replace: 'clock()',
  },
  'skip the expected revision': {
    file: 'packages/event-store/src/append-patiently.ts',
    find: 'return await store.append(append);',
    replace: `const result = await store.append(append);
      return result.status === 'conflict' ? await store.append({ ...append, expected: result.actual }) : result;`,
  },
  'repeat an unknown append under new ids': {
    file: 'packages/event-store/src/append-patiently.ts',
    find: 'return await store.append(append);',
    replace: `const events = append.events.map((event) => ({ ...event, id: crypto.randomUUID() }));
      return await store.append(wait === 20 ? append : { ...append, events });`,
  },
  'call an unknown outcome unwritten': {
    file: 'packages/event-store/src/append-patiently.ts',
    find: "throw new StoreUnavailable('unknown',",
    replace: "throw new StoreUnavailable('unwritten',",
    from: 15,
  },
  'answer a "no" without looking at the head': {
    file: 'packages/event-store/src/stream-cell.ts',
    find: 'const atHead = head === folded.revision;',
    replace: 'const atHead = true;',
    from: 14,
  },
  'answer a repeat whatever its content': {
    file: 'packages/event-store/src/repeats.ts',
    find: 'event.fingerprint !== waiting.order.command.fingerprint',
    replace: 'false',
  },
  'answer a repeat with the position of its event': {
    file: 'packages/event-store/src/repeats.ts',
    find: 'events.get(event.revision + event.left)?.position ?? event.position',
    replace: 'event.position',
  },
  'hang every event of an append on the same one': {
    file: 'packages/event-store/src/stream-cell.ts',
    find: 'hash = sealed.hash;',
    replace: '',
  },
  'decide on the state itself': {
    file: 'packages/event-store/src/round.ts',
    find: 'state: decider.fork(folded.state),',
    replace: 'state: folded.state,',
  },
  'believe a snapshot of another history': {
    file: 'packages/event-store/src/load.ts',
    find: '&& hashOf(anchor) === snapshot.hash',
    replace: '',
  },
  'write the checkpoint outside the transaction': {
    file: 'projections/src/write-batch.ts',
    find: 'await moveCheckpoint(client, schema,',
    replace: 'await moveCheckpoint(pool as never, schema,',
  },
  'count a page that another projector has counted': {
    file: 'projections/src/checkpoint.ts',
    find: 'if (rowCount !== 1) throw new LostCheckpoint();',
    replace: '',
    from: 5,
  },
  'skip one event when a page is read again': {
    file: 'projections/src/partition.ts',
    find: 'this.#ownOf(page.events)',
    replace: 'this.#ownOf(this.#failures > 0 ? page.events.slice(1) : page.events)',
    from: 3,
  },
  'leave a voided hold open in its row': {
    file: 'projections/src/holds/project.ts',
    find: "return [[(event.data as { hold: string }).hold, 'voided']];",
    replace: 'return [];',
  },
  'keep the last total of a platform account instead of the sum': {
    file: 'projections/src/totals/project.ts',
    find: 'balance = t.balance + excluded.balance',
    replace: 'balance = excluded.balance',
  },
  'round twice': {
    file: 'packages/domain/src/pricing/quote.ts',
    find: 'credits = add(credits, line);',
    replace: 'credits = add(credits, { n: roundUpTo(line, model.roundTo), d: 1n });',
  },
  'expire pinned credits': {
    file: 'packages/domain/src/wallet/dues.ts',
    find: "draft.move('free', 'expired', lot.free, lot, lot.paid);",
    replace: "draft.move('free', 'expired', lot.free + lot.pinned, lot, lot.paid);",
    from: 63,
  },
  'never let go of a hold whose time has come': {
    file: 'packages/domain/src/wallet/dues.ts',
    find: "due.push({ kind: 'hold', id, at: expiresAt });",
    replace: '',
    from: 4,
  },
  'post to one side only': {
    file: 'packages/domain/src/entry.ts',
    find: 'this.#post(to, unit, -steps);',
    replace: 'if (unit === "credits") this.#post(to, unit, -steps);',
  },
  'drop the repayment of debt': {
    file: 'packages/domain/src/wallet/entry-draft.ts',
    find: "put('debt', smaller(left, this.wallet.totals.debt));",
    replace: '',
  },
  'let a charge go beyond the overdraft': {
    file: 'packages/domain/src/wallet/charge.ts',
    find: 'wallet.totals.available + wallet.overdraftLimit >= credits',
    replace: 'wallet.totals.available + wallet.overdraftLimit >= 0n',
  },
};

export const MUTATIONS: { readonly [name: string]: Mutation } = {
  ...LEDGER_MUTATIONS,
  ...PLAN_MUTATIONS,
  ...SHOP_MUTATIONS,
};
