import { IdentityError, type Tenant } from "@ostiary/contracts";
import type { RequestContext } from "../../kernel/context.ts";
import type { Principal } from "../access/index.ts";
import { type Application, mayUse } from "../applications/index.ts";
import type { Deps } from "../deps.ts";
import { verifyAccessToken } from "../tokens/index.ts";
import { letIn } from "./sync-users.ts";

/** The person of a token, who must be allowed to use the application that it is shown for. */
async function personOf(
  deps: Deps,
  tenant: Tenant,
  token: string,
  application: Application | undefined,
): Promise<Principal> {
  const { principal } = await verifyAccessToken(deps, tenant, token);
  if (!principal) throw new IdentityError("token.invalid", { reason: "an application's own token" });
  if (application && !(await mayUse(deps, application, principal.userId))) {
    throw new IdentityError("application.access_denied");
  }
  return principal;
}

/**
 * Whether two tokens are one person's. A Feishu id is one user's only, so who is the same person there is the same
 * user here.
 *
 * @throws IdentityError those of `verifyAccessToken`, `application.access_denied`
 */
export async function compareIdentity(
  deps: Deps,
  tenant: Tenant,
  source: { token: string; application?: Application },
  target: { token: string; application?: Application },
): Promise<boolean> {
  const one = await personOf(deps, tenant, source.token, source.application);
  const other = await personOf(deps, tenant, target.token, target.application);
  return one.userId === other.userId;
}

/**
 * Lets the person of a token use the calling application: he has shown himself there. Repeating it changes nothing.
 *
 * @param context - the calling application's.
 * @throws IdentityError those of `verifyAccessToken`, `application.access_denied`
 */
export async function authorizeByToken(
  deps: Deps,
  context: RequestContext,
  tenant: Tenant,
  source: { token: string; application: Application },
): Promise<Principal> {
  const person = await personOf(deps, tenant, source.token, source.application);
  await letIn(deps, context, person.userId);
  return person;
}
