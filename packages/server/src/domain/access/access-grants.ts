import {
  type AccessGrant,
  type CreateAccessGrant,
  IdentityError,
  type Page,
  type PageRequest,
  type Subject,
  type UpdateAccessGrant,
} from "@ostiary/contracts";
import type { ChangeKey } from "../../kernel/changes.ts";
import type { RequestContext } from "../../kernel/context.ts";
import { newId } from "../../kernel/identifiers.ts";
import type { Queryable, Transaction } from "../../platform/database/types.ts";
import { recordEvent } from "../audit/index.ts";
import { type Deps, within } from "../deps.ts";
import { checkAdministratorRemainsWithout } from "./assign-roles.ts";
import { changeable } from "./changeable.ts";
import {
  deleteGrantRow,
  type GrantFilter,
  holdSubject,
  insertGrant,
  lockGrant,
  type NewGrant,
  selectGrant,
  selectGrants,
  selectSameGrant,
  writeGrant,
} from "./grant.store.ts";
import { holdNamespace } from "./namespace.store.ts";
import { checkGives, checkPermissionIn, type Place } from "./places.ts";
import { completed } from "./policies.ts";
import { selectPolicy } from "./policy.store.ts";
import { DEFAULT_NAMESPACE, loadRightsOf, type Right, rightsOfStatements } from "./rights.ts";
import { selectRole } from "./role.store.ts";

/**
 * Gives a role, a policy, or actions on resources. Giving the same twice is giving it once.
 *
 * Needs `access-grant:write` in the whole tenant, for the namespace of what is given, or for the place of the subject,
 * and everything that is given.
 *
 * @throws IdentityError `permission.denied`, `permission.escalation`, `access_grant.invalid`, `access_grant.exists` (on
 *   other terms), `role.not_found`, `policy.not_found`, `namespace.not_found`, `<subject>.not_found`
 */
export async function createAccessGrant(
  deps: Deps,
  context: RequestContext,
  input: CreateAccessGrant,
): Promise<AccessGrant> {
  const { tenantId } = context;
  const now = deps.clock.now();
  const grant = toNewGrant(newId(now), input);
  return deps.database.transaction(async (tx) => {
    const joined = within(deps, tx);
    const { place, rights, denies } = await contentOf(tx, tenantId, grant);
    await checkPermissionIn(joined, context, "access-grant:write", place);
    if (!place.namespace) throw missing(grant);
    if (!(await holdSubject(tx, tenantId, grant.subject))) throw subjectMissing(grant.subject);
    await checkGives(joined, context, rights);
    // Who denies something to somebody takes it from him.
    if (denies) await checkGives(joined, context, await loadRightsOf(tx, tenantId, grant.subject));
    const made = await insertGrant(tx, tenantId, grant, now);
    if (!made) return sameGrant(tx, tenantId, grant);
    await recordEvent(
      deps,
      tx,
      context,
      { type: "access_grant.created", target: { type: "access_grant", id: made.id }, data: factsOf(made) },
      changesOf(tenantId, made),
    );
    return made;
  });
}

/** @throws IdentityError `permission.denied`, `access_grant.not_found` */
export async function getAccessGrant(deps: Deps, context: RequestContext, id: string): Promise<AccessGrant> {
  const grant = await selectGrant(deps.database, context.tenantId, id);
  const place = grant ? (await contentOf(deps.database, context.tenantId, grant)).place : {};
  await checkPermissionIn(deps, context, "access-grant:read", place);
  if (!grant) throw new IdentityError("access_grant.not_found");
  return grant;
}

/** Newest first. With a filter by subject or namespace, a permission for that place is enough. */
export async function listAccessGrants(
  deps: Deps,
  context: RequestContext,
  query: PageRequest & GrantFilter,
): Promise<Page<AccessGrant>> {
  const { subjectType, subjectId, namespace } = query;
  const subject = subjectType && subjectId ? placeOfSubject({ type: subjectType, id: subjectId }) : {};
  await checkPermissionIn(deps, context, "access-grant:read", { ...subject, namespace });
  const limit = query.limit ?? 50;
  const rows = await selectGrants(deps.database, context.tenantId, query, query.after, limit + 1);
  const items = rows.slice(0, limit);
  return { items, next: rows.length > limit ? (items.at(-1)?.id ?? null) : null };
}

