export {
  deleteOldDeliveries,
  getDelivery,
  listDeliveries,
  replayDeliveries,
  requestSynchronization,
} from "./deliveries.ts";
export { type Dispatcher, startDeliveries } from "./dispatcher.ts";
export { findWebhookByTarget, revealWebhook, type WebhookCredentials } from "./find-webhooks.ts";
export { type Format, formatsOf, type WebhookEvent } from "./formats.ts";
export {
  createWebhook,
  deleteWebhook,
  getWebhook,
  listWebhooks,
  updateWebhook,
} from "./manage-webhooks.ts";
export { registerOwnWebhook, unregisterOwnWebhook } from "./register-webhook.ts";
