import { IdentityError, type Tenant } from "@ostiary/contracts";
import { after } from "../../kernel/after.ts";
import type { RequestContext } from "../../kernel/context.ts";
import { checkNotImpersonated, type Principal } from "../access/index.ts";
import { type Application, mayUse } from "../applications/index.ts";
import type { Deps } from "../deps.ts";
import { isTooWeak, policyOf } from "../sessions/index.ts";
import { isTooOld } from "../sign-in/index.ts";
import { type VerifiedToken, verifyAccessToken } from "../tokens/index.ts";
import { letIn } from "./sync-users.ts";

/** Whose token it is, as he is now. */
export interface TokenHolder {
  user: Principal;
  /** The administrator who acts as the user; null: the user himself. */
  impersonatorId: string | null;
  expiresAt: Date;
}

/**
 * The person of a token, who must be allowed to use the application that it is shown to. The token may come from
 * another application, but must have proven what this one asks for: else the milder one would be the way into it. One
 * for whom only an application vouches (`issueFeishuToken`) is good there alone: it could be anybody elsewhere.
 * Synchronous when all of it is in the caches.
 *
 * @param application - undefined where no application is named.
 * @throws IdentityError (also as a rejection) those of `verifyAccessToken`, `application.access_denied`
 */
export function checkTokenFor(
  deps: Deps,
  tenant: Tenant,
  application: Application | undefined,
  token: string,
): TokenHolder | Promise<TokenHolder> {
  return after(verifyAccessToken(deps, tenant, token), (verified) => {
    const { principal: user, claims } = verified;
    if (!user) throw new IdentityError("token.invalid", { reason: "an application's own token" });
    const { impersonatorId, authenticatedAt } = claims;
    const holder = { user, impersonatorId, expiresAt: new Date(claims.expiresAt * 1_000) };
    if (!application) return holder;
    if (authenticatedAt === null && claims.applicationId !== application.id) {
      throw new IdentityError("token.invalid", { reason: "only another application says who it is" });
    }
    return after(mayUse(deps, application, user.userId), (allowed) => {
      if (!allowed) throw new IdentityError("application.access_denied");
      if (!isEnoughFor(deps, tenant, application, verified)) {
        throw new IdentityError("token.invalid", { reason: "the policy asks for more" });
      }
      return holder;
    });
  });
}

/** As with tickets: what the sign-in has proven, what was asked when the token was given out, and how long ago. */
function isEnoughFor(
  deps: Deps,
  tenant: Tenant,
  application: Application,
  { claims: { amr, authenticatedAt: seconds }, application: issuedTo, principal }: VerifiedToken,
): boolean {
  const roles = principal?.roles ?? [];
  const entryPolicy = policyOf(tenant, issuedTo, roles);
  if (isTooWeak(tenant, application, roles, { amr, entryPolicy })) return false;
  if (seconds === null) return true;
  const authenticatedAt = new Date(seconds * 1_000);
  return !isTooOld(tenant, application, { authenticatedAt }, deps.clock.now());
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
  const one = await checkTokenFor(deps, tenant, source.application, source.token);
  const other = await checkTokenFor(deps, tenant, target.application, target.token);
  return one.user.userId === other.user.userId;
}

/**
 * Lets the person of a token use the calling application: he has shown himself there. Repeating it changes nothing.
 *
 * @param context - the calling application's.
 * @throws IdentityError those of `verifyAccessToken`, `application.access_denied`, `impersonation.not_allowed`
 */
export async function authorizeByToken(
  deps: Deps,
  context: RequestContext,
  tenant: Tenant,
  source: { token: string; application: Application },
): Promise<Principal> {
  const { user, impersonatorId } = await checkTokenFor(deps, tenant, source.application, source.token);
  checkNotImpersonated({ ...context, impersonatorId });
  await letIn(deps, context, user.userId);
  return user;
}
