import { IdentityError, type Tenant } from "@ostiary/contracts";
import { type RequestContext, systemContext } from "../../kernel/context.ts";
import { recordEvent } from "../audit/index.ts";
import { setPassword } from "../credentials/index.ts";
import { type Deps, within } from "../deps.ts";
import { createUser } from "../users/index.ts";
import type { Flow } from "./flow.store.ts";
import { nextState } from "./steps.ts";
import { authenticate, type StepResult } from "./take-steps.ts";

export interface SignUp {
  username?: string | undefined;
  email?: string | undefined;
  phone?: string | undefined;
  nickname?: string | undefined;
  password: string;
  /** The session this browser had: it ends when the new one begins. */
  previousSessionId?: string | undefined;
}

/** Counted per address: creating accounts is as good a door for robots as guessing passwords. */
const SIGN_UPS = { name: "sign-up", points: 30, seconds: 3_600 };

/**
 * Makes an account and signs it in: one transaction, so that nothing is left of a sign-up that fails half-way.
 * Addresses are not verified yet: `emailVerified` stays false.
 *
 * @throws IdentityError `sign_up.closed`, `flow.wrong_step`, `user.*_taken`, `password.*`, `request.rate_limited`
 */
export async function signUp(
  deps: Deps,
  context: RequestContext,
  tenant: Tenant,
  flow: Flow,
  input: SignUp,
): Promise<StepResult> {
  if (tenant.settings.signUp !== "open") throw new IdentityError("sign_up.closed");
  nextState(flow.state, "sign-up");
  const wait = await deps.limits.consume(SIGN_UPS, `${tenant.id}:${context.ip}`);
  if (wait > 0) throw new IdentityError("request.rate_limited", { retryAfter: wait });
  const { password, previousSessionId, ...identifiers } = input;
  const identifier = input.username ?? input.email ?? input.phone;
  if (!identifier) throw new IdentityError("user.identifier_required");
  return deps.database.transaction(async (tx) => {
    const joined = within(deps, tx);
    // The person has no rights yet; the tenant's open sign-up is what allows this.
    const allowed: RequestContext = { ...context, permissions: systemContext(tenant.id).permissions };
    const user = await createUser(joined, allowed, { ...given(identifiers), registerSource: "sign-up" });
    await setPassword(joined, allowed, user.id, { plain: password });
    await recordEvent(deps, tx, context, { type: "user.signed_up", target: { type: "user", id: user.id } });
    return authenticate(deps, tx, context, flow, {
      step: "sign-up",
      userId: user.id,
      identifier,
      method: "pwd",
      previousSessionId,
    });
  });
}

/** Without the absent and the empty ones. */
function given<T extends Record<string, string | undefined>>(values: T): { [K in keyof T]?: string } {
  return Object.fromEntries(
    Object.entries(values).flatMap(([name, value]) => (value?.trim() ? [[name, value.trim()]] : [])),
  ) as { [K in keyof T]?: string };
}
