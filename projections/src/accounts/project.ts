/** Accounts with their terms, freezes and profile. Rare events, so each changed account is folded to one row. */
import { type AccountOpened, type AccountTerms, parseCredits } from '@tallystick/domain';
import type { ClientBase } from 'pg';
import type { Item } from '../item.ts';
import {
  type BatchContext,
  type Column,
  type Fold,
  insertRows,
  type ReadModel,
  unnest,
} from '../read-model.ts';
import { accountsDdl } from './table.ts';

interface Opened {
  readonly account: string;
  readonly terms: AccountOpened;
  readonly at: string;
}
interface Freeze {
  readonly account: string;
  readonly reference: string;
  /** Null: lifted. */
  readonly reason: string | null;
  readonly at: string;
}
interface Profile {
  readonly account: string;
  readonly name: string | null;
  readonly metadata: string | null;
}

export const accountsModel: ReadModel = {
  name: 'accounts',
  tables: ['accounts', 'freezes', 'profiles'],
  ddl: accountsDdl,
  fold: (batch) => new AccountsFold(batch),
};

class AccountsFold implements Fold {
  readonly #schema: string;
  readonly #opened: Opened[] = [];
  readonly #changed: { account: string; terms: Partial<AccountTerms> }[] = [];
  readonly #freezes = new Map<string, Freeze>();
  readonly #profiles = new Map<string, Profile>();

  constructor({ schema }: BatchContext) {
    this.#schema = schema;
  }

  add({ category, id, event, at }: Item): void {
    if (category !== 'wallet' && category !== 'profile') return;
    switch (event.type) {
      case 'AccountOpened':
        this.#opened.push({ account: id, terms: event.data as AccountOpened, at });
        return;
      case 'AccountChanged':
        this.#changed.push({ account: id, terms: event.data as Partial<AccountTerms> });
        return;
      case 'AccountFrozen': {
        const { reference, reason } = event.data as { reference: string; reason: string };
        this.#freezes.set(`${id} ${reference}`, { account: id, reference, reason, at });
        return;
      }
      case 'AccountUnfrozen': {
        const { reference } = event.data as { reference: string };
        this.#freezes.set(`${id} ${reference}`, { account: id, reference, reason: null, at });
        return;
      }
      case 'ProfileSet': {
        const { name } = event.data as { name?: string | null };
        const { metadata } = event.facts as { metadata?: object | null };
        this.#profiles.set(id, {
          account: id,
          name: name ?? null,
          metadata: metadata == null ? null : JSON.stringify(metadata),
        });
        return;
      }
      default:
    }
  }

  async write(client: ClientBase): Promise<void> {
    await insertRows(client, `${this.#schema}.accounts`, OPENED, this.#opened);
    for (const { account, terms } of this.#changed) await this.#change(client, account, terms);
    await this.#writeFreezes(client);
    await insertRows(
      client,
      `${this.#schema}.profiles`,
      PROFILE,
      [...this.#profiles.values()],
      'on conflict (account) do update set name = excluded.name, metadata = excluded.metadata',
    );
  }

  async #change(client: ClientBase, account: string, terms: Partial<AccountTerms>): Promise<void> {
    const limit = terms.overdraft_limit;
    await client.query(
      `update ${this.#schema}.accounts set
         price_book = case when $2 then $3 else price_book end,
         overdraft_limit = coalesce($4::bigint, overdraft_limit),
         time_zone = coalesce($5, time_zone),
         currency = case when $6 then $7 else currency end
       where account = $1`,
      [
        account,
        terms.price_book !== undefined,
        terms.price_book ?? null,
        limit === undefined ? null : parseCredits(limit).toString(),
        terms.time_zone ?? null,
        terms.currency !== undefined,
        terms.currency ?? null,
      ],
    );
  }

  async #writeFreezes(client: ClientBase): Promise<void> {
    const freezes = [...this.#freezes.values()];
    const lifted = freezes.filter(({ reason }) => reason === null);
    await insertRows(
      client,
      `${this.#schema}.freezes`,
      FREEZE,
      freezes.filter(({ reason }) => reason !== null),
      `on conflict (account, reference) do update set reason = excluded.reason, frozen_at = excluded.frozen_at`,
    );
    if (lifted.length === 0) return;
    const { from, values } = unnest('d', FREEZE.slice(0, 2), lifted);
    await client.query(
      `delete from ${this.#schema}.freezes f using ${from} where f.account = d.account and f.reference = d.reference`,
      values,
    );
  }
}

const OPENED: readonly Column<Opened>[] = [
  { name: 'account', type: 'text', of: (row) => row.account },
  { name: 'price_book', type: 'text', of: (row) => row.terms.price_book },
  { name: 'overdraft_limit', type: 'bigint', of: (row) => parseCredits(row.terms.overdraft_limit) },
  { name: 'time_zone', type: 'text', of: (row) => row.terms.time_zone },
  { name: 'currency', type: 'text', of: (row) => row.terms.currency },
  { name: 'created_at', type: 'timestamptz', of: (row) => row.at },
];
const FREEZE: readonly Column<Freeze>[] = [
  { name: 'account', type: 'text', of: (row) => row.account },
  { name: 'reference', type: 'text', of: (row) => row.reference },
  { name: 'reason', type: 'text', of: (row) => row.reason },
  { name: 'frozen_at', type: 'timestamptz', of: (row) => row.at },
];
const PROFILE: readonly Column<Profile>[] = [
  { name: 'account', type: 'text', of: (row) => row.account },
  { name: 'name', type: 'text', of: (row) => row.name },
  { name: 'metadata', type: 'text', of: (row) => row.metadata },
];
