import { IdentityError } from "@ostiary/contracts";
import type { RequestContext } from "../../kernel/context.ts";

/**
 * Whether a set of permission codes contains one code. `*` holds everything and `user:*` every action on `user`;
 * nothing else is a pattern.
 */
export function holds(permissions: ReadonlySet<string>, code: string): boolean {
  if (permissions.has("*") || permissions.has(code)) return true;
  const colon = code.indexOf(":");
  return colon > 0 && permissions.has(`${code.slice(0, colon)}:*`);
}

/** @throws IdentityError `permission.denied` */
export function checkPermission(context: RequestContext, code: string): void {
  if (!holds(context.permissions, code))
    throw new IdentityError("permission.denied", { reason: `lacks ${code}` });
}

/**
 * An administrator who acts as somebody else leaves that person's credentials, identifiers and factors alone, and
 * agrees to nothing in his name.
 *
 * @throws IdentityError `impersonation.not_allowed`
 */
export function checkNotImpersonated(context: RequestContext): void {
  if (context.impersonatorId) throw new IdentityError("impersonation.not_allowed");
}

/**
 * Nobody gives, or takes over, what he does not have himself: whoever may edit users could otherwise set an
 * administrator's password.
 *
 * @throws IdentityError `permission.escalation`
 */
export function checkNoEscalation(context: RequestContext, codes: Iterable<string>): void {
  for (const code of codes) {
    if (!holds(context.permissions, code)) {
      throw new IdentityError("permission.escalation", { reason: `lacks ${code}` });
    }
  }
}
