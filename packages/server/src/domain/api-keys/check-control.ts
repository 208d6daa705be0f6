import { type ApiKey, IdentityError } from "@ostiary/contracts";
import type { RequestContext } from "../../kernel/context.ts";
import { applicationPermissions, checkNoEscalation, holds, loadRights } from "../access/index.ts";
import { findApplication } from "../applications/index.ts";
import type { Deps } from "../deps.ts";

type Owned = Pick<ApiKey, "type" | "userId" | "applicationId" | "permissions">;

/**
 * Who makes, changes or deletes a key must have every permission that the key can use.
 *
 * @throws IdentityError `permission.escalation`, `user.not_found`, `application.not_found`
 */
export async function checkMayControlKey(deps: Deps, context: RequestContext, key: Owned): Promise<void> {
  checkNoEscalation(context, await permissionsAtMost(deps, context.tenantId, key));
}

/** A user's own; everything for an application that administers the tenant, and for the tenant itself (`global`). */
async function permissionsAtMost(deps: Deps, tenantId: string, key: Owned): Promise<readonly string[]> {
  if (key.userId !== null) {
    const { permissions } = await loadRights(deps, tenantId, key.userId);
    return key.permissions === null ? permissions : common(new Set(permissions), key.permissions);
  }
  if (key.applicationId !== null) {
    const application = await findApplication(deps, tenantId, key.applicationId);
    if (!application) throw new IdentityError("application.not_found");
    const owned = [...(await applicationPermissions(deps, application))];
    return key.permissions === null ? owned : common(new Set(owned), key.permissions);
  }
  return key.permissions ?? ["*"];
}

/** What both sets hold, wildcards taken into account. */
export function common(owned: ReadonlySet<string>, named: readonly string[]): string[] {
  const limit = new Set(named);
  return [
    ...new Set([
      ...named.filter((code) => holds(owned, code)),
      ...[...owned].filter((code) => holds(limit, code)),
    ]),
  ];
}
