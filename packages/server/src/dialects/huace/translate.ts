import type { Principal } from "../../domain/access/index.ts";
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
function toUsername({ username, email, phone, serial }: Principal): string {
  return username ?? email ?? phone ?? String(serial);
}

/** Fixture: fixtures/user-info.json */
export function toUserInfo(user: Principal): UserInfo {
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
    status: "active", // nobody else is shown
    roles: [...user.roles],
    permissions: [...user.permissionCodes],
    groups: [],
    is_admin: isAdministrator,
    isAdmin: isAdministrator,
    feishuUserId: null,
    feishuOpenId: null,
    feishuUnionId: null,
    feishuTenantKey: null,
  };
}