/**
 * Changes the terms of a grant; what is given to whom is fixed. Needs everything that it gave and will give.
 *
 * @throws IdentityError `permission.denied`, `permission.escalation`, `access_grant.not_found`, `access_grant.invalid`,
 *   `user.last_administrator`, `precondition.failed`
 */
export async function updateAccessGrant(
  deps: Deps,
  context: RequestContext,
  id: string,
  change: UpdateAccessGrant,
  expectedVersion?: number,
): Promise<AccessGrant> {
  const now = deps.clock.now();
  return deps.database.transaction(async (tx) => {
    const { grant, rights } = await lockedForGrantChange(deps, tx, context, id, expectedVersion);
    const next = { ...grant, ...change };
    if (change.actions && grant.kind !== "resource")
      throw invalid("/actions", "only a grant of a resource has actions");
    checkInherit(next);
    const fields = (["actions", "inherit", "enabled"] as const).filter(
      (field) => JSON.stringify(grant[field]) !== JSON.stringify(next[field]),
    );
    if (fields.length === 0) return grant;
    await checkGives(within(deps, tx), context, (await contentOf(tx, context.tenantId, next)).rights);
    await writeGrant(tx, context.tenantId, next, now);
    await checkAdministratorRemainsWithout(tx, context.tenantId, rights);
    const target = { type: "access_grant", id };
    await recordEvent(
      deps,
      tx,
      context,
      { type: "access_grant.updated", target, data: { fields } },
      changesOf(context.tenantId, grant),
    );
    return { ...next, version: grant.version + 1, updatedAt: now.toISOString() };
  });
}

/**
 * @throws IdentityError `permission.denied`, `permission.escalation`, `access_grant.not_found`,
 *   `user.last_administrator`, `precondition.failed`
 */
export async function deleteAccessGrant(
  deps: Deps,
  context: RequestContext,
  id: string,
  expectedVersion?: number,
): Promise<void> {
  await deps.database.transaction(async (tx) => {
    const { grant, rights } = await lockedForGrantChange(deps, tx, context, id, expectedVersion);
    await deleteGrantRow(tx, context.tenantId, id);
    await checkAdministratorRemainsWithout(tx, context.tenantId, rights);
    const target = { type: "access_grant", id };
    await recordEvent(
      deps,
      tx,
      context,
      { type: "access_grant.deleted", target, data: factsOf(grant) },
      changesOf(context.tenantId, grant),
    );
  });
}

async function lockedForGrantChange(
  deps: Deps,
  tx: Transaction,
  context: RequestContext,
  id: string,
  expectedVersion: number | undefined,
): Promise<{ grant: AccessGrant; rights: Right[] }> {
  const joined = within(deps, tx);
  const found = await lockGrant(tx, context.tenantId, id);
  const { place, rights } = found ? await contentOf(tx, context.tenantId, found) : { place: {}, rights: [] };
  const missing = "access_grant.not_found" as const;
  const rule = { permission: "access-grant:write", place, missing, expectedVersion };
  const grant = await changeable(joined, context, found, rule);
  await checkGives(joined, context, rights);
  return { grant, rights };
}

