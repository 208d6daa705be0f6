import type { Group } from "@ostiary/contracts";
import { IdentityError } from "@ostiary/contracts";
import type { RequestContext } from "../../kernel/context.ts";
import type { Deps } from "../deps.ts";
import { listGroups } from "../groups/index.ts";

const MOST = 1_000;

/**
 * The tenant's groups, oldest first, for an application that maps them to its own; who is in them it learns of its
 * users only. At most 1,000.
 *
 * @throws IdentityError `authentication.required` when the caller is no application
 */
export async function listGroupsForApplication(deps: Deps, context: RequestContext): Promise<Group[]> {
  if (context.actor.type !== "application") throw new IdentityError("authentication.required");
  const reader = { ...context, permissions: new Set(["group:read"]) };
  const groups: Group[] = [];
  let after: string | undefined;
  do {
    const page = await listGroups(deps, reader, { limit: 200, after });
    groups.push(...page.items);
    after = page.next ?? undefined;
  } while (after !== undefined && groups.length < MOST);
  return groups.reverse();
}
