import { BkAuthError } from "./errors.ts";
import { asObject } from "./json.ts";
import { isProviderType, ProviderType } from "./providers.ts";

/** What the wire and the session call the fields of a user's information; the names of bkpaas_auth 4.x. */
export interface UserInfoJson {
  provider_type: ProviderType | null;
  username: string;
  display_name: string | null;
  time_zone: string | null;
  tenant_id: string | null;
  nickname?: string | null;
  chinese_name?: string | null;
  email?: string | null;
  phone?: string | null;
  avatar_url?: string | null;
}

export interface AccountFields {
  displayName?: string | null | undefined;
  timeZone?: string | null | undefined;
  tenantId?: string | null | undefined;
}

/** What a verification tells about a user. `displayName` is the username where the service gives none. */
export class UserInfo {
  /** The name under which a session stores this kind of information. */
  static readonly typeName: string = "UserInfo";
  providerType: ProviderType | null;
  readonly username: string;
  readonly displayName: string | null;
  /** An IANA name as the service gave it, unchecked: see `isTimeZone`. */
  readonly timeZone: string | null;
  readonly tenantId: string | null;

  constructor(username: string, fields: AccountFields = {}, providerType: ProviderType | null = null) {
    this.username = username;
    this.displayName = fields.displayName || username;
    this.timeZone = fields.timeZone ?? null;
    this.tenantId = fields.tenantId ?? null;
    this.providerType = providerType;
  }

  toJSON(): UserInfoJson {
    return {
      provider_type: this.providerType,
      username: this.username,
      display_name: this.displayName,
      time_zone: this.timeZone,
      tenant_id: this.tenantId,
    };
  }
}

/** Information from call C or a mocked identity: the fields that a plain login leaves null. */
class DetailedUserInfo extends UserInfo {
  readonly nickname: string | null;
  readonly chineseName: string | null;
  readonly email: string | null;
  readonly phone: string | null;
  readonly avatarUrl: string | null;

  constructor(json: Omit<UserInfoJson, "provider_type">, providerType: ProviderType) {
    const fields = { displayName: json.display_name, timeZone: json.time_zone, tenantId: json.tenant_id };
    super(json.username, fields, providerType);
    this.nickname = json.nickname ?? null;
    this.chineseName = json.chinese_name ?? null;
    this.email = json.email ?? null;
    this.phone = json.phone ?? null;
    this.avatarUrl = json.avatar_url ?? null;
  }

  override toJSON(): UserInfoJson {
    return {
      ...super.toJSON(),
      nickname: this.nickname,
      chinese_name: this.chineseName,
      email: this.email,
      phone: this.phone,
      avatar_url: this.avatarUrl,
    };
  }
}

/** An RTX user. The address is the username with `@tencent.com`, as in bkpaas_auth. */
export class RtxUserInfo extends DetailedUserInfo {
  static override readonly typeName = "RtxUserInfo";

  constructor(json: Omit<UserInfoJson, "provider_type">) {
    super(json, ProviderType.RTX);
  }

  /** From the answer of call C: `LoginName` and `ChineseName` are mandatory. */
  static of(data: Record<string, unknown>): RtxUserInfo {
    const username = mandatory(data, "LoginName");
    return new RtxUserInfo({
      username,
      ...common(data),
      nickname: textOrNull(data, "ChineseName"),
      chinese_name: textOrNull(data, "ChineseName"),
      email: `${username}@tencent.com`,
      phone: textOrNull(data, "MobilePhoneNumber") ?? "",
      avatar_url: "",
    });
  }
}

/** A user of the platform's own directory. */
export class BkUserInfo extends DetailedUserInfo {
  static override readonly typeName = "BkUserInfo";

  constructor(json: Omit<UserInfoJson, "provider_type">) {
    super(json, ProviderType.BK);
  }

  /** From the answer of call C: `bk_username` is mandatory; `chname`, `email` and `phone` may be null. */
  static of(data: Record<string, unknown>): BkUserInfo {
    return new BkUserInfo({
      username: mandatory(data, "bk_username"),
      ...common(data),
      nickname: textOrNull(data, "chname"),
      chinese_name: textOrNull(data, "chname"),
      email: textOrNull(data, "email"),
      phone: textOrNull(data, "phone"),
      avatar_url: "",
    });
  }
}

/**
 * Reads what `toJSON` or bkpaas_auth 4.x wrote.
 *
 * @throws BkAuthError `value.invalid` for another type name, another provider, or a field that is no text.
 */
export function parseUserInfo(typeName: unknown, value: unknown): UserInfo {
  const data = asObject(value);
  if (data === undefined) throw new BkAuthError("value.invalid", "the user information is no object");
  const username = mandatory(data, "username");
  const provider = data["provider_type"] ?? null;
  if (provider !== null && !isProviderType(provider))
    throw new BkAuthError("value.invalid", "the user information names no known provider");
  const json = {
    username,
    ...common(data),
    nickname: textOrNull(data, "nickname"),
    chinese_name: textOrNull(data, "chinese_name"),
    email: textOrNull(data, "email"),
    phone: textOrNull(data, "phone"),
    avatar_url: textOrNull(data, "avatar_url"),
  };
  if (typeName === RtxUserInfo.typeName) return new RtxUserInfo(json);
  if (typeName === BkUserInfo.typeName) return new BkUserInfo(json);
  if (typeName !== UserInfo.typeName)
    throw new BkAuthError("value.invalid", "the user information has no known type");
  const fields = { displayName: json.display_name, timeZone: json.time_zone, tenantId: json.tenant_id };
  return new UserInfo(username, fields, provider);
}

const common = (data: Record<string, unknown>) => ({
  display_name: textOrNull(data, "display_name"),
  time_zone: textOrNull(data, "time_zone"),
  tenant_id: textOrNull(data, "tenant_id"),
});

function mandatory(data: Record<string, unknown>, name: string): string {
  const value = textOrNull(data, name);
  if (value) return value;
  throw new BkAuthError("value.invalid", `the user information has no ${name}`);
}

function textOrNull(data: Record<string, unknown>, name: string): string | null {
  const value = data[name] ?? null;
  if (value === null || typeof value === "string") return value;
  throw new BkAuthError("value.invalid", `${name} of the user information is no text`);
}
