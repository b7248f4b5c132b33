/**
 * A wallet as it is at its stream's head, with what has fallen due carried out though it is not written yet (rule 33): for
 * answers that must be true now, whichever process wrote last. Nothing is recorded by looking.
 */
import {
  decideWallet,
  type Stored,
  type Wallet,
  type WalletCommand,
  type WalletEvent,
  walletAfterDues,
  walletDecider,
  walletStream,
} from '@tallystick/domain';
import { decodeEvent } from '@tallystick/event-store';
import type { Api } from './api.ts';
import { problemOfOutcome } from './orders.ts';
import { Refused, refuse } from './problems.ts';

const PAGE = 1_000;

/** Ends the request with 404 where there is no such account. */
export async function walletNow(api: Api, account: string): Promise<Readonly<Wallet>> {
  const wallet = await walletAtHead(api, account);
  if (!wallet.opened) return refuse('account_not_found', { account });
  return walletAfterDues(wallet, api.now(), api.catalogue.current());
}

/** One look at the store beside what is in memory: another process may have written since. */
async function walletAtHead({ runner, store }: Api, account: string): Promise<Readonly<Wallet>> {
  const { state, revision } = await runner.peek(walletDecider, account);
  // Forked before anything is awaited: the runner goes on with its own.
  const wallet = walletDecider.fork(state);
  for (let from = revision + 1; ; from += PAGE) {
    const tail = await store.readStream(walletStream(account), { from, limit: PAGE });
    for (const event of tail) walletDecider.evolve(wallet, decodeEvent<WalletEvent>(event), event.revision);
    if (tail.length < PAGE) return wallet;
  }
}

/** Questions that one command can have at most, one after the other. */
const ASKED_MAX = 5;

/** What a command would record now. Ends the request with the problem that the command would end with. */
export async function wouldRecord(
  api: Api,
  account: string,
  command: WalletCommand,
): Promise<readonly WalletEvent[]> {
  const wallet = await walletNow(api, account);
  const facts = new Map<string, Stored<WalletEvent> | null>();
  let catalogueIsFresh = false;
  for (let asked = 0; asked <= ASKED_MAX; asked++) {
    const context = { now: api.now(), catalogue: api.catalogue.current(), catalogueIsFresh, facts };
    const decision = decideWallet(wallet, command, context);
    switch (decision.kind) {
      case 'accepted':
        return decision.events;
      case 'unchanged':
        return [];
      case 'repeats':
        return [decision.event];
      case 'refused': {
        const problem = problemOfOutcome({ status: 'refused', refusal: decision.refusal }, account);
        if (problem === null) throw new Error('a refusal without a problem');
        throw new Refused(problem);
      }
      case 'needs':
        if (decision.freshCatalogue) await api.catalogue.fresh();
        catalogueIsFresh ||= decision.freshCatalogue;
        await findFacts(api, account, decision.facts, facts);
    }
  }
  throw new Error(`${command.type} is not decided after ${ASKED_MAX} questions`);
}

async function findFacts(
  { runner }: Api,
  account: string,
  asked: readonly string[],
  facts: Map<string, Stored<WalletEvent> | null>,
): Promise<void> {
  if (asked.length === 0) return;
  const found = await runner.find<WalletEvent>(walletStream(account), asked);
  for (const key of asked) facts.set(key, found.get(key) ?? null);
}
