import { IdentityError } from "@ostiary/contracts";
import type { RequestContext } from "../../kernel/context.ts";
import type { Deps } from "../deps.ts";
import { selectDelegatedTo, selectPlacesOf } from "./delegation.store.ts";
import { AccessEngine, type SubjectRef } from "./engine/index.ts";
import { holds } from "./permissions.ts";
import { checkMayGive, type Right } from "./rights.ts";
import { selectSubjectModel } from "./subject-model.store.ts";

/** Where something happens. A permission that was delegated for one of these places is enough. */
export interface Place {
  namespace?: string | null | undefined;
  applicationId?: string | null | undefined;
  organizationId?: string | null | undefined;
  /** Its ancestors and its organization count too. */
  unitId?: string | null | undefined;
  /** All units that the user is in, their ancestors and organizations. */
  userId?: string | null | undefined;
}

/** Whether the caller may: in the whole tenant by a permission of his own, or here by one that was delegated to him. */
export async function mayIn(
  deps: Deps,
  context: RequestContext,
  code: string,
  place: Place,
): Promise<boolean> {
  if (holds(context.permissions, code)) return true;
  const { subject, tenantId } = context;
  if (!subject || (subject.limit && !holds(subject.limit, code))) return false;
  const principals = await principalsOf(deps, tenantId, subject);
  const delegations = await selectDelegatedTo(deps.database, tenantId, principals);
  const fitting = delegations.filter(({ permissions }) => holds(new Set(permissions), code));
  if (fitting.length === 0) return false;
  const places = await scopesOf(deps, tenantId, place);
  return fitting.some(({ scopeType, scopeId }) => places.has(`${scopeType}:${scopeId}`));
}

/** @throws IdentityError `permission.denied` */
export async function checkPermissionIn(
  deps: Deps,
  context: RequestContext,
  code: string,
  place: Place,
): Promise<void> {
  if (await mayIn(deps, context, code, place)) return;
  throw new IdentityError("permission.denied", { reason: `lacks ${code}` });
}

/**
 * Nobody gives what he has not; see `checkMayGive`.
 *
 * @throws IdentityError `permission.escalation`
 */
export function checkGives(deps: Deps, context: RequestContext, rights: readonly Right[]): Promise<void> {
  return checkMayGive(context, rights, (namespace) => mayIn(deps, context, "namespace:write", { namespace }));
}

/** The subject itself, its groups, its units with their ancestors, its roles: `type:id`. */
async function principalsOf(
  { database }: Deps,
  tenantId: string,
  { type, id }: SubjectRef,
): Promise<string[]> {
  const model = await selectSubjectModel(database, tenantId, { type, id });
  const { groups, units, roles } = AccessEngine.of(model).identity({ type, id });
  return [
    `${type}:${id}`,
    ...groups.map((group) => `group:${group.id}`),
    ...units.map((unit) => `unit:${unit.id}`),
    ...roles.map((role) => `role:${role.id}`),
  ];
}

async function scopesOf({ database }: Deps, tenantId: string, place: Place): Promise<Set<string>> {
  const { namespace, applicationId, organizationId, unitId, userId } = place;
  const scopes = new Set<string>();
  // An application's namespace has its id as code.
  if (namespace) scopes.add(`namespace:${namespace}`).add(`application:${namespace}`);
  if (applicationId) scopes.add(`application:${applicationId}`);
  if (organizationId) scopes.add(`organization:${organizationId}`);
  if (unitId)
    for (const scope of await selectPlacesOf(database, tenantId, { type: "unit", id: unitId }))
      scopes.add(scope);
  if (userId)
    for (const scope of await selectPlacesOf(database, tenantId, { type: "user", id: userId }))
      scopes.add(scope);
  return scopes;
}
