import { IdentityError, type Tenant } from "@ostiary/contracts";
import type { RequestContext } from "../../kernel/context.ts";
import { checkNotImpersonated, findPrincipal } from "../access/index.ts";
import { type FactorsOfUser, removeFactor } from "../credentials/index.ts";
import type { Deps } from "../deps.ts";
import { policyOf } from "../sessions/index.ts";

/**
 * A user removes one of his own factors. Where the tenant or his roles demand a second factor of everybody the last one
 * stays: without it the next sign-in would let whoever knows the password set up another. The caller has asked for a
 * recent sign-in.
 *
 * @throws IdentityError `factor.not_found`, `factor.required`, `impersonation.not_allowed`, `user.not_found`
 */
export async function removeOwnFactor(
  deps: Deps,
  context: RequestContext,
  tenant: Tenant,
  userId: string,
  id: string,
): Promise<void> {
  checkNotImpersonated(context);
  const principal = await findPrincipal(deps, tenant.id, userId);
  if (!principal) throw new IdentityError("user.not_found");
  const policy = policyOf(tenant, null, principal.roles);
  const isDemanded = policy === "always" || policy === "new_device";
  const isEnough = (left: FactorsOfUser) => !isDemanded || hasSecondFactor(tenant, left);
  await deps.database.transaction((tx) => removeFactor(deps, tx, context, tenant, userId, id, { isEnough }));
}

/** Recovery codes do not count: they are for when the others are lost. */
function hasSecondFactor({ settings }: Pick<Tenant, "settings">, factors: FactorsOfUser): boolean {
  const { secondFactors } = settings.signIn;
  return (
    (secondFactors.includes("totp") && factors.totp > 0) ||
    (secondFactors.includes("passkey") && factors.passkeys > 0) ||
    (secondFactors.includes("email_code") && factors.email !== null) ||
    (secondFactors.includes("sms_code") && factors.phone !== null)
  );
}
