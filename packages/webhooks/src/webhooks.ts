/** What everything about webhooks works with: its tables, its secrets, and how it may send. */
import { assertSchema } from '@tallystick/projections';
import type { Pool } from 'pg';
import type { Resolve } from './resolve.ts';
import { migrateWebhooks, webhooksSchema } from './schema.ts';
import { createSecretBox, type SecretBox } from './secret-box.ts';
import type { SendOptions } from './send.ts';
import type { WebhookSettings } from './settings.ts';

export interface Webhooks {
  readonly pool: Pool;
  /** Quoted. */
  readonly schema: string;
  readonly box: SecretBox;
  readonly sending: SendOptions;
  readonly keepDays: number;
}

export interface OpenWebhooks {
  readonly pool: Pool;
  readonly namespace: string;
  /** Of the genesis event. */
  readonly storeId: string;
  readonly settings: WebhookSettings;
  /** How names are resolved; as the machine does where left out. */
  readonly resolve?: Resolve;
}

/** @throws ForeignWebhooks where the tables are those of another store */
export async function openWebhooks(options: OpenWebhooks): Promise<Webhooks> {
  const { pool, namespace, storeId, settings, resolve } = options;
  const schema = webhooksSchema(namespace);
  await migrateWebhooks(pool, schema, storeId);
  const { allowPrivate, timeoutMs, keepDays, secretKeys } = settings;
  return {
    pool,
    schema: `"${assertSchema(schema)}"`,
    box: createSecretBox(secretKeys),
    sending: { allowPrivate, timeoutMs, ...(resolve === undefined ? {} : { resolve }) },
    keepDays,
  };
}
