import type { RequestContext } from "../../kernel/context.ts";

/**
 * An application that has shown its secret may bring users in: what it may do for that, and no more. Existing users
 * it cannot change, and roles it cannot give unless it administers the tenant.
 */
const OF_AN_APPLICATION = ["user:write", "user:read"];

export function asProvisioner(context: RequestContext): RequestContext {
  if (context.actor.type !== "application") return context;
  return { ...context, permissions: new Set([...context.permissions, ...OF_AN_APPLICATION]) };
}
