import { createHash } from "node:crypto";
import { IdentityError, type JsonValue, type ReportedCall } from "@ostiary/contracts";
import { addSeconds } from "../../kernel/clock.ts";
import type { RequestContext } from "../../kernel/context.ts";
import { checkPermission } from "../access/index.ts";
import { findApplication } from "../applications/index.ts";
import type { Deps } from "../deps.ts";
import { type NewCall, selectBatchHash } from "./call.store.ts";
import { writeBatch } from "./call-writer.ts";
import { type Charge, chargeBy, chargeByNewRule, matchHeadersOf } from "./charge-call.ts";
import { findNamedUser } from "./find-caller.ts";
import { findRules } from "./find-rules.ts";
import { bucketOf } from "./latency.ts";
import type { RuleBook } from "./match-rule.ts";
import { redact, redactText } from "./redact.ts";
import { wakeRollUp } from "./roll-up.ts";
import { type CallPath, routeOf, splitPath } from "./route-of.ts";

/** How long after a call it can be reported; and how far a reporter's clock may be ahead. */
const LATEST_SECONDS = 7 * 86_400;
const AHEAD_SECONDS = 300;

export interface Report {
  calls: readonly ReportedCall[];
  /** Counted once, however often it is sent. */
  idempotencyKey?: string | undefined;
}

/**
 * Keeps calls that a service answered or made, and charges them. All of them are in the database when this returns, or
 * none.
 *
 * Needs `usage:write`, or is the application itself.
 *
 * @returns whether the report had been counted before, under its key.
 * @throws IdentityError `permission.denied`, `application.not_found`, `usage.too_old`, `usage.busy`,
 *   `idempotency.key_reused`
 */
export async function reportCalls(
  deps: Deps,
  context: RequestContext,
  applicationId: string,
  report: Report,
): Promise<{ replayed: boolean }> {
  const { actor, tenantId } = context;
  if (actor.type !== "application" || actor.id !== applicationId) checkPermission(context, "usage:write");
  if (!(await findApplication(deps, tenantId, applicationId)))
    throw new IdentityError("application.not_found");
  const now = deps.clock.now();
  for (const { occurredAt } of report.calls) checkTime(occurredAt, now);
  let rules = await findRules(deps, tenantId);
  const calls: NewCall[] = [];
  for (const call of report.calls) {
    const path = splitPath(redactText(call.path, 2_048));
    const charged = charge(deps, context, applicationId, rules, call, path);
    const { ruleId, route, cost } = charged instanceof Promise ? await charged : charged;
    // A new rule holds for what follows.
    if (charged instanceof Promise) rules = await findRules(deps, tenantId);
    const named = callerOf(deps, tenantId, call);
    const userId = named instanceof Promise ? await named : named;
    calls.push({ ...toRow(call, path, now), userId, ruleId, route, cost });
  }
  const { idempotencyKey: key } = report;
  const once = key === undefined ? null : onceOf(context, key, applicationId, report.calls);
  const counted = await writeBatch(deps, { tenantId, applicationId, traceId: context.traceId, calls, once });
  if (counted) wakeRollUp(deps);
  else if (once && (await selectBatchHash(deps.database, tenantId, once.reporter, once.key)) !== once.hash) {
    throw new IdentityError("idempotency.key_reused");
  }
  return { replayed: !counted };
}

function checkTime(occurredAt: string | undefined, now: Date): void {
  if (occurredAt === undefined) return;
  const at = new Date(occurredAt);
  if (at < addSeconds(now, -LATEST_SECONDS) || at > addSeconds(now, AHEAD_SECONDS)) {
    throw new IdentityError("usage.too_old");
  }
}

function onceOf(context: RequestContext, key: string, applicationId: string, calls: readonly ReportedCall[]) {
  const hash = createHash("sha256")
    .update(JSON.stringify([applicationId, calls]))
    .digest("base64url");
  return { reporter: `${context.actor.type}:${context.actor.id ?? ""}`, key, hash };
}

/** At once where the rules say it; only an answer that asks for a new rule needs the database. */
function charge(
  deps: Deps,
  context: RequestContext,
  applicationId: string,
  rules: RuleBook,
  call: ReportedCall,
  path: CallPath,
): Charge | Promise<Charge> {
  const headers = matchHeadersOf(call.responseHeaders);
  const rule = rules.find(applicationId, call.method, path);
  if (rule) return chargeBy(rule, headers, path);
  if (headers) return chargeByNewRule(deps, context, applicationId, path, headers);
  return { ruleId: null, route: routeOf(path), cost: "0" };
}

function callerOf(deps: Deps, tenantId: string, { userId, username }: ReportedCall) {
  if (userId) return userId;
  return username ? findNamedUser(deps, tenantId, username) : null;
}

function toRow(
  call: ReportedCall,
  { origin, path }: CallPath,
  now: Date,
): Omit<NewCall, "userId" | "ruleId" | "route" | "cost"> {
  const duration = Math.round(call.milliseconds * 1_000);
  return {
    username: call.username ? redactText(call.username, 254) : null,
    method: call.method,
    path: origin + path,
    status: call.status,
    duration,
    bucket: bucketOf(duration),
    error: call.error ? redactText(call.error, 1_024) : null,
    parameters: toJson(call.parameters),
    responseHeaders: toJson(call.responseHeaders),
    occurredAt: new Date(call.occurredAt ?? now).toISOString(),
  };
}

function toJson(value: Record<string, JsonValue> | null | undefined): string | null {
  return value ? JSON.stringify(redact(value)) : null;
}
