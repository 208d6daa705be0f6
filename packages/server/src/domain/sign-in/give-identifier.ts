import { IdentityError, type Tenant } from "@ostiary/contracts";
import type { RequestContext } from "../../kernel/context.ts";
import type { Deps } from "../deps.ts";

import type { Flow, FlowFacts, StepResult } from "./flow.ts";
import { move } from "./move.ts";
import { nextState } from "./steps.ts";

/** The person said who it is. Whether such a user exists is not looked up: the answer would tell a guesser. */
export async function giveIdentifier(
  deps: Deps,
  context: RequestContext,
  _tenant: Tenant,
  flow: Flow,
  input: { identifier: string },
): Promise<StepResult> {
  const state = nextState(flow.state, "give-identifier");
  return { flow: await move(deps.database, context, flow, { state, identifier: input.identifier.trim() }) };
}

/**
 * Begins the flow anew for somebody else; what was proven is forgotten.
 *
 * @throws IdentityError `flow.wrong_step` also for a flow that is about one person
 */
export async function changeIdentifier(
  deps: Deps,
  context: RequestContext,
  _tenant: Tenant,
  flow: Flow,
): Promise<StepResult> {
  const state = nextState(flow.state, "change-identifier");
  const { acr, boundTo, round = 0 } = flow.facts;
  if (boundTo) throw new IdentityError("flow.wrong_step", { reason: "the flow is about one person" });
  const facts: FlowFacts = { round: round + 1, ...(acr === undefined ? {} : { acr }) };
  const empty = { identifier: null, userId: null, amr: [], facts };
  return { flow: await move(deps.database, context, flow, { ...empty, state }) };
}
