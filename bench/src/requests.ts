/** What the generator sends: whole requests as text. Every usage has an id of its own; tokens and wallets vary. */

export const MODEL = 'gpt-4o';
export const IDLE_ACCOUNT = 'bench-idle';

/** What a call costs us, and 35 % on top; a credit is worth a hundredth of a cent. */
export const PRICE_BOOK = {
  effective_from: '2023-01-01T00:00:00Z',
  credit_value: { amount: '0.0001', currency: 'USD' },
  models: {
    [MODEL]: {
      supplier: 'openai',
      prices: {
        input_tokens: { cost: { amount: '2.50', currency: 'USD' }, per: 1_000_000, markup: '0.35' },
        output_tokens: { cost: { amount: '10.00', currency: 'USD' }, per: 1_000_000, markup: '0.35' },
      },
    },
  },
} as const;

export type Kind = 'charge' | 'array' | 'authorize' | 'hold' | 'balance';

export interface Sending {
  readonly kind: Kind;
  readonly key: string;
  /** Usage ids start with it: no two runs may share one. */
  readonly prefix: string;
  /** How many wallets take turns. */
  readonly wallets: number;
  /** The first of them; 0 where left out. */
  readonly firstWallet?: number;
  /** Items of one array; they are spread over `walletsPerArray` wallets. */
  readonly items: number;
  readonly walletsPerArray: number;
}

export const accountOf = (index: number): string => `bench-${String(index).padStart(4, '0')}`;

/** Makes the next request, each time it is called. */
export function requestsOf(sending: Sending): () => string {
  const { kind, key, prefix, wallets, firstWallet = 0, items, walletsPerArray } = sending;
  const accounts = Array.from({ length: wallets }, (_, index) => accountOf(firstWallet + index));
  const posting = (path: string) =>
    `POST ${path} HTTP/1.1\r\nhost: 127.0.0.1\r\nauthorization: Bearer ${key}\r\ncontent-type: application/json\r\ncontent-length: `;
  const toUsage = posting('/v1/usage');
  const toAuthorize = posting('/v1/authorize');
  const reading = ` HTTP/1.1\r\nhost: 127.0.0.1\r\nauthorization: Bearer ${key}\r\n\r\n`;
  let sent = 0;
  // Coprime to the number of wallets that is used: neighbours in time are not neighbours in the index.
  const walletAt = (turn: number): string => accounts[(turn * 7) % wallets] ?? '';
  const usage = (turn: number): string =>
    `{"input_tokens":${200 + ((turn * 7919) % 4000)},"output_tokens":${10 + ((turn * 104_729) % 600)}}`;
  const item = (turn: number, account: string): string =>
    `{"id":"${prefix}-${turn}","account":"${account}","model":"${MODEL}","usage":${usage(turn)}}`;
  const withBody = (head: string, body: string): string => `${head}${body.length}\r\n\r\n${body}`;

  switch (kind) {
    case 'charge':
      return () => withBody(toUsage, item(sent, walletAt(sent++)));
    case 'authorize':
      return () =>
        withBody(
          toAuthorize,
          `{"account":"${walletAt(sent)}","model":"${MODEL}","estimate":${usage(sent++)}}`,
        );
    case 'hold':
      return () =>
        withBody(
          toAuthorize,
          `{"account":"${walletAt(sent)}","model":"${MODEL}","estimate":${usage(sent)},"hold":{"id":"${prefix}-${sent++}","expires_in":3600}}`,
        );
    case 'balance':
      return () => `GET /v1/accounts/${walletAt(sent++)}/balance${reading}`;
    case 'array': {
      let arrays = 0;
      return () => {
        const first = arrays++ * walletsPerArray;
        const texts = Array.from({ length: items }, (_, index) =>
          item(sent++, accounts[(first + (index % walletsPerArray)) % wallets] ?? ''),
        );
        return withBody(toUsage, `[${texts.join()}]`);
      };
    }
  }
}
