import { IdentityError, type Page, type PageRequest, type User } from "@ostiary/contracts";
import type { RequestContext } from "../../kernel/context.ts";
import { checkPermission, checkPermissionIn } from "../access/index.ts";
import type { Deps } from "../deps.ts";
import { normalizedIdentifier } from "../identifier.ts";
import {
  countSignIn,
  selectIdsByUsername,
  selectUser,
  selectUserByIdentifier,
  selectUsers,
  type UserFilter,
} from "./user.store.ts";

/** Null when there is none or it is deleted. For requests about a signed-in user use `findPrincipal`: it is cached. */
export async function findUser(deps: Deps, tenantId: string, id: string): Promise<User | null> {
  return (await selectUser(deps.database, tenantId, id)) ?? null;
}

/** @param identifier - username, e-mail address or phone number, in any case. */
export async function findUserByIdentifier(
  deps: Deps,
  tenantId: string,
  identifier: string,
): Promise<User | null> {
  const wanted = normalizedIdentifier(identifier);
  if (wanted === null) return null;
  return (await selectUserByIdentifier(deps.database, tenantId, wanted)) ?? null;
}

/** By username alone, in any case. */
export async function findUserByUsername(
  deps: Deps,
  tenantId: string,
  username: string,
): Promise<{ id: string; serial: number } | null> {
  const wanted = normalizedIdentifier(username);
  return wanted === null ? null : ((await selectIdsByUsername(deps.database, tenantId, wanted)) ?? null);
}

/** @throws IdentityError `permission.denied`, `user.not_found` */
export async function getUser(deps: Deps, context: RequestContext, id: string): Promise<User> {
  await checkPermissionIn(deps, context, "user:read", { userId: id });
  const user = await findUser(deps, context.tenantId, id);
  if (!user) throw new IdentityError("user.not_found");
  return user;
}

/** The signed-in user himself. @throws IdentityError `authentication.required`, `user.not_found` */
export async function getMe(deps: Deps, context: RequestContext): Promise<User> {
  const { type, id } = context.actor;
  if (type !== "user" || id === null) throw new IdentityError("authentication.required");
  const user = await findUser(deps, context.tenantId, id);
  if (!user) throw new IdentityError("user.not_found");
  return user;
}

/** Newest first. @throws IdentityError `permission.denied` */
export async function listUsers(
  deps: Deps,
  context: RequestContext,
  query: PageRequest & UserFilter,
): Promise<Page<User>> {
  checkPermission(context, "user:read");
  const limit = query.limit ?? 50;
  const rows = await selectUsers(deps.database, context.tenantId, query, query.after, limit + 1);
  const items = rows.slice(0, limit);
  return { items, next: rows.length > limit ? (items.at(-1)?.id ?? null) : null };
}

/** Counts a finished sign-in of `userId`: number, time and address. False when the user is not active (any longer). */
export function noteSignIn(deps: Deps, context: RequestContext, userId: string): Promise<boolean> {
  return countSignIn(deps.database, context.tenantId, userId, context.ip, deps.clock.now());
}
