import {
  type CreateWebhook,
  IdentityError,
  type Page,
  type PageRequest,
  type UpdateWebhook,
  type Webhook,
} from "@ostiary/contracts";
import { checkVersion } from "../../kernel/check-version.ts";
import type { RequestContext } from "../../kernel/context.ts";
import { newId, newSecret } from "../../kernel/identifiers.ts";
import type { Transaction } from "../../platform/database/types.ts";
import { checkPermission } from "../access/index.ts";
import { recordEvent } from "../audit/index.ts";
import type { Deps } from "../deps.ts";
import { openHeaders, sealHeaders, sealSecret } from "./sealed.ts";
import {
  deleteWebhookRow,
  insertWebhook,
  lockWebhook,
  type StoredWebhook,
  selectWebhook,
  selectWebhooks,
  updateWebhookRow,
  type WebhookFilter,
} from "./webhook.store.ts";

const TIMEOUT_SECONDS = 10;

/** Nobody hears through a webhook of what he could not read: users, and for everything else the audit log. */
function checkMayHear(context: RequestContext, events: readonly string[]): void {
  checkPermission(context, "webhook:write");
  checkPermission(context, "user:read");
  if (events.some((pattern) => !pattern.startsWith("user."))) checkPermission(context, "audit:read");
}

/**
 * Who is told of events from now on. Needs `webhook:write`, `user:read`, and `audit:read` for other events than
 * users'.
 *
 * @returns the secret where one was generated: it is not shown again.
 * @throws IdentityError `permission.denied`, `webhook.target_taken`, `application.not_found`
 */
export async function createWebhook(
  deps: Deps,
  context: RequestContext,
  input: CreateWebhook,
): Promise<{ webhook: Webhook; secret: string | undefined }> {
  checkMayHear(context, input.events);
  const now = deps.clock.now();
  const generated = input.secret === undefined ? newStandardSecret() : undefined;
  const owner = { tenantId: context.tenantId, id: newId(now) };
  return deps.database.transaction(async (tx) => {
    const stored = await insertWebhook(
      tx,
      context.tenantId,
      {
        id: owner.id,
        applicationId: input.applicationId ?? null,
        name: input.name ?? "",
        url: input.url,
        events: input.events,
        format: input.format ?? "native",
        sealedSecret: sealSecret(deps, owner, generated ?? input.secret ?? null),
        sealedHeaders: sealHeaders(deps, owner, input.headers ?? {}),
        timeoutSeconds: input.timeoutSeconds ?? TIMEOUT_SECONDS,
        status: input.status ?? "active",
      },
      now,
    );
    await record(deps, tx, context, "webhook.created", stored.id, { url: stored.url, events: stored.events });
    return { webhook: toWebhook(deps, stored), secret: generated };
  });
}

/** Standard Webhooks: `whsec_` and base64. */
function newStandardSecret(): string {
  return `whsec_${Buffer.from(newSecret(), "base64url").toString("base64")}`;
}

/**
 * Changes what `patch` names; `headers` as a whole, `secret: null` ends signing. Deliveries that wait are sent as it is
 * then. Needs what `createWebhook` needs, before and after.
 *
 * @throws IdentityError `permission.denied`, `webhook.not_found`, `webhook.target_taken`, `precondition.failed`
 */
export async function updateWebhook(
  deps: Deps,
  context: RequestContext,
  id: string,
  patch: UpdateWebhook,
  expectedVersion?: number,
): Promise<Webhook> {
  const { secret, headers, ...plain } = patch;
  return deps.database.transaction(async (tx) => {
    const current = await locked(tx, context, id, expectedVersion);
    checkMayHear(context, [...current.events, ...(plain.events ?? [])]);
    const next: StoredWebhook = {
      ...current,
      ...plain,
      ...(secret === undefined ? {} : { sealedSecret: sealSecret(deps, current, secret) }),
      ...(headers === undefined ? {} : { sealedHeaders: sealHeaders(deps, current, headers) }),
    };
    const updated = await updateWebhookRow(tx, context.tenantId, id, next, deps.clock.now());
    await record(deps, tx, context, "webhook.updated", id, { fields: Object.keys(patch) });
    return toWebhook(deps, updated);
  });
}

/** With its deliveries. @throws IdentityError `permission.denied`, `webhook.not_found`, `precondition.failed` */
export async function deleteWebhook(
  deps: Deps,
  context: RequestContext,
  id: string,
  expectedVersion?: number,
): Promise<void> {
  checkPermission(context, "webhook:write");
  await deps.database.transaction(async (tx) => {
    const { url } = await locked(tx, context, id, expectedVersion);
    await deleteWebhookRow(tx, context.tenantId, id);
    await record(deps, tx, context, "webhook.deleted", id, { url });
  });
}

/** @throws IdentityError `permission.denied`, `webhook.not_found` */
export async function getWebhook(deps: Deps, context: RequestContext, id: string): Promise<Webhook> {
  checkPermission(context, "webhook:read");
  const stored = await selectWebhook(deps.database, context.tenantId, id);
  if (!stored) throw new IdentityError("webhook.not_found");
  return toWebhook(deps, stored);
}

/** Newest first. @throws IdentityError `permission.denied` */
export async function listWebhooks(
  deps: Deps,
  context: RequestContext,
  query: PageRequest & WebhookFilter = {},
): Promise<Page<Webhook>> {
  checkPermission(context, "webhook:read");
  const limit = query.limit ?? 50;
  const rows = await selectWebhooks(deps.database, context.tenantId, query, query.after, limit + 1);
  const items = rows.slice(0, limit).map((row) => toWebhook(deps, row));
  return { items, next: rows.length > limit ? (items.at(-1)?.id ?? null) : null };
}

async function locked(
  tx: Transaction,
  context: RequestContext,
  id: string,
  expectedVersion: number | undefined,
): Promise<StoredWebhook> {
  const current = await lockWebhook(tx, context.tenantId, id);
  if (!current) throw new IdentityError("webhook.not_found");
  checkVersion(current.version, expectedVersion);
  return current;
}

/** Values of headers may be credentials: their names are shown only. */
export function toWebhook(deps: Deps, stored: StoredWebhook): Webhook {
  const {
    tenantId: _tenantId,
    sealedSecret,
    sealedHeaders: _headers,
    createdAt,
    updatedAt,
    ...webhook
  } = stored;
  const names = Object.keys(openHeaders(deps, stored));
  return {
    ...webhook,
    headers: Object.fromEntries(names.map((name) => [name, "…"])),
    hasSecret: sealedSecret !== null,
    createdAt: createdAt.toISOString(),
    updatedAt: updatedAt.toISOString(),
  };
}

async function record(
  deps: Deps,
  tx: Transaction,
  context: RequestContext,
  type: "webhook.created" | "webhook.updated" | "webhook.deleted",
  id: string,
  data: object,
): Promise<void> {
  await recordEvent(deps, tx, context, { type, target: { type: "webhook", id }, data }, [
    `webhooks:${context.tenantId}`,
  ]);
}
