import { IdentityError, type Tenant, type User } from "@ostiary/contracts";
import type { RequestContext } from "../../kernel/context.ts";
import { noticeTo } from "../credentials/index.ts";
import { type Deps, within } from "../deps.ts";
import { checkRecentAuthentication } from "../sessions/index.ts";
import { getMe } from "./find-user.ts";
import { checkOwnUsername } from "./own-username.ts";
import { writeUser } from "./update-user.ts";

/** A refusal tells that a name is taken, so there is no asking for one after the other. */
const CHANGES = { name: "username-change", points: 10, seconds: 86_400 };

/**
 * The signed-in person takes another username, where the tenant's `signIn.changeUsername` allows that. Nothing can be
 * sent to a username, so there is no code: the sign-in of a moment ago is the proof.
 *
 * @throws IdentityError `authentication.stale`, `impersonation.not_allowed`, `user.username_fixed`,
 *   `user.username_taken`, `request.rate_limited`
 */
export async function changeOwnUsername(
  deps: Deps,
  context: RequestContext,
  tenant: Tenant,
  username: string,
): Promise<User> {
  const { userId } = await checkRecentAuthentication(deps, context);
  if (!tenant.settings.signIn.changeUsername) throw new IdentityError("user.username_fixed");
  const present = await getMe(deps, context);
  if (present.username === username) return present;
  const wait = await deps.limits.consume(CHANGES, `${tenant.id}:${userId}`);
  if (wait > 0) throw new IdentityError("request.rate_limited", { retryAfter: wait });
  return deps.database.transaction(async (tx) => {
    const joined = within(deps, tx);
    const changed = await writeUser(joined, context, userId, { username }, undefined);
    await checkOwnUsername(joined, tenant.id, changed);
    const values = { username, time: deps.clock.now() };
    await noticeTo(joined, context, tenant, userId, { template: "username-changed", values });
    return changed;
  });
}
