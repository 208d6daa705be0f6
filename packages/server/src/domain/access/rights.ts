import { IdentityError, PERMISSIONS } from "@ostiary/contracts";
import type { RequestContext } from "../../kernel/context.ts";
import type { Queryable } from "../../platform/database/types.ts";
import type { Deps } from "../deps.ts";
import {
  AccessEngine,
  type ListedAccess,
  matches,
  type Statement,
  type SubjectRef,
  splitPermission,
  type TenantModel,
} from "./engine/index.ts";
import { selectSubjectModel } from "./subject-model.store.ts";

/** The namespace of the permissions that our own functions ask for. */
export const DEFAULT_NAMESPACE = "default";

/** Actions on resources that somebody may give or has: patterns, in a namespace. */
export interface Right {
  namespace: string;
  resource: string;
  action: string;
}

export function rightsOfCodes(namespace: string, codes: readonly string[]): Right[] {
  return codes.map((code) => ({ namespace, ...splitPermission(code) }));
}

/** What the statements allow. Denials take rights away, so everybody who may write policies may give them. */
export function rightsOfStatements(namespace: string, statements: readonly Statement[]): Right[] {
  return statements
    .filter(({ effect }) => effect === "allow")
    .flatMap(({ resources, actions }) =>
      resources.flatMap((resource) => actions.map((action) => ({ namespace, resource, action }))),
    );
}

/** Everything that a subject's grants allow, conditions and denials aside: what one could get hold of through it. */
function rightsOfModel(model: TenantModel): Right[] {
  return [
    ...model.roles.flatMap(({ namespace, permissions }) => rightsOfCodes(namespace, permissions)),
    ...model.policies.flatMap(({ namespace, statements }) => rightsOfStatements(namespace, statements)),
    ...model.grants.flatMap((grant) =>
      grant.kind === "resource" && grant.effect === "allow"
        ? grant.actions.map((action) => ({ namespace: grant.namespace, resource: grant.resource, action }))
        : [],
    ),
  ];
}

/** What a subject could do, by all the ways of groups, units, roles and policies, as the database has it now. */
export async function loadRightsOf(
  database: Queryable,
  tenantId: string,
  subject: SubjectRef,
): Promise<Right[]> {
  return rightsOfModel(await selectSubjectModel(database, tenantId, subject));
}

/** Whether codes hold a right: a pattern is held by the same pattern or a wider one. */
function covers(held: ReadonlySet<string>, { resource, action }: Right): boolean {
  if (held.has("*")) return true;
  for (const code of held) {
    const own = splitPermission(code);
    if (own.resource === resource && matches(own.action, action)) return true;
  }
  return false;
}

/** Whether somebody who holds the first codes holds the others, as far as codes can say it. */
export function coversCodes(held: ReadonlySet<string>, codes: Iterable<string>): boolean {
  return rightsOfCodes(DEFAULT_NAMESPACE, [...codes]).every((right) => covers(held, right));
}

/**
 * Nobody gives what he has not. In another namespace than `default` it is enough to hold `namespace:write`: who
 * administers an application decides what its roles give without having them.
 *
 * @param mayWriteNamespace - answers for namespaces; asked only where needed.
 * @throws IdentityError `permission.escalation`
 */
export async function checkMayGive(
  context: RequestContext,
  rights: readonly Right[],
  mayWriteNamespace: (namespace: string) => Promise<boolean>,
): Promise<void> {
  const missing = rights.filter((right) => !covers(context.permissions, right));
  const mastered = new Map<string, boolean>();
  for (const { namespace, resource, action } of missing) {
    const known =
      mastered.get(namespace) ?? (namespace !== DEFAULT_NAMESPACE && (await mayWriteNamespace(namespace)));
    mastered.set(namespace, known);
    if (known) continue;
    const reason = `lacks ${resource}:${action} in ${namespace}`;
    throw new IdentityError("permission.escalation", { reason });
  }
}

/** The names of roles and the codes of a subject's rights in the namespace `default`. */
export interface Effective {
  roles: string[];
  permissions: string[];
}

/** `editor` in the namespace `default`, `shop/editor` in the namespace `shop`. */
function roleName({ namespace, code }: { namespace: string; code: string }): string {
  return namespace === DEFAULT_NAMESPACE ? code : `${namespace}/${code}`;
}

function effectiveRights(model: TenantModel, subject: SubjectRef): Effective {
  const engine = AccessEngine.of(model);
  const roles = engine.identity(subject).roles.map(roleName);
  return { roles: [...new Set(roles)].sort(), permissions: permissionCodes(engine, subject) };
}

/** As `effectiveRights`, from the database and not from a cache: for decisions inside a transaction. */
export async function loadEffectiveRights(
  deps: Deps,
  tenantId: string,
  subject: SubjectRef,
): Promise<Effective> {
  return effectiveRights(await selectSubjectModel(deps.database, tenantId, subject), subject);
}

/**
 * What is allowed without conditions, as codes. A code cannot say "all but" nor "every resource that begins with", so
 * where a denial cuts into a wildcard, or an allowance is such a pattern, our own codes are asked one by one.
 */
function permissionCodes(engine: AccessEngine, subject: SubjectRef): string[] {
  const listed = engine.list({ subject, namespace: DEFAULT_NAMESPACE });
  const codes = new Set<string>();
  let complete = listed.denied.length === 0;
  for (const { resource, actions } of listed.allowed) {
    for (const { action, conditional } of actions) {
      if (conditional) continue;
      const code = codeOf(resource, action);
      if (code === null) complete = false;
      else if (!isDenied(listed.denied, resource, action)) codes.add(code);
    }
  }
  if (!complete) for (const code of PERMISSIONS) if (mayAlways(listed, code)) codes.add(code);
  return [...codes].sort();
}

/** Null when the words of a role's permissions cannot say it. */
function codeOf(resource: string, action: string): string | null {
  if (resource === "*") return action === "*" ? "*" : null;
  if (/[*:]/.test(resource)) return null;
  if (action === "") return resource;
  return action.includes("*") && action !== "*" && !/^[^*]+:\*$/.test(action)
    ? null
    : `${resource}:${action}`;
}

/** Whether some denial touches what the patterns stand for; also one that depends on conditions. */
function isDenied(denied: ListedAccess["denied"], resource: string, action: string): boolean {
  const isWide = (pattern: string) => pattern.includes("*");
  const meet = (one: string, other: string) =>
    (isWide(one) && isWide(other)) || matches(one, other) || matches(other, one);
  return denied.some(
    (denial) => meet(denial.resource, resource) && denial.actions.some((one) => meet(one.action, action)),
  );
}

function mayAlways({ allowed, denied }: ListedAccess, code: string): boolean {
  const { resource, action } = splitPermission(code);
  return (
    !isDenied(denied, resource, action) &&
    allowed.some(
      (one) =>
        matches(one.resource, resource) &&
        one.actions.some((item) => !item.conditional && matches(item.action, action)),
    )
  );
}
