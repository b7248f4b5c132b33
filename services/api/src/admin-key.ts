/** The first key: without it nobody could make one. Two first starts make one key: its stream must not exist yet. */
import { type ApiKeyCommand, apiKeyDecider, type Catalogues } from '@tallystick/domain';
import type { Runner } from '@tallystick/event-store';
import { derivedId, digest, newApiKey } from './auth.ts';

const ADMIN_ID = 'admin';
const PATIENCE_MS = 30_000;

/**
 * Makes the admin key at the first start, or makes `given` (LEDGER_ADMIN_KEY) valid.
 * @returns the key, to be printed once; null where there is one already, or where it was given
 */
export async function ensureAdminKey(
  runner: Runner<Catalogues>,
  given: string | null,
  now: () => number = Date.now,
): Promise<string | null> {
  if (given !== null) {
    await create(runner, derivedId(given), 'LEDGER_ADMIN_KEY', digest(given), now);
    return null;
  }
  const { key, sha256 } = newApiKey(ADMIN_ID);
  return (await create(runner, ADMIN_ID, 'admin', sha256, now)) ? key : null;
}

/** @returns whether it was made by this call */
async function create(
  runner: Runner<Catalogues>,
  id: string,
  name: string,
  sha256: string,
  now: () => number,
): Promise<boolean> {
  const terms = { id, name, scopes: ['admin'] as const, account: null };
  const command: ApiKeyCommand = { type: 'CreateApiKey', key: null, fingerprint: null, terms, sha256 };
  const order = { id, command, cause: { actor: 'first-start', request: '' } };
  const executed = await runner.execute(apiKeyDecider, [order], now() + PATIENCE_MS);
  const [outcome] = executed === 'queue_full' ? [] : executed;
  if (outcome?.status === 'recorded') return true;
  if (outcome?.status === 'refused' && outcome.refusal.code === 'api_key_exists') return false;
  const why = outcome?.status === 'unavailable' ? outcome.reason : (outcome?.status ?? 'queue_full');
  throw new Error(`the admin key could not be made: ${why}`);
}
