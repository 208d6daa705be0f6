import { IdentityError, type Tenant } from "@ostiary/contracts";
import type { RequestContext } from "../../kernel/context.ts";
import { checkMayControl, checkPermissionIn } from "../access/index.ts";
import { recordEvent } from "../audit/index.ts";
import type { Deps } from "../deps.ts";
import { forgetFailures, passwordAccount } from "./attempts.ts";
import { factorAccount } from "./guess-factor.ts";
import { codeAccounts } from "./one-time-codes.ts";
import { selectPassword } from "./password.store.ts";

/**
 * Ends a user's lock-outs: of the password, of second factors and of codes. Addresses (IP) that guess stay
 * locked. Needs `user:write` and all the user's rights.
 *
 * @throws IdentityError `permission.denied`, `permission.escalation`, `user.not_found`
 */
export async function unlockUser(
  deps: Deps,
  context: RequestContext,
  tenant: Tenant,
  userId: string,
): Promise<void> {
  await checkPermissionIn(deps, context, "user:write", { userId });
  const user = await selectPassword(deps.database, tenant.id, userId);
  if (!user) throw new IdentityError("user.not_found");
  await checkMayControl(deps, context, userId);
  const codes = codeAccounts(deps, tenant.id, userId);
  const accounts = [passwordAccount(userId), factorAccount(userId), ...codes];
  await Promise.all(accounts.map((account) => forgetFailures(deps, tenant, account)));
  await deps.database.transaction((tx) =>
    recordEvent(deps, tx, context, { type: "user.unlocked", target: { type: "user", id: userId } }),
  );
}
