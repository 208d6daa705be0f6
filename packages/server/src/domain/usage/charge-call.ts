import { IdentityError, type JsonValue } from "@ostiary/contracts";
import type { RequestContext } from "../../kernel/context.ts";
import { newId } from "../../kernel/identifiers.ts";
import type { Deps } from "../deps.ts";
import { countRules, insertRule, selectRuleByPath } from "./billing-rule.store.ts";
import { recordRule } from "./billing-rules.ts";
import { toDecimal } from "./decimal.ts";
import { type ActiveRule, isPattern } from "./match-rule.ts";
import { redactText } from "./redact.ts";
import { type CallPath, routeOf, splitPath } from "./route-of.ts";

/** What a call costs, and by which rule. */
export interface Charge {
  ruleId: string | null;
  /** What calls of one kind have in common: the rule's path, else the call's without ids. */
  route: string;
  /** An exact decimal. */
  cost: string;
}

/** What the answer to a call says about its price (huace.md §1.7). */
export interface MatchHeaders {
  dynamic: boolean;
  /** An exact decimal; null when absent or no price. */
  cost: string | null;
  path: string | null;
  rule: string | null;
}

/** Rules of one application that its own answers may make; beyond it calls are charged without a rule. */
const MAXIMUM_FOUND = 10_000;

/** The `X-Match-…` headers of an answer, whatever the case of their names; null without any. */
export function matchHeadersOf(headers: Record<string, JsonValue> | null | undefined): MatchHeaders | null {
  if (!headers) return null;
  let found: Map<string, string> | undefined;
  for (const name in headers) {
    if (name.length > 15 || !/^x-match-/i.test(name)) continue;
    const value = headers[name];
    const text = Array.isArray(value) ? value[0] : value;
    if (typeof text === "string" || typeof text === "number") {
      found ??= new Map();
      found.set(name.toLowerCase().slice(8), String(text));
    }
  }
  if (!found) return null;
  const [dynamic, cost, path, rule] = ["dynamic", "cost", "path", "rule"].map((name) => found.get(name));
  if ([dynamic, cost, path, rule].every((value) => value === undefined)) return null;
  return {
    dynamic: dynamic?.trim() === "1",
    cost: cost === undefined ? null : toDecimal(cost),
    path: path?.trim() || null,
    rule: rule?.trim() || null,
  };
}

/** What a call costs by a rule. A static price is the price, whatever the answer says. */
export function chargeBy(rule: ActiveRule, headers: MatchHeaders | null, path: CallPath): Charge {
  const { id: ruleId, kind, price } = rule;
  const route = rule.path.startsWith("/") ? path.origin + rule.path : rule.path;
  return { ruleId, route, cost: kind === "dynamic" ? (headers?.cost ?? price) : price };
}

/**
 * Makes the rule that an answer suggests where none matches: dynamic, or static with the price 0. Made once, however
 * many calls ask for it at once.
 */
export async function chargeByNewRule(
  deps: Deps,
  context: RequestContext,
  applicationId: string,
  call: CallPath,
  headers: MatchHeaders,
): Promise<Charge> {
  const path = suggestedPath(call, headers);
  const kind = headers.dynamic ? "dynamic" : "static";
  const rule = await foundRule(deps, context, {
    id: newId(deps.clock.now()),
    applicationId,
    name: redactText((headers.rule ?? path).replace(/[\p{Cc}]/gu, " "), 256) || path.slice(0, 256),
    method: null,
    path,
    kind,
    price: "0",
    status: "active",
  });
  if (rule?.status === "active") return chargeBy(rule, headers, call);
  const cost = rule || !headers.dynamic ? "0" : (headers.cost ?? "0");
  return { ruleId: null, route: routeOf(call), cost };
}

/** The path that the answer suggests, at the origin of the call; else the call's own with its ids as placeholders. */
function suggestedPath(call: CallPath, { path: suggested }: MatchHeaders): string {
  if (suggested !== null && suggested.length <= 512 && !/[\p{Cc}\s]/u.test(suggested)) {
    const given = splitPath(suggested.replaceAll(/:([A-Za-z_]\w*)(?=\/|$)/g, "{$1}"));
    const path = (given.origin || call.origin) + given.path;
    if (path.length <= 512 && isPattern(path)) return path;
  }
  const path = routeOf(call);
  // A path that looks like a pattern and is none: everything below its origin would be too much, so all literal.
  return isPattern(path) ? path : path.replaceAll(/[*{}]/g, "_");
}

async function foundRule(
  deps: Deps,
  context: RequestContext,
  rule: Parameters<typeof insertRule>[2] & { applicationId: string },
) {
  const { tenantId } = context;
  const present = await selectRuleByPath(deps.database, tenantId, rule);
  if (present) return present;
  return deps.database
    .transaction(async (tx) => {
      if ((await countRules(tx, tenantId, rule.applicationId)) >= MAXIMUM_FOUND) return undefined;
      const created = await insertRule(tx, tenantId, rule, deps.clock.now());
      if (created === "exists") return selectRuleByPath(tx, tenantId, rule);
      if (created === "no application") throw new IdentityError("application.not_found");
      await recordRule(deps, tx, context, "billing_rule.created", created.id, {
        path: rule.path,
        found: true,
      });
      return created;
    })
    .catch((error: unknown) => {
      if (error instanceof IdentityError && error.code === "application.not_found") return undefined;
      throw error;
    });
}
