import type { UpdateUser } from "@ostiary/contracts";
import type { Deps } from "../../domain/deps.ts";
import { findPerson, type Person } from "../../domain/levels/index.ts";
import type { SignedInCall } from "./calls.ts";
import { refuse } from "./errors.ts";
import { about, say } from "./messages.ts";

type Preferences = NonNullable<UpdateUser["preferences"]>;

export async function isPrivileged(deps: Deps, { tenant, caller }: SignedInCall): Promise<boolean> {
  const person = await findPerson(deps, tenant, { id: caller.principal.userId });
  return person !== null && (person.isStaff || person.isSuperuser);
}

/**
 * Of the newer release: who is no staff and may not change users, changes neither how many sessions somebody may have nor
 * how good passwords must be.
 *
 * @param before - the person whose flags they are; {} for a new one
 * @throws Refusal 406 `multiple_login`
 */
export async function checkFlags(
  deps: Deps,
  call: SignedInCall,
  change: Preferences | undefined,
  before: Partial<Pick<Person, "preferences" | "isStaff" | "isSuperuser">>,
): Promise<void> {
  const { settings } = call;
  if (settings.compat !== "3.0" || !change) return;
  const { multipleLogin = false, securePassword = false } = before.preferences ?? {};
  // Where only staff may have several sessions the flag of others is passed by, as in the older release.
  const counts = settings.allowMultipleLogin || before.isStaff || before.isSuperuser;
  const several = counts && change.multipleLogin !== undefined && change.multipleLogin !== multipleLogin;
  const secure = change.securePassword !== undefined && change.securePassword !== securePassword;
  if (!several && !secure) return;
  const { permissions } = call.context;
  const mayChange = ["*", "user:*", "user:write"].some((code) => permissions.has(code));
  if (mayChange || (await isPrivileged(deps, call))) return;
  const text = several
    ? say("You are not allowed to change multiple logged in user's profile.")
    : say("You are not allowed to change the secure password policy.");
  throw refuse(406, "multiple_login", about("User Profile", text));
}
