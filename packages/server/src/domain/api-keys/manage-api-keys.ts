import {
  type ApiKey,
  IdentityError,
  type Page,
  type PageRequest,
  type UpdateApiKey,
} from "@ostiary/contracts";
import { checkVersion } from "../../kernel/check-version.ts";
import type { RequestContext } from "../../kernel/context.ts";
import type { Transaction } from "../../platform/database/types.ts";
import { checkNotImpersonated, checkPermission } from "../access/index.ts";
import { recordEvent } from "../audit/index.ts";
import { type Deps, within } from "../deps.ts";
import {
  type ApiKeyFilter,
  deleteApiKeyRow,
  findApiKeyById,
  findApiKeys,
  lockApiKey,
  updateApiKeyRow,
} from "./api-key.store.ts";
import { checkMayControlKey } from "./check-control.ts";

function isOwn(context: RequestContext, userId: string | null | undefined): boolean {
  return context.actor.type === "user" && context.actor.id === userId;
}

/**
 * Changes what `patch` names. One's own key, or with `api-key:write` and every permission that the key can use,
 * before and after.
 *
 * @throws IdentityError `api_key.not_found`, `precondition.failed`, `permission.denied`, `permission.escalation`,
 *   `impersonation.not_allowed`
 */
export async function updateApiKey(
  deps: Deps,
  context: RequestContext,
  id: string,
  patch: UpdateApiKey,
  expectedVersion?: number,
): Promise<ApiKey> {
  const { tenantId } = context;
  return deps.database.transaction(async (tx) => {
    const current = await lockForChange(deps, tx, context, id, expectedVersion);
    const next = { ...current, ...patch };
    await checkMayControlKey(within(deps, tx), context, next);
    const expiresAt = next.expiresAt === null ? null : new Date(next.expiresAt);
    const updated = await updateApiKeyRow(tx, tenantId, id, { ...next, expiresAt }, deps.clock.now());
    const event = {
      type: "api_key.updated" as const,
      target: { type: "api-key", id },
      data: { fields: Object.keys(patch) },
    };
    await recordEvent(deps, tx, context, event, [`api-key:${id}`]);
    return updated;
  });
}

/**
 * One's own key, or with `api-key:write` and every permission that the key can use.
 *
 * @throws IdentityError `api_key.not_found`, `precondition.failed`, `permission.denied`, `permission.escalation`,
 *   `impersonation.not_allowed`
 */
export async function deleteApiKey(
  deps: Deps,
  context: RequestContext,
  id: string,
  expectedVersion?: number,
): Promise<void> {
  await deps.database.transaction(async (tx) => {
    const key = await lockForChange(deps, tx, context, id, expectedVersion);
    await deleteApiKeyRow(tx, context.tenantId, id);
    const event = {
      type: "api_key.deleted" as const,
      target: { type: "api-key", id },
      data: { keyType: key.type, userId: key.userId, applicationId: key.applicationId },
    };
    await recordEvent(deps, tx, context, event, [`api-key:${id}`]);
  });
}

async function lockForChange(
  deps: Deps,
  tx: Transaction,
  context: RequestContext,
  id: string,
  expectedVersion: number | undefined,
): Promise<ApiKey> {
  checkNotImpersonated(context);
  const key = await lockApiKey(tx, context.tenantId, id);
  if (!key || !isOwn(context, key.userId)) checkPermission(context, "api-key:write");
  if (!key) throw new IdentityError("api_key.not_found");
  checkVersion(key.version, expectedVersion);
  await checkMayControlKey(within(deps, tx), context, key);
  return key;
}

/** One's own key, or with `api-key:read`. @throws IdentityError `api_key.not_found`, `permission.denied` */
export async function getApiKey(deps: Deps, context: RequestContext, id: string): Promise<ApiKey> {
  const key = await findApiKeyById(deps.database, context.tenantId, id);
  if (!key || !isOwn(context, key.userId)) checkPermission(context, "api-key:read");
  if (!key) throw new IdentityError("api_key.not_found");
  return key;
}

/** Newest first. One's own (`userId`), or with `api-key:read`. */
export async function listApiKeys(
  deps: Deps,
  context: RequestContext,
  query: PageRequest & ApiKeyFilter = {},
): Promise<Page<ApiKey>> {
  if (!isOwn(context, query.userId)) checkPermission(context, "api-key:read");
  const limit = query.limit ?? 50;
  const rows = await findApiKeys(deps.database, context.tenantId, query, limit + 1);
  const items = rows.slice(0, limit);
  return { items, next: rows.length > limit ? (items.at(-1)?.id ?? null) : null };
}
