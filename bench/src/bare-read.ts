/** The yardstick of the audit: every event read, page by page, by nothing but the driver. */
import type { BareReport } from './bare-insert.ts';
import { type Ledger, onPostgres } from './ledger.ts';

const PAGE = 4_000;

export function bareRead(ledger: Ledger): Promise<BareReport> {
  return onPostgres(ledger, async (client) => {
    const began = performance.now();
    let items = 0;
    for (let after = '0'; ; ) {
      const { rows } = await client.query<string[]>({
        name: 'page',
        text: `select position, stream, revision, id, type, key, data, meta from ${ledger.namespace}_events.events
          where position > $1 order by position limit ${PAGE}`,
        values: [after],
        rowMode: 'array',
      });
      items += rows.length;
      const last = rows.at(-1)?.[0];
      if (last === undefined) return { items, seconds: (performance.now() - began) / 1_000 };
      after = last;
    }
  });
}
