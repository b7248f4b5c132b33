/** An account's two streams, wallet and profile, as the runner has them: for answers to commands, which wait for no read model. */
import {
  canonical,
  formatCredits,
  keys,
  type ProfileSet,
  profileDecider,
  type SetProfile,
  walletDecider,
  walletStream,
} from '@tallystick/domain';
import { decodeEvent } from '@tallystick/event-store';
import type { FastifyRequest } from 'fastify';
import type { Api } from './api.ts';
import { order } from './orders.ts';
import { refuse } from './problems.ts';

interface Profile {
  readonly name: string | null;
  readonly metadata: object | null;
}

export async function setProfile(
  api: Api,
  request: FastifyRequest,
  account: string,
  profile: Partial<Profile & { readonly email: string | null }>,
): Promise<void> {
  // A command that can change nothing would still cost a look at the stream's head.
  if (Object.keys(profile).length === 0) return;
  const command: SetProfile = { type: 'SetProfile', key: null, fingerprint: null, ...profile };
  const done = await order(api, request, profileDecider, account, command);
  if (done.status === 'recorded') api.acknowledged.note(account, { position: done.position });
}

/** The account had been opened before: with this profile, or up to a crash just before it. Else 409. */
export async function settleProfile(
  api: Api,
  request: FastifyRequest,
  account: string,
  profile: Profile,
): Promise<void> {
  if (profile.name === null && profile.metadata === null) return;
  const [first] = await api.store.readStream(`profile-${account}`, { from: 0, limit: 1 });
  if (first === undefined) return setProfile(api, request, account, profile);
  const { data, facts } = decodeEvent<ProfileSet>(first);
  const same = data.name === profile.name && canonical(facts.metadata) === canonical(profile.metadata);
  if (!same) refuse('account_exists');
}

/** The account exists: a command to it has just been decided. */
export async function accountNow({ runner }: Api, id: string) {
  const [{ state: wallet }, { state: profile }, opened] = await Promise.all([
    runner.peek(walletDecider, id),
    runner.peek(profileDecider, id),
    runner.find(walletStream(id), [keys.open]),
  ]);
  return {
    id,
    name: profile.name,
    status: wallet.frozen.size > 0 ? ('frozen' as const) : ('active' as const),
    price_book: wallet.priceBook,
    overdraft_limit: formatCredits(wallet.overdraftLimit),
    time_zone: wallet.timeZone,
    currency: wallet.currency,
    metadata: profile.metadata,
    freezes: [...wallet.frozen].map(([reference, reason]) => ({ reason, reference })),
    created_at: new Date(opened.get(keys.open)?.recordedAt ?? 0).toISOString(),
  };
}
