/**
 * Receipts and seals (rule 15): what a customer needs to hold the ledger to what it has said. Of others they show
 * digests only, and nothing in a currency (P8).
 */
import { type LaterSeal, makeReceipt, type Receipt, SEALS, sealsOf, verifyReceipt } from '@tallystick/audit';
import { parseEntryId, walletStream } from '@tallystick/domain';
import type { RecordedEvent } from '@tallystick/event-store';
import { type Covering, findSeal, listSeals, readSealLinks } from '@tallystick/projections';
import { Type } from 'typebox';
import type { Api, App } from '../api.ts';
import type { Principal } from '../auth.ts';
import { invalid, Refused, refuse } from '../problems.ts';
import { reading } from '../reads.ts';
import { closed, MinPosition, PageQuery, pageOf, shown } from '../schemas.ts';

const Hex = Type.String({ description: 'SHA-256, 64 hexadecimal digits.' });
const Path = Type.Array(Hex, { description: 'Neighbours in the Merkle tree, from the leaf up.' });
const Link = {
  data: Type.String({ description: 'JSON text, to the byte as it is stored.' }),
  internal: Hex,
  previous_hash: Hex,
  hash: Hex,
};
/** Links in one answer: more than a day of seals, one a minute. */
const LATER_MAX = 2_000;
const SealNumber = (description: string) =>
  Type.Optional(Type.Integer({ minimum: 1, maximum: 999_999_999_999_999, description }));

const ReceiptAnswer = Type.Object({
  version: Type.Literal(1),
  entry_id: Type.String(),
  event: Type.Object({ type: Type.String(), ...Link }),
  range: Type.Object({ from: Type.Integer(), to: Type.Integer(), path: Path }),
  seal: Type.Object({ number: Type.Integer(), ...Link, index: Type.Integer(), path: Path }),
  later: Type.Optional(
    Type.Array(Type.Object({ data: Link.data, internal: Hex }), {
      description: 'Where `seal` asked for them: the seals after its own, in order, up to that one.',
    }),
  ),
});
const SealAnswer = Type.Object({
  number: Type.Integer(),
  root: Hex,
  hash: Type.String({
    description: 'What to keep, with the number: it stands for every seal before it too.',
  }),
  events: Type.Integer(),
  recorded_at: Type.String(),
  data: Link.data,
  internal: Hex,
  previous_hash: Hex,
});

export function receiptsRoutes(app: App, api: Api): void {
  const config = { access: { scopes: ['read'], ownAccount: 'checked' } } as const;
  const tags = ['receipts'];

  app.get(
    '/v1/receipts/:entry_id',
    {
      config,
      schema: {
        tags,
        summary: 'Read the receipt of an entry',
        params: closed({ entry_id: Type.String({ maxLength: 200 }) }),
        querystring: closed({
          ...MinPosition,
          seal: SealNumber('The receipt leads on to this later seal, 2,000 after its own at most.'),
        }),
        response: shown(ReceiptAnswer),
      },
    },
    async ({ principal, params, query: { min_position: minPosition, seal } }) => {
      const entry = parseEntryId(params.entry_id);
      assertOwn(principal, entry?.stream);
      if (!entry?.stream.startsWith(walletStream(''))) return refuse('entry_not_found');
      const covering = await reading(api, { minPosition }, () =>
        findSeal(api.reads.queries, entry.stream, entry.revision),
      );
      if (covering === null) return refuseUnsealed(api, entry);
      const receipt = await readReceipt(api, entry, covering);
      // Only now: what an event that was changed since says of itself proves nothing.
      if (!isEntry(receipt.event.data)) refuse('entry_not_found');
      return seal === undefined ? receipt : await withLater(api, receipt, seal);
    },
  );

  app.get(
    '/v1/seals',
    {
      config,
      schema: {
        tags,
        summary: 'List the seals, newest first',
        querystring: closed({
          ...PageQuery,
          ...MinPosition,
          from: SealNumber('Lists them the other way: oldest first, from this number on.'),
        }),
        response: shown(pageOf(SealAnswer)),
      },
    },
    async ({ query: { cursor, page_size: pageSize, min_position: minPosition, from } }) => {
      const query = { cursor, pageSize, from };
      return await reading(api, { minPosition }, () => listSeals(api.reads.queries, query));
    },
  );
}

