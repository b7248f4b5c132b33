/** What the rows of accounts, freezes, profiles and API keys should be: the last word of rare events. */
import type { AuditedEvent } from '../event.ts';
import { type Cell, creditTextCell, textCell, timeCell } from './cells.ts';
import type { TermsText } from './terms.ts';

export class Directory {
  readonly #accounts = new Map<string, { terms: TermsText; createdAt: string }>();
  readonly #freezes = new Map<string, Cell[]>();
  readonly #profiles = new Map<string, Cell[]>();
  readonly #keys = new Map<string, { cells: Cell[]; revokedAt: Cell }>();

  add({ type, data, facts, recordedAt }: AuditedEvent, id: string): void {
    switch (type) {
      case 'AccountOpened':
        this.#accounts.set(id, { terms: data as TermsText, createdAt: recordedAt });
        return;
      case 'AccountChanged': {
        const account = this.#accounts.get(id);
        if (account !== undefined) account.terms = { ...account.terms, ...(data as TermsText) };
        return;
      }
      case 'AccountFrozen':
      case 'AccountUnfrozen': {
        const { reference, reason } = data as { reference: string; reason?: string };
        const row = `${id} ${reference}`;
        if (type === 'AccountUnfrozen') this.#freezes.delete(row);
        else this.#freezes.set(row, [id, reference, textCell(reason), timeCell(recordedAt)]);
        return;
      }
      case 'ProfileSet': {
        const metadata = facts.metadata ?? null;
        this.#profiles.set(id, [
          id,
          textCell(data.name),
          metadata === null ? null : JSON.stringify(metadata),
        ]);
        return;
      }
      case 'ApiKeyCreated': {
        const scopes = JSON.stringify(data.scopes);
        const cells = [id, textCell(data.name), scopes, textCell(data.account), timeCell(recordedAt)];
        this.#keys.set(id, { cells, revokedAt: null });
        return;
      }
      case 'ApiKeyRevoked': {
        const key = this.#keys.get(id);
        if (key !== undefined) key.revokedAt = timeCell(recordedAt);
        return;
      }
      default:
    }
  }

  *accountRows(): Iterable<Cell[]> {
    for (const [id, { terms, createdAt }] of this.#accounts) {
      const limit = creditTextCell(terms.overdraft_limit ?? '0');
      const { price_book, time_zone, currency } = terms;
      yield [id, textCell(price_book), limit, textCell(time_zone), textCell(currency), timeCell(createdAt)];
    }
  }

  freezeRows = (): Iterable<Cell[]> => this.#freezes.values();
  profileRows = (): Iterable<Cell[]> => this.#profiles.values();

  *keyRows(): Iterable<Cell[]> {
    for (const { cells, revokedAt } of this.#keys.values()) yield [...cells, revokedAt];
  }
}
