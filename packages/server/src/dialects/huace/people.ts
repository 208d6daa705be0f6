import type { Principal } from "../../domain/access/index.ts";
import type { Deps } from "../../domain/deps.ts";
import { findGroupsOfUser } from "../../domain/groups/index.ts";
import { findFeishuIdentity } from "../../domain/provisioning/index.ts";
import { toUserInfo } from "./translate.ts";
import type { UserInfo } from "./wire.ts";

/** A user as their client reads him; without a tick when everything about him is in the caches. */
export function describe(deps: Deps, user: Principal): UserInfo | Promise<UserInfo> {
  const groups = findGroupsOfUser(deps, user.tenantId, user.userId);
  const feishu = findFeishuIdentity(deps, user.tenantId, user.userId);
  if (groups instanceof Promise || feishu instanceof Promise) {
    return Promise.all([groups, feishu]).then(([some, identity]) => toUserInfo(user, some, identity));
  }
  return toUserInfo(user, groups, feishu);
}

export function describeAll(deps: Deps, users: readonly Principal[]): Promise<UserInfo[]> {
  return Promise.all(users.map((user) => describe(deps, user)));
}
