import { IdentityError } from "@ostiary/contracts";
import { checkPermission } from "../domain/access/index.ts";
import type { RequestContext } from "../kernel/context.ts";
import { OWN_ACCOUNT } from "./authenticate.ts";

/** Said of every route under `/me`. */
export const OWN_SCOPE = "For a user's access token with the scope `account`.";

/** The caller's own id. @throws IdentityError `permission.denied`: no user, or a token that may not do this */
export function ownUserId(context: RequestContext): string {
  checkPermission(context, OWN_ACCOUNT);
  const { type, id } = context.actor;
  if (type !== "user" || id === null) throw new IdentityError("permission.denied", { reason: "not a user" });
  return id;
}
