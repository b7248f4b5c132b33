/**
 * Receipts and seals (rule 15): what a customer needs to hold the ledger to what it has said. Of others they show
 * digests only, and nothing in a currency (P8).
 */
import { makeReceipt, type Receipt, SEALS, verifyReceipt } from '@tallystick/audit';
import { entryId, parseEntryId, walletStream } from '@tallystick/domain';
import type { RecordedEvent } from '@tallystick/event-store';
import { type Covering, findSeal, listSeals } from '@tallystick/projections';
import { Type } from 'typebox';
import type { Api, App } from '../api.ts';
import type { Principal } from '../auth.ts';
import { refuse } from '../problems.ts';
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
const ReceiptAnswer = Type.Object({
  version: Type.Literal(1),
  entry_id: Type.String(),
  event: Type.Object({ type: Type.String(), ...Link }),
  range: Type.Object({ from: Type.Integer(), to: Type.Integer(), path: Path }),
  seal: Type.Object({ number: Type.Integer(), ...Link, index: Type.Integer(), path: Path }),
});
const SealAnswer = Type.Object({
  number: Type.Integer(),
  root: Hex,
  hash: Type.String({ description: 'What to keep: it stands for everything up to this seal.' }),
  events: Type.Integer(),
  recorded_at: Type.String(),
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
        querystring: closed(MinPosition),
        response: shown(ReceiptAnswer),
      },
    },
    async ({ principal, params, query: { min_position: minPosition } }) => {
      const entry = parseEntryId(params.entry_id);
      assertOwn(principal, entry?.stream);
      if (entry === undefined) return refuse('entry_not_found');
      const event = await readEntry(api, entry);
      const covering = await reading(api, { minPosition }, () =>
        findSeal(api.reads.queries, entry.stream, entry.revision),
      );
      if (covering === null) return refuse('not_sealed_yet', { due_at: dueAt(api, event) });
      return await readReceipt(api, entry, covering);
    },
  );

  app.get(
    '/v1/seals',
    {
      config,
      schema: {
        tags,
        summary: 'List the seals, newest first',
        querystring: closed({ ...PageQuery, ...MinPosition }),
        response: shown(pageOf(SealAnswer)),
      },
    },
    async ({ query: { cursor, page_size: pageSize, min_position: minPosition } }) => {
      return await reading(api, { minPosition }, () => listSeals(api.reads.queries, { cursor, pageSize }));
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

/** An event of a wallet that carries an entry; others have no receipt. */
async function readEntry({ store }: Api, { stream, revision }: Entry): Promise<RecordedEvent> {
  if (!stream.startsWith(walletStream(''))) return refuse('entry_not_found');
  const [event] = await store.readStream(stream, { from: revision, limit: 1 });
  const { entry } = JSON.parse(event?.data ?? '{}') as { entry?: unknown };
  return event === undefined || entry === undefined ? refuse('entry_not_found') : event;
}

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
  const mismatch = verifyReceipt(receipt);
  if (mismatch === null) return receipt;
  const { what, expected, found: said } = mismatch;
  const id = entryId(entry.stream, entry.revision);
  throw new Error(`${id} is not as it was sealed: ${what} should be ${expected}, and is ${said}`);
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
