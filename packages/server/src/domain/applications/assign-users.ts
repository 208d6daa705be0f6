import { type ApplicationAssignment, IdentityError, type Page, type PageRequest } from "@ostiary/contracts";
import type { RequestContext } from "../../kernel/context.ts";
import { TenantCache } from "../../kernel/tenant-cache.ts";
import { checkPermission } from "../access/index.ts";
import { recordEvent } from "../audit/index.ts";
import { cachePerServer, type Deps, isJoined } from "../deps.ts";
import { findApplicationById, lockApplication } from "./application.store.ts";
import { deleteAssignments, findAssignedIds, findAssignments, insertAssignment } from "./assignment.store.ts";
import { checkMayControl } from "./check-application.ts";

/** Users whose assignments are kept in memory. */
const CAPACITY = 50_000;

const assignedOf = cachePerServer(
  (isLive) => new TenantCache<ReadonlySet<string>>(CAPACITY, isLive),
  (cache, noun, id) => {
    if (noun === "user") cache.invalidate(id);
  },
);

/** Whether a user may use an application. Synchronous when it is open to everyone, or the user is known. */
export function mayUse(
  deps: Deps,
  application: { tenantId: string; id: string; access: "everyone" | "assigned" },
  userId: string,
): boolean | Promise<boolean> {
  if (application.access === "everyone") return true;
  const { tenantId, id } = application;
  const load = () => findAssignedIds(deps.database, tenantId, userId);
  const assigned = isJoined(deps) ? load() : assignedOf(deps).get(tenantId, userId, load);
  if (assigned instanceof Promise) return assigned.then((ids) => ids?.has(id) ?? false);
  return assigned?.has(id) ?? false;
}

/**
 * Lets a user use an application whose `access` is `assigned`. Repeating it changes nothing. Needs
 * `application:write`.
 *
 * @throws IdentityError `application.not_found`, `user.not_found`
 */
export async function assignUser(
  deps: Deps,
  context: RequestContext,
  applicationId: string,
  userId: string,
): Promise<void> {
  checkPermission(context, "application:write");
  const { tenantId } = context;
  await deps.database.transaction(async (tx) => {
    const application = await lockApplication(tx, tenantId, applicationId);
    if (!application) throw new IdentityError("application.not_found");
    checkMayControl(context, application);
    if (!(await insertAssignment(tx, tenantId, applicationId, userId, deps.clock.now()))) return;
    await recordEvent(
      deps,
      tx,
      context,
      {
        type: "application.assigned",
        target: { type: "application", id: applicationId },
        data: { userId },
      },
      [`user:${userId}`],
    );
  });
}

/** Needs `application:write`. Repeating it changes nothing. @throws IdentityError `application.not_found` */
export async function unassignUser(
  deps: Deps,
  context: RequestContext,
  applicationId: string,
  userId: string,
): Promise<void> {
  checkPermission(context, "application:write");
  const { tenantId } = context;
  await deps.database.transaction(async (tx) => {
    const application = await lockApplication(tx, tenantId, applicationId);
    if (!application) throw new IdentityError("application.not_found");
    checkMayControl(context, application);
    if ((await deleteAssignments(tx, tenantId, applicationId, userId)).length === 0) return;
    const target = { type: "application", id: applicationId };
    const event = { type: "application.unassigned", target, data: { userId } } as const;
    await recordEvent(deps, tx, context, event, [`user:${userId}`]);
  });
}

/** Needs `application:read`. By user id, newest users first; `after` is a user's id. */
export async function listAssigned(
  deps: Deps,
  context: RequestContext,
  applicationId: string,
  { limit = 50, after }: PageRequest = {},
): Promise<Page<ApplicationAssignment>> {
  checkPermission(context, "application:read");
  const { tenantId } = context;
  if (!(await findApplicationById(deps.database, tenantId, applicationId))) {
    throw new IdentityError("application.not_found");
  }
  const rows = await findAssignments(deps.database, tenantId, applicationId, after, limit + 1);
  const items = rows.slice(0, limit);
  return { items, next: rows.length > limit ? (items.at(-1)?.userId ?? null) : null };
}
