import { test } from 'tap';
import type { CommandKey, Context, Decider, DomainEvent } from '../decider.ts';
import { apiKeyDecider } from './api-key.ts';
import { GENESIS_ID, genesisDecider } from './genesis.ts';
import { profileDecider } from './profile.ts';
import { SEAL_ID, sealDecider } from './seal.ts';

const NO_KEY = { key: null, fingerprint: null };
const CONTEXT: Context<unknown, never> = {
  now: 0,
  catalogue: null,
  catalogueIsFresh: true,
  facts: new Map(),
};

/** Runs commands on one stream; what each came to. The state goes through a snapshot before every command. */
function run<S, C extends CommandKey, E extends DomainEvent, R>(
  decider: Decider<S, C, E, R>,
  id: string,
  ...commands: readonly C[]
): { kinds: string[]; events: E[]; state: S } {
  let state = decider.initial(id);
  const events: E[] = [];
  const kinds = commands.map((command) => {
    state = decider.thaw(id, decider.freeze(decider.fork(state)));
    const decision = decider.decide(state, command, CONTEXT);
    if (decision.kind === 'accepted') {
      for (const event of decision.events) {
        decider.evolve(state, event, events.length);
        events.push(event);
      }
    }
    return decision.kind === 'refused' ? (decision.refusal as { code: string }).code : decision.kind;
  });
  return { kinds, events, state };
}

test('a store is opened once, and keeps its id', async (t) => {
  const open = (storeId: string) => ({ type: 'OpenLedger', storeId, ...NO_KEY }) as const;
  const { kinds, state } = run(genesisDecider, GENESIS_ID, open('one'), open('two'));
  t.same(kinds, ['accepted', 'unchanged']);
  t.same(state.ledger, { store_id: 'one', test_clock: false, epoch: 0 });
});

test('a store has a clock that can be moved from its birth on, or never', async (t) => {
  const open = (testClock: boolean) =>
    ({ type: 'OpenLedger', storeId: 'one', testClock, ...NO_KEY }) as const;
  t.equal(run(genesisDecider, GENESIS_ID, open(true), open(false)).state.ledger?.test_clock, true);
  t.equal(run(genesisDecider, GENESIS_ID, open(false), open(true)).state.ledger?.test_clock, false);
});

test('an API key is made once and revoked once; the event knows a digest, not the secret', async (t) => {
  const terms = { id: 'k1', name: 'gateway', scopes: ['usage'], account: null } as const;
  const create = { type: 'CreateApiKey', terms, sha256: 'ab'.repeat(32), ...NO_KEY } as const;
  const revoke = { type: 'RevokeApiKey', ...NO_KEY } as const;
  const { kinds, events } = run(apiKeyDecider, 'k1', revoke, create, create, revoke, revoke, create);
  t.same(kinds, [
    'api_key_not_found',
    'accepted',
    'api_key_exists',
    'accepted',
    'unchanged',
    'api_key_exists',
  ]);
  t.same(events[0]?.facts, { sha256: 'ab'.repeat(32) });
  t.notMatch(JSON.stringify(events[0]?.data), 'abab');
});

test('a profile says what it is told, keeps what it is not told, and is silent about what it knows', async (t) => {
  const set = (fields: object) => ({ type: 'SetProfile', ...NO_KEY, ...fields }) as const;
  const { kinds, state } = run(
    profileDecider,
    'acme',
    set({ name: 'Acme', metadata: { a: 1, b: 2 } }),
    set({ metadata: { b: 2, a: 1 } }),
    set({ name: 'Acme Inc.' }),
    set({ name: null }),
    set({}),
  );
  t.same(kinds, ['accepted', 'unchanged', 'accepted', 'accepted', 'unchanged']);
  t.same(state, { account: 'acme', name: null, metadata: { a: 1, b: 2 }, email: null });
});

test('where warnings go stands in the facts of a profile, until it is taken away', async (t) => {
  const set = (fields: object) => ({ type: 'SetProfile', ...NO_KEY, ...fields }) as const;
  const { kinds, state, events } = run(
    profileDecider,
    'acme',
    set({ email: 'owner@example.com' }),
    set({ name: 'Acme' }),
    set({ email: 'owner@example.com' }),
    set({ email: null }),
  );
  t.same(kinds, ['accepted', 'accepted', 'unchanged', 'accepted']);
  t.same(
    events.map(({ facts }) => facts),
    [
      { metadata: null, email: 'owner@example.com' },
      { metadata: null, email: 'owner@example.com' },
      { metadata: null },
    ],
  );
  t.notMatch(JSON.stringify(events.map(({ data }) => data)), 'owner@example.com');
  t.equal(state.email, null);
});

test('a seal follows on the last one or is none, and what it says openly names no stream', async (t) => {
  const seal = (after: number, root: string) =>
    ({
      type: 'SealLedger',
      after,
      root,
      events: 5,
      ranges: [['wallet-acme', 0, 4, 'ab']],
      cursor: '9',
      ...NO_KEY,
    }) as const;
  const { kinds, events } = run(
    sealDecider,
    SEAL_ID,
    seal(0, 'r1'),
    seal(0, 'r2'),
    seal(2, 'r2'),
    seal(1, 'r2'),
  );
  t.same(kinds, ['accepted', 'unchanged', 'unchanged', 'accepted']);
  t.same(
    events.map(({ data }) => data),
    [
      { number: 1, root: 'r1', events: 5, ranges: 1 },
      { number: 2, root: 'r2', events: 5, ranges: 1, previous_root: 'r1' },
    ],
  );
  t.same(events[1]?.facts, { ranges: [['wallet-acme', 0, 4, 'ab']], cursor: '9' });
});
