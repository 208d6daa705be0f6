import { IdentityError, type Webhook, type WebhookFormat } from "@ostiary/contracts";
import type { RequestContext } from "../../kernel/context.ts";
import type { Deps } from "../deps.ts";
import { createWebhook, deleteWebhook, updateWebhook } from "./manage-webhooks.ts";
import { selectWebhook, selectWebhookByTarget, selectWebhooks } from "./webhook.store.ts";

/** More would let one application fill the queue of all. */
const MOST = 50;

/** What an application is told of: users, and nobody but those who may use it (see `fill-queue.ts`). */
const OWN_RIGHTS: ReadonlySet<string> = new Set(["webhook:write", "user:read"]);

function asItself(context: RequestContext): { own: RequestContext; applicationId: string } {
  const { type, id } = context.actor;
  if (type !== "application" || id === null) throw new IdentityError("authentication.required");
  return { own: { ...context, permissions: OWN_RIGHTS }, applicationId: id };
}

/**
 * An application asks to be told of its users. Asking again, as services do at every start, changes what is there.
 *
 * @param input.events - patterns of user events; others are refused with `permission.denied`.
 * @throws IdentityError `authentication.required` when the caller is no application, `permission.denied`,
 *   `webhook.too_many`
 */
export async function registerOwnWebhook(
  deps: Deps,
  context: RequestContext,
  input: { url: string; events: string[]; format: WebhookFormat; secret: string | null },
): Promise<Webhook> {
  const { own, applicationId } = asItself(context);
  const target = { applicationId, url: input.url, format: input.format };
  const found = await selectWebhookByTarget(deps.database, own.tenantId, target);
  const { events, secret } = input;
  if (found) return updateWebhook(deps, own, found.id, { events, secret, status: "active" });
  const present = await selectWebhooks(deps.database, own.tenantId, { applicationId }, undefined, MOST);
  if (present.length === MOST) throw new IdentityError("webhook.too_many");
  try {
    return (
      await createWebhook(deps, own, { ...input, applicationId, name: "registered by the application" })
    ).webhook;
  } catch (error) {
    if (!(error instanceof IdentityError) || error.code !== "webhook.target_taken") throw error;
    return registerOwnWebhook(deps, context, input); // another one was quicker
  }
}

/** Ends it. @throws IdentityError `webhook.not_found`, also for another application's */
export async function unregisterOwnWebhook(deps: Deps, context: RequestContext, id: string): Promise<void> {
  const { own, applicationId } = asItself(context);
  const found = await selectWebhook(deps.database, own.tenantId, id);
  if (found?.applicationId !== applicationId) throw new IdentityError("webhook.not_found");
  await deleteWebhook(deps, own, id);
}
