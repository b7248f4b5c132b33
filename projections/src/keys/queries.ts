/** Key look-ups against the index. Look-ups asked for in the same tick travel in one query. */
import type { KeyIndex, KeyLookup } from '@tallystick/event-store';
import type { Pool } from 'pg';
import { quoted } from '../schema.ts';

interface Asked {
  readonly stream: string;
  readonly keys: readonly string[];
  readonly resolve: (lookup: KeyLookup) => void;
  readonly reject: (error: unknown) => void;
}
interface Row {
  readonly at: number;
  readonly covered: string | null;
  readonly key: string | null;
  readonly revision: string | null;
}

/** A KeyIndex on the projector's table; for stores that do not enforce keys themselves. */
export function createKeyIndex(pool: Pool, schema: string): KeyIndex {
  let waiting: Asked[] = [];

  function lookup(stream: string, keys: readonly string[]): Promise<KeyLookup> {
    return new Promise((resolve, reject) => {
      waiting.push({ stream, keys, resolve, reject });
      if (waiting.length === 1) setImmediate(flush);
    });
  }

  function flush(): void {
    const asked = waiting;
    waiting = [];
    answer(pool, quoted(schema), asked).catch((error: unknown) => {
      for (const { reject } of asked) reject(error);
    });
  }

  return { lookup };
}

async function answer(pool: Pool, schema: string, asked: readonly Asked[]): Promise<void> {
  const at: number[] = [];
  const streams: string[] = [];
  const keys: (string | null)[] = [];
  asked.forEach((one, index) => {
    // One row without a key brings the coverage even where no key is found.
    for (const key of [null, ...one.keys]) {
      at.push(index);
      streams.push(one.stream);
      keys.push(key);
    }
  });
  // One statement, so hits and coverage are of one snapshot: that is what rule 3 rests on.
  const { rows } = await pool.query<Row>(
    `select a.at, c.revision as covered, k.key, k.revision
     from unnest($1::int[], $2::text[], $3::text[]) as a(at, stream, key)
     left join ${schema}.key_coverage c on a.key is null and c.stream = a.stream
     left join ${schema}.stream_keys k on k.stream = a.stream and k.key = a.key
     where a.key is null or k.key is not null`,
    [at, streams, keys],
  );
  const found = asked.map(() => ({ hits: new Map<string, number>(), coveredTo: -1 }));
  for (const row of rows) {
    const one = found[row.at];
    if (one === undefined) continue;
    if (row.key === null) one.coveredTo = row.covered === null ? -1 : Number(row.covered);
    else one.hits.set(row.key, Number(row.revision));
  }
  asked.forEach(({ resolve }, index) => {
    resolve(found[index] ?? { hits: new Map(), coveredTo: -1 });
  });
}