/** The same answer whether the other entry exists or not. */
function assertOwn({ account }: Principal, stream: string | undefined): void {
  if (account !== null && stream !== walletStream(account)) refuse('forbidden');
}

interface Entry {
  readonly stream: string;
  readonly revision: number;
}

async function refuseUnsealed(api: Api, { stream, revision }: Entry): Promise<never> {
  const [event] = await api.store.readStream(stream, { from: revision, limit: 1 });
  if (event === undefined || !isEntry(event.data)) return refuse('entry_not_found');
  return refuse('not_sealed_yet', { due_at: dueAt(api, event) });
}

/** Other events have no receipt. */
const isEntry = (data: string): boolean => (JSON.parse(data) as { entry?: unknown }).entry !== undefined;

/** When the entry will have been sealed, if all goes well; null where nothing is sealed. */
function dueAt({ sealSeconds }: Api, { data }: RecordedEvent): string | null {
  const { recorded_at } = JSON.parse(data) as { recorded_at: string };
  return sealSeconds === 0 ? null : new Date(Date.parse(recorded_at) + sealSeconds * 1_000).toISOString();
}

/** A receipt that does not prove itself is never handed out: events have been changed since they were sealed. */
async function readReceipt({ store }: Api, entry: Entry, { seal, from, to }: Covering): Promise<Receipt> {
  const [events, seals] = await Promise.all([
    readWithBefore(store, entry.stream, from, to),
    readWithBefore(store, SEALS, seal - 1, seal - 1),
  ]);
  const [sealed] = seals.events;
  if (sealed === undefined) throw new Error(`seal ${seal} cannot be read`);
  const receipt = makeReceipt({ ...entry, ...events, seal: sealed, sealBefore: seals.before });
  return assertHolds(receipt, receipt.seal.hash);
}

/** @param hash of the last seal that it leads to */
function assertHolds(receipt: Receipt, hash: string): Receipt {
  const last = sealsOf(receipt).at(-1);
  const mismatch =
    verifyReceipt(receipt) ??
    (last?.hash === hash ? null : { what: 'the hash of the last seal', expected: last?.hash, found: hash });
  if (mismatch === null) return receipt;
  const { what, expected, found } = mismatch;
  throw new Error(
    `${receipt.entry_id} is not as it was sealed: ${what} should be ${expected}, and is ${found}`,
  );
}

/** The seals from the receipt's own to one that the caller has kept, or will keep. */
async function withLater({ reads }: Api, receipt: Receipt, to: number): Promise<Receipt> {
  const own = receipt.seal.number;
  if (to < own) refuseSeal(`must be ${own} or more: the entry is in seal ${own}`);
  const most = own + LATER_MAX;
  if (to > most)
    refuseSeal(
      `must be ${most} at most: a receipt leads ${LATER_MAX} seals beyond its own (${own}). Ask for ${most}, and append ` +
        `to its \`later\` what GET /v1/seals?from=${most + 1} lists (\`data\` and \`internal\`), as far as you need`,
    );
  const links = await readSealLinks(reads.queries, { after: own, to });
  const last = links.at(-1) ?? receipt.seal;
  if (last.number < to) refuseSeal(`must be ${last.number} at most: there is no later seal yet`);
  const later = links.map(({ data, internal }): LaterSeal => ({ data, internal }));
  return assertHolds({ ...receipt, later }, last.hash);
}

function refuseSeal(rule: string): never {
  throw new Refused(invalid([{ field: 'seal', rule }]));
}

async function readWithBefore(
  store: Api['store'],
  stream: string,
  from: number,
  to: number,
): Promise<{ events: readonly RecordedEvent[]; before: RecordedEvent | null }> {
  const first = Math.max(0, from - 1);
  const events = await store.readStream(stream, { from: first, limit: to - first + 1 });
  return first === from ? { events, before: null } : { events: events.slice(1), before: events[0] ?? null };
}
