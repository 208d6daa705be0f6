import type { FeishuIdentity } from "@ostiary/contracts";
import type { Principal } from "../../domain/access/index.ts";
import type { GroupOfUser } from "../../domain/groups/index.ts";
import type { TokenState, UserInfo } from "./wire.ts";

/** Their application id: 24 hex characters, or the decimal serial. Our ids may be all digits: length decides. */
export type ApplicationName = { id: string } | { serial: number };

const ID = /^[0-9a-f]{24}$/;
const SERIAL = /^[1-9][0-9]{0,15}$/;

export function toApplicationName(text: string): ApplicationName | null {
  if (ID.test(text)) return { id: text };
  return SERIAL.test(text) ? { serial: Number(text) } : null;
}

export const INVALID: TokenState = { valid: false };

/** Fixture: fixtures/token-verify.json */
export function toTokenState(user: Principal, expiresAt: Date): TokenState {
  return {
    valid: true,
    userId: String(user.serial),
    username: toUsername(user),
    expiresAt: expiresAt.toISOString(),
  };
}

/** They have no user without a user name; ours may have an e-mail address or a phone number only. */
export function toUsername({ username, email, phone, serial }: Principal): string {
  return username ?? email ?? phone ?? String(serial);
}

/** Their words for ours; deleted ones are told of by webhooks only. */
const STATUSES = { active: "active", suspended: "disabled", deleted: "deleted" } as const;

/** Fixture: fixtures/user-info.json */
export function toUserInfo(
  user: Principal,
  groups: readonly GroupOfUser[] = [],
  feishu: FeishuIdentity = {},
): UserInfo {
  const isAdministrator = user.permissions.has("*");
  return {
    id: user.serial,
    username: toUsername(user),
    nickname: user.nickname ?? user.name,
    email: user.email,
    phone: user.phone,
    avatar: user.picture,
    department: user.profile.department ?? null,
    company: user.profile.company ?? null,
    status: STATUSES[user.status],
    roles: [...user.roles],
    permissions: [...user.permissionCodes],
    groups: groups.map(({ serial, name, code }) => ({ id: serial, name, code })),
    is_admin: isAdministrator,
    isAdmin: isAdministrator,
    feishuUserId: feishu.userId ?? null,
    feishuOpenId: feishu.openId ?? null,
    feishuUnionId: feishu.unionId ?? null,
    feishuTenantKey: feishu.tenantKey ?? null,
  };
}

/** Who is asked for by an id that nobody has: their documentation promises this placeholder. */
export function toUnknownUser(id: number): UserInfo {
  return {
    id,
    username: "未知用户",
    nickname: null,
    email: null,
    phone: null,
    avatar: null,
    department: null,
    company: null,
    status: null,
    roles: [],
    permissions: [],
    groups: [],
    is_admin: false,
    isAdmin: false,
    feishuUserId: null,
    feishuOpenId: null,
    feishuUnionId: null,
    feishuTenantKey: null,
  };
}
