import type { Webhook, WebhookFormat } from "@ostiary/contracts";
import type { RequestContext } from "../../kernel/context.ts";
import { checkNoEscalation, checkPermission } from "../access/index.ts";
import type { Deps } from "../deps.ts";
import { toWebhook } from "./manage-webhooks.ts";
import { openHeaders, openSecret } from "./sealed.ts";
import { selectWebhook, selectWebhookByTarget } from "./webhook.store.ts";

/** The one with this address, format and application. @throws IdentityError `permission.denied` */
export async function findWebhookByTarget(
  deps: Deps,
  context: RequestContext,
  target: { applicationId: string | null; url: string; format: WebhookFormat },
): Promise<Webhook | null> {
  checkPermission(context, "webhook:read");
  const stored = await selectWebhookByTarget(deps.database, context.tenantId, target);
  return stored ? toWebhook(deps, stored) : null;
}

export interface WebhookCredentials {
  secret: string | null;
  headers: Record<string, string>;
}

/**
 * What is sealed, in the clear: for the configuration file to compare with, and to seal anew.
 *
 * @throws IdentityError `permission.escalation` without the permission `*`
 */
export async function revealWebhook(
  deps: Deps,
  context: RequestContext,
  id: string,
): Promise<WebhookCredentials> {
  checkNoEscalation(context, ["*"]);
  const stored = await selectWebhook(deps.database, context.tenantId, id);
  if (!stored) return { secret: null, headers: {} };
  return { secret: openSecret(deps, stored), headers: openHeaders(deps, stored) };
}
