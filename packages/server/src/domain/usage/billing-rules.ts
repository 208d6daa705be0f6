import {
  type BillingRule,
  type CreateBillingRule,
  IdentityError,
  type Page,
  type PageRequest,
  type UpdateBillingRule,
} from "@ostiary/contracts";
import { checkVersion } from "../../kernel/check-version.ts";
import type { RequestContext } from "../../kernel/context.ts";
import { newId } from "../../kernel/identifiers.ts";
import type { Transaction } from "../../platform/database/types.ts";
import { checkPermission } from "../access/index.ts";
import { recordEvent } from "../audit/index.ts";
import type { Deps } from "../deps.ts";
import {
  deleteRuleRow,
  insertRule,
  lockRule,
  type RuleFilter,
  selectRule,
  selectRules,
  writeRule,
} from "./billing-rule.store.ts";
import { toDecimal } from "./decimal.ts";
import { isPattern } from "./match-rule.ts";

/** @throws IdentityError `permission.denied`, `billing_rule.path_invalid`, `billing_rule.exists`, `application.not_found` */
export async function createBillingRule(
  deps: Deps,
  context: RequestContext,
  input: CreateBillingRule,
): Promise<BillingRule> {
  checkPermission(context, "billing-rule:write");
  if (!isPattern(input.path)) throw new IdentityError("billing_rule.path_invalid");
  return deps.database.transaction(async (tx) => {
    const rule = {
      id: newId(deps.clock.now()),
      applicationId: input.applicationId ?? null,
      name: input.name ?? input.path.slice(0, 256),
      method: input.method ?? null,
      path: input.path,
      kind: input.kind ?? "static",
      price: toDecimal(input.price ?? "0") ?? "0",
      status: input.status ?? "active",
    } as const;
    const created = await insertRule(tx, context.tenantId, rule, deps.clock.now());
    if (created === "exists") throw new IdentityError("billing_rule.exists");
    if (created === "no application") throw new IdentityError("application.not_found");
    await recordRule(deps, tx, context, "billing_rule.created", created.id, { path: created.path });
    return created;
  });
}

/** Tells the audit log, and everybody who holds the rules. */
export function recordRule(
  deps: Deps,
  tx: Transaction,
  context: RequestContext,
  type: "billing_rule.created" | "billing_rule.updated" | "billing_rule.deleted",
  id: string,
  data: object,
): Promise<void> {
  return recordEvent(deps, tx, context, { type, target: { type: "billing-rule", id }, data }, [
    `billing-rules:${context.tenantId}`,
  ]);
}

/** @throws IdentityError `permission.denied`, `billing_rule.not_found` */
export async function getBillingRule(deps: Deps, context: RequestContext, id: string): Promise<BillingRule> {
  checkPermission(context, "billing-rule:read");
  const rule = await selectRule(deps.database, context.tenantId, id);
  if (!rule) throw new IdentityError("billing_rule.not_found");
  return rule;
}

/** Newest first. @throws IdentityError `permission.denied` */
export async function listBillingRules(
  deps: Deps,
  context: RequestContext,
  query: PageRequest & RuleFilter,
): Promise<Page<BillingRule>> {
  checkPermission(context, "billing-rule:read");
  const limit = query.limit ?? 50;
  const rows = await selectRules(deps.database, context.tenantId, query, query.after, limit + 1);
  const items = rows.slice(0, limit);
  return { items, next: rows.length > limit ? (items.at(-1)?.id ?? null) : null };
}

/**
 * Calls that were charged already keep what they cost.
 *
 * @throws IdentityError `permission.denied`, `billing_rule.not_found`, `precondition.failed`
 */
export async function updateBillingRule(
  deps: Deps,
  context: RequestContext,
  id: string,
  change: UpdateBillingRule,
  expectedVersion?: number,
): Promise<BillingRule> {
  checkPermission(context, "billing-rule:write");
  return deps.database.transaction(async (tx) => {
    const rule = await lockedRule(tx, context, id, expectedVersion);
    const price = change.price === undefined ? rule.price : (toDecimal(change.price) ?? "0");
    const next = { ...rule, ...change, price };
    const fields = (["name", "kind", "price", "status"] as const).filter((name) => next[name] !== rule[name]);
    if (fields.length === 0) return rule;
    const now = deps.clock.now();
    await writeRule(tx, context.tenantId, next, now);
    await recordRule(deps, tx, context, "billing_rule.updated", id, { fields });
    return { ...next, version: rule.version + 1, updatedAt: now.toISOString() };
  });
}

/** The ledger keeps what was charged by it. @throws IdentityError as `updateBillingRule` */
export async function deleteBillingRule(
  deps: Deps,
  context: RequestContext,
  id: string,
  expectedVersion?: number,
): Promise<void> {
  checkPermission(context, "billing-rule:write");
  await deps.database.transaction(async (tx) => {
    const { path } = await lockedRule(tx, context, id, expectedVersion);
    await deleteRuleRow(tx, context.tenantId, id);
    await recordRule(deps, tx, context, "billing_rule.deleted", id, { path });
  });
}

async function lockedRule(
  tx: Transaction,
  context: RequestContext,
  id: string,
  expectedVersion: number | undefined,
): Promise<BillingRule> {
  const rule = await lockRule(tx, context.tenantId, id);
  if (!rule) throw new IdentityError("billing_rule.not_found");
  checkVersion(rule.version, expectedVersion);
  return rule;
}
