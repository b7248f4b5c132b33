/** A real ledger on a port, with prices and an account that has credits; and a client of it, through a `Between`. */
import { startTestLedger, type TestLedger } from '../../../../services/api/src/testing/ledger.ts';
import { type Client, type ClientOptions, createClient } from '../client.ts';
import { type Between, startBetween } from './between.ts';

export interface Served {
  readonly ledger: TestLedger;
  readonly url: string;
  readonly key: string;
  readonly between: Between;
  /** Its requests go through `between`. */
  client(options?: Partial<ClientOptions>): Client;
  stop(): Promise<void>;
}

/** A credit for each token that goes in. */
export const MODEL = 'gpt-4o';
export const ACCOUNT = 'acme';
/** What the account has at first. */
export const CREDITS = 1_000;

export async function startServed(): Promise<Served> {
  const ledger = await startTestLedger();
  const url = await ledger.app.listen({ host: '127.0.0.1', port: 0 });
  const between = await startBetween(url);
  const client = (options: Partial<ClientOptions> = {}): Client =>
    createClient({ url: between.url, key: ledger.adminKey, ...options });
  const { accounts, credits, priceBooks } = client();
  await priceBooks.publish('default', {
    models: { [MODEL]: { prices: { input_tokens: { credits: '1', per: 1 } } } },
  });
  await accounts.open({ id: ACCOUNT });
  await credits.topUp(ACCOUNT, { credits: String(CREDITS), source: 'test', reference: 'first' });
  between.requests.length = 0;
  return {
    ledger,
    url,
    key: ledger.adminKey,
    between,
    client,
    async stop() {
      await between.stop();
      await ledger.stop();
    },
  };
}
