/** Lists of one account. An empty one may mean that there is no such account, and a misspelt id must not read as "nothing". */
import { getAccount } from '@tallystick/projections';
import type { Api } from './api.ts';
import { refuse } from './problems.ts';
import { type ReadOf, reading } from './reads.ts';

interface Page {
  readonly data: readonly unknown[];
}

/** Ends the request with 404 where there is no such account. Asked only where the first page is empty. */
export function pageOfAccount<P extends Page>(
  api: Api,
  {
    account,
    cursor,
    minPosition,
  }: ReadOf & { readonly account: string; readonly cursor: string | undefined },
  query: () => Promise<P>,
): Promise<P> {
  return reading(api, { account, minPosition }, async () => {
    const page = await query();
    const unsure = page.data.length === 0 && cursor === undefined;
    if (unsure && (await getAccount(api.reads.queries, account)) === null)
      return refuse('account_not_found', { account });
    return page;
  });
}
