/**
 * The yardstick of arrays: `insert … select from unnest` of the ledger's own latest events into a copy of its events
 * table, indexes and all; in the same PostgreSQL, on one connection, with the driver's own array parameters.
 */
import { randomUUID } from 'node:crypto';
import pg from 'pg';
import { serveJobs } from './children.ts';

export interface BareInsertJob {
  readonly postgresUrl: string;
  /** Where the ledger's own events are. */
  readonly schema: string;
  readonly rows: number;
  readonly seconds: number;
}

export interface BareReport {
  readonly items: number;
  readonly seconds: number;
}

interface Template {
  readonly stream: string;
  readonly type: string;
  readonly data: string;
  readonly meta: string;
}

const COPY = 'bench_yardstick';

serveJobs(async (job: BareInsertJob): Promise<BareReport> => {
  const client = new pg.Client({ connectionString: job.postgresUrl });
  await client.connect();
  try {
    return await insertFor(client, job);
  } finally {
    await client.end();
  }
});

async function insertFor(client: pg.Client, { schema, rows, seconds }: BareInsertJob): Promise<BareReport> {
  await client.query(`create schema if not exists ${COPY}`);
  await client.query(`create table if not exists ${COPY}.events (like ${schema}.events including all)`);
  const { rows: templates } = await client.query<Template>(
    `select stream, type, data, meta from ${schema}.events where type = 'UsageCharged' order by position desc limit $1`,
    [rows],
  );
  if (templates.length < rows) throw new Error(`only ${templates.length} charges to copy`);
  const { rows: last } = await client.query<{ position: string }>(
    `select coalesce(max(position), 0) as position from ${COPY}.events`,
  );
  let position = Number(last[0]?.position ?? 0);
  const streams = templates.map(({ stream }) => stream);
  const types = templates.map(({ type }) => type);
  const data = templates.map(({ data }) => data);
  const meta = templates.map(({ meta }) => meta);
  const began = performance.now();
  const stopAt = began + seconds * 1_000;
  let items = 0;
  while (performance.now() < stopAt) {
    const numbers = templates.map(() => ++position);
    await client.query({
      name: 'insert',
      text: `insert into ${COPY}.events (position, stream, revision, id, type, key, data, meta)
        select * from unnest($1::bigint[], $2::text[], $3::bigint[], $4::uuid[], $5::text[], $6::text[], $7::text[], $8::text[])`,
      // A position is a good revision too: it grows within each stream, and is unique.
      values: [
        numbers,
        streams,
        numbers,
        numbers.map(() => randomUUID()),
        types,
        numbers.map((n) => `usage:bench-${n}`),
        data,
        meta,
      ],
    });
    items += rows;
  }
  return { items, seconds: (performance.now() - began) / 1_000 };
}
