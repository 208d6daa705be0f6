import { findPrincipal } from "../../../domain/access/index.ts";
import { mayUse } from "../../../domain/applications/index.ts";
import { OAuthError } from "../errors.ts";
import { type Exchange, found } from "../exchange.ts";

/** The person must be active and allowed to use this application. */
export async function checkAccess(exchange: Exchange): Promise<void> {
  const { deps, tenant, session } = exchange;
  const userId = session?.userId ?? "";
  const principal = await findPrincipal(deps, tenant.id, userId);
  if (principal?.status !== "active") throw new OAuthError("access_denied", "This account cannot sign in");
  if (!(await mayUse(deps, found(exchange.application), userId))) {
    throw new OAuthError("access_denied", "This user may not use this application");
  }
  exchange.principal = principal;
}
