import { IdentityError, type Tenant } from "@ostiary/contracts";
import type { RequestContext } from "../../kernel/context.ts";
import { checkPasskey, passkeyChallenge } from "../credentials/index.ts";
import type { Deps } from "../deps.ts";
import { subjectOf } from "./deliver-code.ts";
import { type Browser, findItsApplication, type Proof, proceed } from "./finish.ts";
import type { Flow, StepResult } from "./flow.ts";
import { checkMethod } from "./methods.ts";
import { checkOffered } from "./person.ts";
import { nextState } from "./steps.ts";

/**
 * What the page gives to `navigator.credentials.get`. As first factor it names nobody's passkeys, whoever was typed: the
 * device offers those it has, and a guesser learns nothing.
 *
 * @throws IdentityError `flow.wrong_step`, `sign_in.method_not_allowed`, `passkey.unavailable`
 */
export async function passkeyOptions(
  deps: Deps,
  context: RequestContext,
  tenant: Tenant,
  flow: Flow,
): Promise<Awaited<ReturnType<typeof passkeyChallenge>>> {
  await checkMayUse(deps, tenant, flow);
  return passkeyChallenge(deps, context, { subject: subjectOf(flow), userId: flow.userId });
}

/**
 * A passkey, as first or second factor. One whose device has checked who holds it is both at once.
 *
 * @param input.response - what `PublicKeyCredential.toJSON()` gives.
 * @throws IdentityError `passkey.rejected`, `passkey.unavailable`, `sign_in.method_not_allowed`, and what `proceed` throws
 */
export async function usePasskey(
  deps: Deps,
  context: RequestContext,
  tenant: Tenant,
  flow: Flow,
  input: Browser & { response: unknown },
): Promise<StepResult> {
  await checkMayUse(deps, tenant, flow);
  const { response } = input;
  return deps.database.transaction(async (tx) => {
    const asked = { subject: subjectOf(flow), response, userId: flow.userId };
    const { userId, userVerified } = await checkPasskey(deps, tx, context, asked);
    const verified = userVerified ? ["user", "mfa"] : [];
    const proof: Proof =
      flow.state === "second-factor"
        ? { step: "use-passkey", userId, amr: ["swk", ...verified, "mfa"], facts: { second: "passkey" } }
        : {
            step: "use-passkey",
            userId,
            identifier: null,
            amr: ["swk", ...verified],
            facts: { first: "passkey" },
          };
    return proceed(deps, tx, context, tenant, flow, proof, input);
  });
}

async function checkMayUse(deps: Deps, tenant: Tenant, flow: Flow): Promise<void> {
  nextState(flow.state, "use-passkey");
  if (flow.state === "second-factor") return checkOffered(deps, tenant, flow, "passkey");
  if (flow.userId !== null)
    throw new IdentityError("flow.wrong_step", { reason: "somebody is known already" });
  checkMethod(tenant, await findItsApplication(deps, tenant.id, flow), "passkey");
}
