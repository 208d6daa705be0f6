import { IdentityError, type Tenant } from "@ostiary/contracts";
import type { RequestContext } from "../../kernel/context.ts";
import { recordEvent } from "../audit/index.ts";
import {
  askBreached,
  checkPassword,
  forgetFailures,
  passwordAccount,
  replacePassword,
} from "../credentials/index.ts";
import { type Deps, within } from "../deps.ts";
import { type Browser, findItsApplication, proceed } from "./finish.ts";
import type { Flow, StepResult } from "./flow.ts";
import { checkMethod } from "./methods.ts";
import { nextState } from "./steps.ts";

export interface PasswordStep extends Browser {
  /** Only in state `identifier`; later the flow's own counts. */
  identifier?: string | undefined;
  password: string;
}

/**
 * @throws IdentityError what `proceed` throws, `sign_in.method_not_allowed`, and what `checkPassword` throws:
 *   `credential.rejected`, `credential.locked`, `credential.busy`, `user.suspended`
 */
export async function givePassword(
  deps: Deps,
  context: RequestContext,
  tenant: Tenant,
  flow: Flow,
  input: PasswordStep,
): Promise<StepResult> {
  nextState(flow.state, "give-password"); // refused before the password is even looked at
  const identifier = flow.state === "identifier" ? input.identifier?.trim() : flow.identifier;
  if (!identifier) throw new IdentityError("credential.rejected", { reason: "no identifier" });
  checkMethod(tenant, await findItsApplication(deps, tenant.id, flow), "password");
  const { userId } = await checkPassword(deps, context, tenant, identifier, input.password);
  const proof = {
    step: "give-password" as const,
    userId,
    identifier,
    amr: ["pwd"],
    facts: { first: "password" as const, passwordGivenAt: deps.clock.now().toISOString() },
  };
  return deps.database.transaction((tx) => proceed(deps, tx, context, tenant, flow, proof, input));
}

/**
 * The person, who has proven who it is, chooses the next password and is signed in with it: one transaction, so that a
 * tab that lost the race has changed nothing. Who had forgotten the old one may have been locked out with it; that ends.
 *
 * @throws IdentityError what `proceed` throws, and `password.*`
 */
export async function choosePassword(
  deps: Deps,
  context: RequestContext,
  tenant: Tenant,
  flow: Flow,
  input: Browser & { password: string },
): Promise<StepResult> {
  nextState(flow.state, "choose-password");
  const { userId } = flow;
  if (userId === null) throw new IdentityError("flow.not_found");
  const who: RequestContext = { ...context, actor: { type: "user", id: userId } };
  const proof = {
    step: "choose-password" as const,
    userId,
    amr: [],
    facts: { newPassword: false },
    // When it was changed before counts, as `proceed` looks outside of the transaction: the person may have chosen another
    // one meanwhile, to shut out whoever sits before this page.
    person: { mustChangePassword: false },
  };
  const { first, boundTo } = flow.facts;
  const isRecovery = first === "recovery";
  const keepSessionId = boundTo?.stepsUp ? boundTo.sessionId : undefined;
  const asked = await askBreached(deps, tenant.id, input.password);
  const result = await deps.database.transaction(async (tx) => {
    const joined = within(asked, tx);
    await replacePassword(joined, who, userId, input.password, { keepSessionId });
    if (isRecovery) {
      const target = { type: "user", id: userId };
      await recordEvent(deps, tx, who, { type: "user.recovered", target });
    }
    return proceed(deps, tx, context, tenant, flow, proof, input);
  });
  if (isRecovery) await forgetFailures(deps, tenant, passwordAccount(userId));
  return result;
}
