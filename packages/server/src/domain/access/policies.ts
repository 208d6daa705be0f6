import {
  type CreatePolicy,
  IdentityError,
  type Page,
  type PageRequest,
  type Policy,
  type UpdatePolicy,
} from "@ostiary/contracts";
import type { ChangeKey } from "../../kernel/changes.ts";
import type { RequestContext } from "../../kernel/context.ts";
import { newId } from "../../kernel/identifiers.ts";
import type { Transaction } from "../../platform/database/types.ts";
import { recordEvent } from "../audit/index.ts";
import { type Deps, within } from "../deps.ts";
import { changeable } from "./changeable.ts";
import { isCondition, isPattern } from "./engine/index.ts";
import { holdNamespace } from "./namespace.store.ts";
import { checkGives, checkPermissionIn } from "./places.ts";
import {
  deletePolicyRow,
  insertPolicy,
  lockPolicy,
  type PolicyFilter,
  selectPolicies,
  selectPolicy,
  writePolicy,
} from "./policy.store.ts";
import { DEFAULT_NAMESPACE, rightsOfStatements } from "./rights.ts";

/**
 * Needs `policy:write`, in the whole tenant or for the namespace. Who gives a policy needs what it allows; who writes
 * one need not, as long as nobody has it.
 *
 * @throws IdentityError `permission.denied`, `namespace.not_found`, `policy.code_taken`, `policy.invalid`
 */
export async function createPolicy(
  deps: Deps,
  context: RequestContext,
  input: CreatePolicy,
): Promise<Policy> {
  const { namespace = DEFAULT_NAMESPACE, code } = input;
  await checkPermissionIn(deps, context, "policy:write", { namespace });
  const now = deps.clock.now();
  const policy = { id: newId(now), namespace, code, ...normalized(input), system: false };
  return deps.database.transaction(async (tx) => {
    if (!(await holdNamespace(tx, context.tenantId, namespace)))
      throw new IdentityError("namespace.not_found");
    if (!(await insertPolicy(tx, context.tenantId, policy, now)))
      throw new IdentityError("policy.code_taken");
    const target = { type: "policy", id: policy.id };
    await recordEvent(deps, tx, context, { type: "policy.created", target, data: { namespace, code } }, [
      partOf(context, policy.id),
    ]);
    return { ...policy, version: 1, createdAt: now.toISOString(), updatedAt: now.toISOString() };
  });
}

/** @throws IdentityError `permission.denied`, `policy.not_found` */
export async function getPolicy(deps: Deps, context: RequestContext, id: string): Promise<Policy> {
  const policy = await selectPolicy(deps.database, context.tenantId, id);
  await checkPermissionIn(deps, context, "policy:read", { namespace: policy?.namespace });
  if (!policy) throw new IdentityError("policy.not_found");
  return policy;
}

/** Newest first. @throws IdentityError `permission.denied` */
export async function listPolicies(
  deps: Deps,
  context: RequestContext,
  query: PageRequest & PolicyFilter,
): Promise<Page<Policy>> {
  await checkPermissionIn(deps, context, "policy:read", { namespace: query.namespace });
  const limit = query.limit ?? 50;
  const rows = await selectPolicies(deps.database, context.tenantId, query, query.after, limit + 1);
  const items = rows.slice(0, limit);
  return { items, next: rows.length > limit ? (items.at(-1)?.id ?? null) : null };
}

/**
 * Who changes statements needs everything that the policy allowed and will allow: somebody may have it.
 *
 * @throws IdentityError `permission.denied`, `permission.escalation`, `policy.not_found`, `policy.code_taken`,
 *   `policy.invalid`, `policy.system_protected`, `precondition.failed`
 */
export async function updatePolicy(
  deps: Deps,
  context: RequestContext,
  id: string,
  change: UpdatePolicy,
  expectedVersion?: number,
): Promise<Policy> {
  const now = deps.clock.now();
  return deps.database.transaction(async (tx) => {
    const policy = await lockedForPolicyChange(deps, tx, context, id, expectedVersion);
    const next = { ...policy, ...normalized({ ...policy, ...change }), code: change.code ?? policy.code };
    const fields = (["code", "name", "description", "statements"] as const).filter(
      (field) => JSON.stringify(policy[field]) !== JSON.stringify(next[field]),
    );
    if (fields.length === 0) return policy;
    if (fields.includes("statements")) {
      const rights = [policy.statements, next.statements].flatMap((statements) =>
        rightsOfStatements(policy.namespace, statements.map(completed)),
      );
      await checkGives(within(deps, tx), context, rights);
    }
    if ((await writePolicy(tx, context.tenantId, next, now)) === "taken") {
      throw new IdentityError("policy.code_taken");
    }
    const target = { type: "policy", id };
    await recordEvent(deps, tx, context, { type: "policy.updated", target, data: { fields } }, [
      `access:${context.tenantId}`,
      partOf(context, id),
    ]);
    return { ...next, version: policy.version + 1, updatedAt: now.toISOString() };
  });
}

/** @throws IdentityError as `updatePolicy` */
export async function deletePolicy(
  deps: Deps,
  context: RequestContext,
  id: string,
  expectedVersion?: number,
): Promise<void> {
  await deps.database.transaction(async (tx) => {
    const policy = await lockedForPolicyChange(deps, tx, context, id, expectedVersion);
    await checkGives(
      within(deps, tx),
      context,
      rightsOfStatements(policy.namespace, policy.statements.map(completed)),
    );
    await deletePolicyRow(tx, context.tenantId, id);
    const { namespace, code } = policy;
    const target = { type: "policy", id };
    await recordEvent(deps, tx, context, { type: "policy.deleted", target, data: { namespace, code } }, [
      `access:${context.tenantId}`,
      partOf(context, id),
    ]);
  });
}

function partOf({ tenantId }: RequestContext, id: string): ChangeKey {
  return `access-part:${tenantId}:policy:${id}`;
}

async function lockedForPolicyChange(
  deps: Deps,
  tx: Transaction,
  context: RequestContext,
  id: string,
  expectedVersion: number | undefined,
): Promise<Policy> {
  const found = await lockPolicy(tx, context.tenantId, id);
  const place = { namespace: found?.namespace };
  const rule = { permission: "policy:write", place, missing: "policy.not_found" as const, expectedVersion };
  const policy = await changeable(within(deps, tx), context, found, rule);
  if (policy.system) throw new IdentityError("policy.system_protected");
  return policy;
}

type Values = Pick<Policy, "name" | "description" | "statements">;

/** Absent fields filled in. @throws IdentityError `policy.invalid` */
function normalized({ code, name = code, description = "", statements }: CreatePolicy): Values {
  const fields = statements.flatMap(({ resources, actions, conditions = [] }, index) => [
    ...[...resources, ...actions]
      .filter((pattern) => !isPattern(pattern))
      .map((pattern) => ({ path: `/statements/${index}`, message: `${pattern} is not a pattern` })),
    ...conditions
      .map((condition, at) => ({ condition, path: `/statements/${index}/conditions/${at}/value` }))
      .filter(({ condition }) => !isCondition(condition))
      .map(({ condition, path }) => ({ path, message: `does not fit the operator ${condition.operator}` })),
  ]);
  if (fields.length > 0) throw new IdentityError("policy.invalid", { fields: fields.slice(0, 20) });
  return { name, description, statements: statements.map(completed) };
}

export function completed({
  resources,
  actions,
  effect,
  conditions = [],
}: Policy["statements"][number]): Required<Policy["statements"][number]> {
  return { resources, actions, effect, conditions };
}