/** Where a grant is, and what it gives; without `place.namespace` there is no such thing to give. */
async function contentOf(
  database: Queryable,
  tenantId: string,
  grant: NewGrant,
): Promise<{ place: Place; rights: Right[]; denies: boolean }> {
  const subject = placeOfSubject(grant.subject);
  if (grant.roleId !== null) {
    const role = await selectRole(database, tenantId, grant.roleId);
    const rights = await loadRightsOf(database, tenantId, { type: "role", id: grant.roleId });
    return { place: { ...subject, namespace: role?.namespace }, rights, denies: false };
  }
  if (grant.policyId !== null) {
    const policy = await selectPolicy(database, tenantId, grant.policyId);
    const rights = policy ? rightsOfStatements(policy.namespace, policy.statements.map(completed)) : [];
    const denies = policy?.statements.some(({ effect }) => effect === "deny") ?? false;
    return { place: { ...subject, namespace: policy?.namespace }, rights, denies };
  }
  const { namespace, resource, actions, effect } = grant;
  const exists = namespace !== null && (await holdNamespace(database, tenantId, namespace));
  const given = exists && resource !== null && effect === "allow" ? (actions ?? []) : [];
  return {
    place: { ...subject, namespace: exists ? namespace : undefined },
    rights: given.map((action) => ({ namespace: namespace ?? "", resource: resource ?? "", action })),
    denies: effect === "deny",
  };
}

function placeOfSubject({ type, id }: Subject): Place {
  if (type === "user") return { userId: id };
  if (type === "unit") return { unitId: id };
  return type === "application" ? { applicationId: id } : {};
}

export function toNewGrant(id: string, input: CreateAccessGrant): NewGrant {
  const { subject, roleId = null, policyId = null, resource = null, inherit = false, enabled = true } = input;
  const isResource = resource !== null;
  if ([roleId, policyId, resource].filter((what) => what !== null).length !== 1) {
    throw invalid("", "needs one of roleId, policyId and resource");
  }
  if (isResource !== (input.actions !== undefined))
    throw invalid("/actions", "belongs to resource, and is needed there");
  if (!isResource && (input.namespace !== undefined || input.effect !== undefined)) {
    throw invalid("", "namespace and effect belong to resource");
  }
  if (roleId !== null && subject.type === "role")
    throw invalid("/subject/type", "a role cannot be given a role; it may have a parent");
  const grant = {
    id,
    subject,
    roleId,
    policyId,
    namespace: isResource ? (input.namespace ?? DEFAULT_NAMESPACE) : null,
    resource,
    actions: input.actions ?? null,
    effect: isResource ? (input.effect ?? ("allow" as const)) : null,
    inherit,
    enabled,
  };
  checkInherit(grant);
  return grant;
}

function checkInherit({ subject, inherit }: Pick<NewGrant, "subject" | "inherit">): void {
  if (inherit && subject.type !== "unit") throw invalid("/inherit", "only units have sub-units");
}

function invalid(path: string, message: string): IdentityError {
  return new IdentityError("access_grant.invalid", { fields: [{ path, message }] });
}

function missing({ roleId, policyId }: NewGrant): IdentityError {
  return new IdentityError(
    roleId !== null ? "role.not_found" : policyId !== null ? "policy.not_found" : "namespace.not_found",
  );
}

export function subjectMissing({ type }: Subject): IdentityError {
  return new IdentityError(`${type}.not_found`);
}

/** @throws IdentityError `access_grant.exists` */
async function sameGrant(tx: Transaction, tenantId: string, grant: NewGrant): Promise<AccessGrant> {
  const found = await selectSameGrant(tx, tenantId, grant);
  const termsOf = ({ actions, inherit, enabled }: NewGrant) => JSON.stringify([actions, inherit, enabled]);
  if (found && termsOf(found) === termsOf(grant)) return found;
  throw new IdentityError("access_grant.exists");
}

function factsOf({ subject, roleId, policyId, namespace, resource, actions, effect }: AccessGrant): object {
  const facts = { subject, roleId, policyId, namespace, resource, actions, effect };
  return Object.fromEntries(Object.entries(facts).filter(([, value]) => value !== null));
}

function changesOf(tenantId: string, { id, subject }: AccessGrant): ChangeKey[] {
  const cached: ChangeKey = subject.type === "user" ? `user:${subject.id}` : `access:${tenantId}`;
  return [cached, `access-part:${tenantId}:grant:${id}`];
}
