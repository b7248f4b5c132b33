import fc from 'fast-check';
import pg from 'pg';
import { test } from 'tap';
import { int4Array, int8Array, textArray, uuidArray } from './binary-array.ts';
import { startPostgres } from './testing/postgres.ts';

test('Postgres reads every array as the values it was made of', async (t) => {
  const postgres = await startPostgres();
  t.teardown(() => postgres.stop());
  const client = new pg.Client({ connectionString: postgres.url });
  await client.connect();
  t.teardown(() => client.end());

  const text = fc.option(fc.string({ unit: 'binary' }).filter((s) => s.isWellFormed() && !s.includes('\0')));
  const safe = fc.maxSafeInteger();
  await fc.assert(
    fc.asyncProperty(
      fc.array(text),
      fc.array(fc.uuid()),
      fc.array(fc.integer()),
      fc.array(safe),
      async (texts, uuids, ints, bigints) => {
        const { rows } = await client.query({
          text: 'select $1::text[] t, $2::uuid[] u, $3::int[] i, $4::bigint[]::text[] b',
          values: [textArray(texts), uuidArray(uuids), int4Array(ints), int8Array(bigints)],
        });
        t.same(rows[0], {
          t: texts,
          u: uuids,
          i: ints,
          b: bigints.map(String),
        });
      },
    ),
    {
      examples: [
        [[], [], [], []],
        [[null, '', '流🧾'], ['00000000-0000-0000-0000-000000000000'], [-1, 2 ** 31 - 1, -(2 ** 31)], []],
        [[], [], [], [-1, 0, -(2 ** 32), 2 ** 32, 2 ** 32 - 1, -(2 ** 32) - 1, 2 ** 53 - 1, -(2 ** 53) + 1]],
      ],
    },
  );
});
