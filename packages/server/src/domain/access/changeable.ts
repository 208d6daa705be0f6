import { type ErrorCode, IdentityError } from "@ostiary/contracts";
import { checkVersion } from "../../kernel/check-version.ts";
import type { RequestContext } from "../../kernel/context.ts";
import type { Deps } from "../deps.ts";
import { checkPermissionIn, type Place } from "./places.ts";

/**
 * What may be changed of something that is locked. The permission comes first: who has none does not hear whether there
 * is such a thing.
 *
 * @param found - undefined: there is none.
 * @throws IdentityError `permission.denied`, and what `rule.missing` says, `precondition.failed`
 */
export async function changeable<Item extends { version: number }>(
  joined: Deps,
  context: RequestContext,
  found: Item | undefined,
  rule: { permission: string; place: Place; missing: ErrorCode; expectedVersion: number | undefined },
): Promise<Item> {
  await checkPermissionIn(joined, context, rule.permission, rule.place);
  if (!found) throw new IdentityError(rule.missing);
  checkVersion(found.version, rule.expectedVersion);
  return found;
}
