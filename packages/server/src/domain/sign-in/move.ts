import { IdentityError } from "@ostiary/contracts";
import type { RequestContext } from "../../kernel/context.ts";
import type { Queryable } from "../../platform/database/types.ts";
import { advanceFlow } from "./flow.store.ts";
import { type Flow, UNSTORED } from "./flow.ts";

/** @throws IdentityError `flow.not_found` when another request has moved the flow meanwhile. */
export async function move(
  database: Queryable,
  context: RequestContext,
  flow: Flow,
  change: Partial<Flow>,
): Promise<Flow> {
  const next = { ...flow, ...change };
  if (flow.version === UNSTORED) return next;
  if (!(await advanceFlow(database, context.tenantId, flow, next))) throw new IdentityError("flow.not_found");
  return { ...next, version: flow.version + 1 };
}
