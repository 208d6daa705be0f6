import {
  type DeliveryState,
  IdentityError,
  type Page,
  type PageRequest,
  type WebhookDelivery,
  type WebhookDeliveryDetails,
} from "@ostiary/contracts";
import { addSeconds } from "../../kernel/clock.ts";
import type { RequestContext } from "../../kernel/context.ts";
import type { Queryable } from "../../platform/database/types.ts";
import { checkPermission } from "../access/index.ts";
import { recordEvent } from "../audit/index.ts";
import type { Deps } from "../deps.ts";
import {
  deleteFinishedDeliveries,
  type ReplayRange,
  requeueDeliveries,
  selectAttempts,
  selectDeliveries,
  selectDelivery,
} from "./delivery.store.ts";
import { selectWebhook } from "./webhook.store.ts";

/** Deliveries that one call puts into the queue again. */
const REPLAY_LIMIT = 10_000;
const KEPT_DELIVERED_SECONDS = 7 * 86_400;
const KEPT_DEAD_SECONDS = 30 * 86_400;

async function checkWebhook(deps: Deps, context: RequestContext, webhookId: string): Promise<void> {
  if (!(await selectWebhook(deps.database, context.tenantId, webhookId)))
    throw new IdentityError("webhook.not_found");
}

/** Newest first. @throws IdentityError `permission.denied`, `webhook.not_found` */
export async function listDeliveries(
  deps: Deps,
  context: RequestContext,
  webhookId: string,
  query: PageRequest & { state?: DeliveryState | undefined } = {},
): Promise<Page<WebhookDelivery>> {
  checkPermission(context, "webhook:read");
  await checkWebhook(deps, context, webhookId);
  const limit = query.limit ?? 50;
  const { database } = deps;
  const rows = await selectDeliveries(
    database,
    context.tenantId,
    webhookId,
    query.state,
    query.after,
    limit + 1,
  );
  const items = rows.slice(0, limit);
  return { items, next: rows.length > limit ? (items.at(-1)?.id ?? null) : null };
}

/** With its body and every answer. @throws IdentityError `permission.denied`, `webhook.delivery_not_found` */
export async function getDelivery(
  deps: Deps,
  context: RequestContext,
  webhookId: string,
  id: string,
): Promise<WebhookDeliveryDetails> {
  checkPermission(context, "webhook:read");
  const delivery = await selectDelivery(deps.database, context.tenantId, webhookId, id);
  if (!delivery) throw new IdentityError("webhook.delivery_not_found");
  return { ...delivery, log: await selectAttempts(deps.database, context.tenantId, id) };
}

/**
 * Sends finished deliveries again, with the ids and bodies that they had: one, or those made in a time.
 *
 * @returns how many; at most 10,000.
 * @throws IdentityError `permission.denied`, `webhook.not_found`, `webhook.delivery_not_found`
 */
export async function replayDeliveries(
  deps: Deps,
  context: RequestContext,
  webhookId: string,
  range: ReplayRange,
): Promise<number> {
  checkPermission(context, "webhook:write");
  await checkWebhook(deps, context, webhookId);
  const { tenantId } = context;
  return deps.database.transaction(async (tx) => {
    const count = await requeueDeliveries(tx, tenantId, webhookId, range, deps.clock.now(), REPLAY_LIMIT);
    if (range.id !== undefined && count === 0 && !(await selectDelivery(tx, tenantId, webhookId, range.id))) {
      throw new IdentityError("webhook.delivery_not_found");
    }
    const event = {
      type: "webhook.replayed",
      target: { type: "webhook", id: webhookId },
      data: { count },
    } as const;
    await recordEvent(deps, tx, context, event, [`webhooks:${tenantId}`]);
    return count;
  });
}

/**
 * Asks the receiver to send its users (huace: `user.init_sync_auth`); it does so before it answers.
 *
 * @throws IdentityError `permission.denied`, `webhook.not_found`
 */
export async function requestSynchronization(
  deps: Deps,
  context: RequestContext,
  webhookId: string,
): Promise<void> {
  checkPermission(context, "webhook:write");
  await checkWebhook(deps, context, webhookId);
  await deps.database.transaction((tx) =>
    recordEvent(
      deps,
      tx,
      context,
      { type: "synchronization.requested", target: { type: "webhook", id: webhookId } },
      [`webhooks:${context.tenantId}`],
    ),
  );
}

/** The job: old deliveries go. @returns rows deleted, at most `limit`. */
export function deleteOldDeliveries(database: Queryable, now: Date, limit: number): Promise<number> {
  const before = {
    delivered: addSeconds(now, -KEPT_DELIVERED_SECONDS),
    dead: addSeconds(now, -KEPT_DEAD_SECONDS),
  };
  return deleteFinishedDeliveries(database, before, limit);
}
