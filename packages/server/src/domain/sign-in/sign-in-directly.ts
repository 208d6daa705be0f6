import { IdentityError, type Tenant } from "@ostiary/contracts";
import type { RequestContext } from "../../kernel/context.ts";
import { newSecret } from "../../kernel/identifiers.ts";
import type { Deps } from "../deps.ts";
import { startFlow } from "./start-flow.ts";
import { givePassword, type StepResult } from "./take-steps.ts";

/**
 * A sign-in without our pages, for an application that has its own form: the same flow, the same steps, started and
 * taken in one call. The flow row ends with it.
 *
 * @returns what the last step returned; the session is in `flow.sessionId`.
 */
export async function signInDirectly(
  deps: Deps,
  context: RequestContext,
  tenant: Tenant,
  input: { applicationId: string; identifier: string; password: string },
): Promise<StepResult & { flow: { userId: string; sessionId: string } }> {
  const flow = await startFlow(deps, context, {
    browser: newSecret(),
    applicationId: input.applicationId,
    continuation: {},
  });
  const result = await givePassword(deps, context, tenant, flow, input);
  const { userId, sessionId } = result.flow;
  if (!userId || !sessionId)
    throw new IdentityError("flow.wrong_step", { reason: "another factor is required" });
  return { ...result, flow: { ...result.flow, userId, sessionId } };
}
