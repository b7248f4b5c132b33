/** API keys: rare, so each event is a statement. */
import type { ApiKeyTerms } from '@tallystick/domain';
import type { ClientBase } from 'pg';
import type { Item } from '../item.ts';
import type { BatchContext, Fold, ReadModel } from '../read-model.ts';
import { apiKeysDdl } from './table.ts';

export const apiKeysModel: ReadModel = {
  name: 'api-keys',
  tables: ['api_keys'],
  ddl: apiKeysDdl,
  fold: (batch) => new ApiKeysFold(batch),
};

class ApiKeysFold implements Fold {
  readonly #schema: string;
  readonly #items: Item[] = [];

  constructor({ schema }: BatchContext) {
    this.#schema = schema;
  }

  add(item: Item): void {
    if (item.category === 'apikey') this.#items.push(item);
  }

  async write(client: ClientBase): Promise<void> {
    for (const item of this.#items) {
      if (item.type === 'ApiKeyCreated') await this.#create(client, item);
      else {
        const revoke = `update ${this.#schema}.api_keys set revoked_at = $2 where id = $1`;
        await client.query(revoke, [item.id, item.at]);
      }
    }
  }

  async #create(client: ClientBase, { id, event, at }: Item): Promise<void> {
    const { name, scopes, account } = event.data as ApiKeyTerms;
    await client.query(
      `insert into ${this.#schema}.api_keys (id, name, scopes, account, created_at) values ($1, $2, $3, $4, $5)`,
      [id, name, scopes, account, at],
    );
  }
}
