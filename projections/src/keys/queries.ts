/** Key look-ups against the index. */
import type { KeyIndex, KeyLookup } from '@tallystick/event-store';
import type { Pool } from 'pg';
import { gathered } from '../gathered.ts';
import { quoted } from '../schema.ts';

interface Asked {
  readonly stream: string;
  readonly keys: readonly string[];
}
interface Row {
  readonly at: number;
  readonly covered: string | null;
  readonly key: string | null;
  readonly revision: string | null;
}

/** Each key is a look into an index: a larger query keeps others waiting for longer than it saves. */
const TOGETHER_MAX = 1_000;

/** A KeyIndex on the projector's table; for stores that do not enforce keys themselves. */
export function createKeyIndex(pool: Pool, schema: string): KeyIndex {
  const ask = gathered<Asked, KeyLookup>(TOGETHER_MAX, (asked) => answer(pool, quoted(schema), asked));
  return { lookup: (stream, keys) => ask({ stream, keys }) };
}

async function answer(pool: Pool, schema: string, asked: readonly Asked[]): Promise<readonly KeyLookup[]> {
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
  // Without a name: a plan that was made while the tables were empty would stay when they are not (speed.md, 1).
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
  return found;
}
