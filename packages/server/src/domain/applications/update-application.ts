import {
  IdentityError,
  type Application as PublicApplication,
  type UpdateApplication,
} from "@ostiary/contracts";
import { checkVersion } from "../../kernel/check-version.ts";
import type { RequestContext } from "../../kernel/context.ts";
import { checkPermissionIn } from "../access/index.ts";
import { recordEvent } from "../audit/index.ts";
import type { Deps } from "../deps.ts";
import { type ApplicationValues, lockApplication, updateApplicationRow } from "./application.store.ts";
import { checkApplication, checkMayControl, usesSecret } from "./check-application.ts";
import { deleteSecretRows } from "./secret.store.ts";

/**
 * Changes what `patch` names (RFC 7386; in `settings` too). An application that becomes a public client, or turns to
 * keys, loses its secrets. Needs `application:write`.
 *
 * @throws IdentityError `application.not_found`, `precondition.failed`, `permission.escalation`,
 *   `application.slug_taken`, and what `checkApplication` throws.
 */
export async function updateApplication(
  deps: Deps,
  context: RequestContext,
  id: string,
  patch: UpdateApplication,
  expectedVersion?: number,
): Promise<PublicApplication> {
  await checkPermissionIn(deps, context, "application:write", { applicationId: id });
  const { tenantId } = context;
  return deps.database.transaction(async (tx) => {
    const current = await lockApplication(tx, tenantId, id);
    if (!current) throw new IdentityError("application.not_found");
    checkVersion(current.version, expectedVersion);
    checkMayControl(context, current);
    const next: ApplicationValues = {
      ...current,
      ...patch,
      settings: { ...current.settings, ...patch.settings },
    };
    checkMayControl(context, next);
    checkApplication(next);
    const updated = await updateApplicationRow(tx, tenantId, id, next, deps.clock.now());
    if (usesSecret(current) && !usesSecret(next)) await deleteSecretRows(tx, tenantId, id);
    await recordEvent(
      deps,
      tx,
      context,
      {
        type: "application.updated",
        target: { type: "application", id },
        data: { fields: Object.keys(patch) },
      },
      [`application:${id}`, `access-part:${tenantId}:application:${id}`],
    );
    return updated;
  });
}
