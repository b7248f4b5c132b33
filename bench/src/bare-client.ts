/** The yardstick on EventStoreDB: its own client appends the ledger's own latest events as JSON, 64 appends in flight. */
import { randomUUID } from 'node:crypto';
import { EventStoreDBClient, type JSONType, jsonEvent, NO_STREAM } from '@eventstore/db-client';
import type { BareReport } from './bare-insert.ts';
import { serveJobs } from './children.ts';
import { accountOf } from './requests.ts';

export interface BareClientJob {
  readonly esdbUrl: string;
  /** The ledger's streams start with it. */
  readonly namespace: string;
  /** Of the streams that are written to: a new one for each job. */
  readonly prefix: string;
  readonly streams: number;
  readonly inFlight: number;
  readonly eventsPerAppend: number;
  readonly seconds: number;
}

interface Template {
  readonly type: string;
  readonly data: JSONType;
  readonly metadata: JSONType;
}

let connected: { readonly url: string; readonly client: EventStoreDBClient } | null = null;

serveJobs(async (job: BareClientJob): Promise<BareReport> => {
  if (connected === null || connected.url !== job.esdbUrl) {
    connected = { url: job.esdbUrl, client: EventStoreDBClient.connectionString(job.esdbUrl) };
  }
  const { client } = connected;
  const templates = await latestCharges(client, job.namespace);
  // Before the client's shared append stream is open, pipelined appends overtake each other.
  await client.appendToStream(`${job.prefix}-first`, [eventFrom(templates, 0)], {
    expectedRevision: NO_STREAM,
  });
  const began = performance.now();
  const stopAt = began + job.seconds * 1_000;
  const worked = await Promise.all(
    Array.from({ length: job.inFlight }, (_, worker) => appendUntil(client, job, templates, worker, stopAt)),
  );
  const items = worked.reduce((sum, count) => sum + count, 0);
  return { items, seconds: (performance.now() - began) / 1_000 };
});

/** Each worker has streams of its own: one append in flight per stream, at the expected revision. */
async function appendUntil(
  client: EventStoreDBClient,
  { prefix, streams, inFlight, eventsPerAppend }: BareClientJob,
  templates: readonly Template[],
  worker: number,
  stopAt: number,
): Promise<number> {
  const own = Math.max(1, Math.floor(streams / inFlight));
  const heads = Array.from({ length: own }, () => -1);
  let items = 0;
  for (let turn = 0; performance.now() < stopAt; turn += 1) {
    const at = turn % own;
    const head = heads[at] ?? -1;
    const events = Array.from({ length: eventsPerAppend }, (_, index) => eventFrom(templates, items + index));
    await client.appendToStream(`${prefix}-${worker}-${at}`, events, {
      expectedRevision: head < 0 ? NO_STREAM : BigInt(head),
    });
    heads[at] = head + eventsPerAppend;
    items += eventsPerAppend;
  }
  return items;
}

function eventFrom(templates: readonly Template[], index: number) {
  const template = templates[index % templates.length];
  if (template === undefined) throw new Error('no charges to copy');
  return jsonEvent({ id: randomUUID(), ...template });
}

/** Wallets that are asked for charges to copy, and how many each. */
const WALLETS_COPIED = 16;
const CHARGES_COPIED = 64;

async function latestCharges(client: EventStoreDBClient, namespace: string): Promise<Template[]> {
  const templates: Template[] = [];
  for (let wallet = 0; wallet < WALLETS_COPIED; wallet += 1) {
    const latest = client.readStream(`${namespace}.wallet-${accountOf(wallet)}`, {
      direction: 'backwards',
      fromRevision: 'end',
      maxCount: CHARGES_COPIED,
    });
    for await (const { event } of latest) {
      if (event?.type !== 'UsageCharged') continue;
      templates.push({
        type: event.type,
        data: event.data as JSONType,
        metadata: event.metadata as JSONType,
      });
    }
  }
  return templates;
}
