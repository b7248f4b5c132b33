export {
  type AddressKind,
  faultOfUrl,
  isAllowedAddress,
  kindOfAddress,
} from './addresses.ts';
export {
  type AttemptView,
  attemptText,
  closeTest,
  DELIVERY_STATUSES,
  type DeliveriesQuery,
  type DeliveryStatus,
  type DeliveryView,
  deliveryId,
  getDelivery,
  isDelivered,
  listDeliveries,
  type NewDelivery,
  openTest,
  queueDeliveries,
  replayDelivery,
} from './deliveries.ts';
export {
  type EndpointRow,
  type EndpointView,
  findEndpoint,
  getEndpoint,
  insertEndpoint,
  listEndpoints,
  readEndpoints,
  updateEndpoint,
} from './endpoints.ts';
export {
  faultOfTypes,
  isWanted,
  OFFERED_CATEGORIES,
  OFFERED_TYPES,
  type OfferedType,
  TEST_TYPE,
} from './event-types.ts';
export { letterOf, type Message, messageOf, testMessage } from './message.ts';
export { askForReplay, type ReplayView } from './replays.ts';
export { type Resolve, type ResolvedAddress, Unresolved } from './resolve.ts';
export { ForeignWebhooks, migrateWebhooks, WEBHOOKS_VERSION, webhooksSchema } from './schema.ts';
export { createSecretBox, readSecretKey, type SecretBox, SecretUnreadable } from './secret-box.ts';
export { makeSecret, ROTATION_MS, readSecrets, rotateSecret, SECRETS_MAX } from './secrets.ts';
export { type Letter, type SendFault, type SendOptions, type Sent, send } from './send.ts';
export { readWebhookSettings, WEBHOOK_SETTINGS, type WebhookSettings } from './settings.ts';
export { type Tried, testEndpoint } from './test-endpoint.ts';
export { type OpenWebhooks, openWebhooks, type Webhooks } from './webhooks.ts';
