import { IdentityError, type User } from "@ostiary/contracts";
import type { Deps } from "../deps.ts";
import { isSomebodyElsesIdentifier } from "./own-address.store.ts";

/**
 * A username that a person chooses must not be what another types to sign in: where that one's address or number is not
 * confirmed yet, the name would be meant, and its owner shut out. So an address as username is the person's own.
 *
 * @param joined - in the transaction that gives the username.
 * @throws IdentityError `user.username_taken`
 */
export async function checkOwnUsername(
  joined: Deps,
  tenantId: string,
  { id, username, email }: Pick<User, "id" | "username" | "email">,
): Promise<void> {
  if (username === null) return;
  const isForeignAddress = username.includes("@") && username.toLowerCase() !== email?.toLowerCase();
  if (isForeignAddress || (await isSomebodyElsesIdentifier(joined.database, tenantId, id, username))) {
    throw new IdentityError("user.username_taken", { reason: "an address or number of somebody else" });
  }
}
