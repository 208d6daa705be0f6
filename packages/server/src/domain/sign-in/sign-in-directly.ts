import { IdentityError, type Tenant } from "@ostiary/contracts";
import type { RequestContext } from "../../kernel/context.ts";
import { newId } from "../../kernel/identifiers.ts";
import type { Deps } from "../deps.ts";
import type { Session, SessionPolicy } from "../sessions/index.ts";
import { type Flow, type StepResult, UNSTORED } from "./flow.ts";
import { givePassword } from "./give-password.ts";

/**
 * A sign-in without our pages, for an application that has its own form: the same steps of the same table, in one
 * call, so the flow needs no row.
 *
 * @param input - `applicationId`: null at a door that knows no applications; `session`: what that door asks of its
 *   sessions.
 * @throws IdentityError what `givePassword` throws; `credential.second_factor_required`, `password.change_required` and
 *   `user.verification_required` when the policy asks for more than the password: the person goes on at the hosted page.
 * @returns what the last step returned; the session is in `flow.sessionId`.
 */
export async function signInDirectly(
  deps: Deps,
  context: RequestContext,
  tenant: Tenant,
  input: { applicationId: string | null; identifier: string; password: string; session?: SessionPolicy },
): Promise<StepResult & { session: Session; flow: { userId: string; sessionId: string } }> {
  const now = deps.clock.now();
  const flow: Flow = {
    id: newId(now),
    state: "identifier",
    applicationId: input.applicationId,
    identifier: null,
    userId: null,
    sessionId: null,
    amr: [],
    facts: {},
    continuation: {},
    version: UNSTORED,
    expiresAt: now,
  };
  const result = await givePassword(deps, context, tenant, flow, input);
  const { userId, sessionId } = result.flow;
  const { session } = result; // always a new one, as there is no browser that has an older one
  if (!userId || !sessionId || !session) throw new IdentityError("credential.second_factor_required");
  return { ...result, session, flow: { ...result.flow, userId, sessionId } };
}
