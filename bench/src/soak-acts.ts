/**
 * What the soak sends: acts of one or more requests, each with the status that it must be answered with. A mix as a
 * gateway makes it: calls one by one and in arrays, holds that are settled or void, advice, reads, calls sent twice,
 * mistakes, and new customers all the time.
 */
import { accountOf, MODEL } from './requests.ts';

export interface Step {
  /** The whole text, head and body, in ASCII. */
  readonly request: string;
  readonly status: number;
  /** Its answer says what was charged, once or in `results`; a repeat says it again, so it does not count. */
  readonly counts: boolean;
}

export interface Acting {
  readonly key: string;
  /** Ids start with it: no two runs may share one. */
  readonly prefix: string;
  /** Prepared ones, with credits. */
  readonly wallets: number;
}

const ARRAY_ITEMS = 20;

type Kind = 'charge' | 'array' | 'settle' | 'void' | 'authorize' | 'balance' | 'repeat' | 'mistake' | 'open';

/** Of a hundred acts. */
const MIX: readonly (readonly [kind: Kind, share: number])[] = [
  ['charge', 56],
  ['array', 3],
  ['settle', 8],
  ['void', 4],
  ['authorize', 10],
  ['balance', 8],
  ['repeat', 4],
  ['mistake', 5],
  ['open', 2],
];
const KINDS = MIX.flatMap(([kind, share]) => Array.from({ length: share }, () => kind));

/** Makes the next act, each time it is called. */
export function actsOf({ key, prefix, wallets }: Acting): () => readonly Step[] {
  let turn = 0;
  const head = `host: 127.0.0.1\r\nauthorization: Bearer ${key}\r\n`;
  const get = (path: string, status = 200): Step => ({
    request: `GET ${path} HTTP/1.1\r\n${head}\r\n`,
    status,
    counts: false,
  });
  const post = (path: string, body: unknown, status: number, counts = false): Step => {
    const text = JSON.stringify(body);
    return {
      request: `POST ${path} HTTP/1.1\r\n${head}content-type: application/json\r\ncontent-length: ${text.length}\r\n\r\n${text}`,
      status,
      counts,
    };
  };
  return () => {
    turn += 1;
    // Coprime to a hundred: the kinds take turns, each at its share.
    const kind = KINDS[(turn * 37) % KINDS.length] ?? 'charge';
    const account = accountOf((turn * 7) % wallets);
    const id = `${prefix}-${turn}`;
    const tokens = {
      input_tokens: 200 + ((turn * 7_919) % 4_000),
      output_tokens: 10 + ((turn * 104_729) % 600),
    };
    const usage = (item: string, of = account) => ({ id: item, account: of, model: MODEL, usage: tokens });
    const hold = () =>
      post('/v1/authorize', { account, model: MODEL, estimate: tokens, hold: { id, expires_in: 600 } }, 200);
    switch (kind) {
      case 'charge':
        return [post('/v1/usage', usage(id), 201, true)];
      case 'array': {
        const items = Array.from({ length: ARRAY_ITEMS }, (_, n) =>
          usage(`${id}-${n}`, accountOf((turn + n) % wallets)),
        );
        return [post('/v1/usage', items, 200, true)];
      }
      case 'settle':
        return [hold(), post(`/v1/accounts/${account}/holds/${id}/settle`, { usage: tokens }, 201, true)];
      case 'void':
        return [hold(), post(`/v1/accounts/${account}/holds/${id}/void`, {}, 200)];
      case 'authorize':
        return [post('/v1/authorize', { account, model: MODEL, estimate: tokens }, 200)];
      case 'balance':
        return [get(`/v1/accounts/${account}/balance`)];
      case 'repeat':
        return [post('/v1/usage', usage(id), 201, true), post('/v1/usage', usage(id), 200)];
      case 'mistake':
        return [mistake(turn, id)];
      case 'open': {
        const opened = `soak-${id}`;
        const credits = { credits: '1000', source: 'soak', reference: 'first' };
        return [
          post('/v1/accounts', { id: opened }, 201),
          post(`/v1/accounts/${opened}/top-ups`, credits, 201),
          post('/v1/usage', usage(id, opened), 201, true),
        ];
      }
    }
  };

  function mistake(turn: number, id: string): Step {
    const good = { id, account: accountOf(0), model: MODEL, usage: { input_tokens: 1 } };
    switch (turn % 4) {
      case 0:
        return post('/v1/usage', { ...good, tokens: 1 }, 400);
      case 1:
        return post('/v1/usage', { ...good, account: 'nobody' }, 404);
      case 2:
        return post('/v1/usage', { ...good, usage: { input_tokens: -1 } }, 422);
      default:
        return get('/v1/nowhere', 404);
    }
  }
}
