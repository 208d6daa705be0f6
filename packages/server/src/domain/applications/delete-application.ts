import { IdentityError } from "@ostiary/contracts";
import type { ChangeKey } from "../../kernel/changes.ts";
import { checkVersion } from "../../kernel/check-version.ts";
import type { RequestContext } from "../../kernel/context.ts";
import { checkPermission, everything } from "../access/index.ts";
import { recordEvent } from "../audit/index.ts";
import type { Deps } from "../deps.ts";
import { deleteApplicationRow, lockApplication } from "./application.store.ts";
import { deleteAssignments } from "./assignment.store.ts";
import { checkMayControl } from "./check-application.ts";

/**
 * Deletes an application with its secrets, assignments, API keys, grants and tokens. Needs `application:write`.
 *
 * @throws IdentityError `application.not_found`, `precondition.failed`, `permission.escalation`
 */
export async function deleteApplication(
  deps: Deps,
  context: RequestContext,
  id: string,
  expectedVersion?: number,
): Promise<void> {
  checkPermission(context, "application:write");
  const { tenantId } = context;
  await deps.database.transaction(async (tx) => {
    const application = await lockApplication(tx, tenantId, id);
    if (!application) throw new IdentityError("application.not_found");
    checkVersion(application.version, expectedVersion);
    checkMayControl(context, application);
    // Whoever was assigned is told apart: an application made later with the same given id starts without users.
    const userIds = await deleteAssignments(tx, tenantId, id);
    await deleteApplicationRow(tx, tenantId, id);
    const changes: ChangeKey[] = [
      `application:${id}`,
      ...userIds.map((userId): ChangeKey => `user:${userId}`),
      ...everything(tenantId), // its namespace goes with it
    ];
    const data = { slug: application.slug };
    const target = { type: "application", id };
    await recordEvent(deps, tx, context, { type: "application.deleted", target, data }, changes);
  });
}
