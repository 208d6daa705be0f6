import { BkAuthError } from "./errors.ts";
import type { LoginToken } from "./login-token.ts";
import { isProviderType, ProviderType } from "./providers.ts";
import { encodeUserId } from "./user-id.ts";
import type { UserInfo } from "./user-info.ts";

/** The fields of a user that come from the user's information; null where it does not tell. */
export interface UserFields {
  displayName: string | null;
  tenantId: string | null;
  timeZone: string | null;
  nickname: string | null;
  chineseName: string | null;
  avatarUrl: string | null;
  email: string | null;
  phone: string | null;
}

const NO_FIELDS: UserFields = {
  displayName: null,
  tenantId: null,
  timeZone: null,
  nickname: null,
  chineseName: null,
  avatarUrl: null,
  email: null,
  phone: null,
};

/** Nobody. `username` is what an unverified gateway JWT claims, and proves nothing. */
export class AnonymousUser {
  readonly isAuthenticated = false;
  readonly isAnonymous = true;
  readonly isActive = false;
  readonly isStaff = false;
  readonly isSuperuser = false;
  readonly username: string | null;

  constructor(username: string | null = null) {
    this.username = username;
  }

  equals(other: unknown): boolean {
    return other instanceof AnonymousUser;
  }
}

/**
 * A user known by name. `pk` is the encoded id, and so are `toString()` and bkpaas_auth's `get_username()`; `id` is
 * null, because no table holds the user.
 */
export class BasicUser implements UserFields {
  readonly providerType: ProviderType;
  readonly username: string;
  /** `encodeUserId(providerType, username)`. */
  readonly bkpaasUserId: string;
  readonly id = null;
  readonly isActive = true;
  readonly isStaff = false;
  readonly isSuperuser = false;
  displayName: string | null = null;
  tenantId: string | null = null;
  timeZone: string | null = null;
  nickname: string | null = null;
  chineseName: string | null = null;
  avatarUrl: string | null = null;
  email: string | null = null;
  phone: string | null = null;

  /** @throws BkAuthError `value.invalid` for an unknown provider or an empty username. */
  constructor(providerType: ProviderType, username: string, fields: Partial<UserFields> = {}) {
    if (!isProviderType(providerType)) throw new BkAuthError("value.invalid", "a user has no known provider");
    if (username === "") throw new BkAuthError("value.invalid", "a user has no username");
    this.providerType = providerType;
    this.username = username;
    this.bkpaasUserId = encodeUserId(providerType, username);
    Object.assign(this, NO_FIELDS, fields);
    this.nickname = this.nickname || this.chineseName;
  }

  get pk(): string {
    return this.bkpaasUserId;
  }

  get isAuthenticated(): boolean {
    return true;
  }

  get isAnonymous(): boolean {
    return !this.isAuthenticated;
  }

  /** Whether the other one is the same person by the same provider; bkpaas_auth's own comparison never says yes. */
  equals(other: unknown): boolean {
    return other instanceof BasicUser && other.bkpaasUserId === this.bkpaasUserId;
  }

  toString(): string {
    return this.bkpaasUserId;
  }
}

/** A user from a login service or a gateway: authenticated while the token lives. */
export class User extends BasicUser {
  /** null for a user who was only looked up. */
  readonly token: LoginToken | null;
  readonly #clock: () => number;

  constructor(
    providerType: ProviderType,
    username: string,
    options: { token?: LoginToken | null; fields?: Partial<UserFields>; clock?: () => number } = {},
  ) {
    super(providerType, username, options.fields);
    this.token = options.token ?? null;
    this.#clock = options.clock ?? Date.now;
  }

  /**
   * The user of a token.
   *
   * @throws BkAuthError `value.invalid` when its information names no provider.
   */
  static ofToken(token: LoginToken, clock: () => number = Date.now): User {
    const info = token.userInfo;
    if (info.providerType === null)
      throw new BkAuthError("value.invalid", "the user information has no provider");
    return new User(info.providerType, info.username, { token, fields: fieldsOf(info), clock });
  }

  override get isAuthenticated(): boolean {
    return this.token !== null && !this.token.isExpired(this.#clock());
  }

  /** Without the token: a log or an answer that prints a user must not hold it. */
  toJSON(): UserFields & { username: string; bkpaasUserId: string; providerType: ProviderType } {
    const { username, bkpaasUserId, providerType } = this;
    return { username, bkpaasUserId, providerType, ...fieldsOf(this) };
  }
}

/** A user of the application's own table, always authenticated. */
export class DatabaseUser<Row extends { username: string }> extends BasicUser {
  readonly row: Row;

  constructor(row: Row) {
    super(ProviderType.DATABASE, row.username);
    this.row = row;
  }
}

/** The fields of a user that some information tells. */
export function fieldsOf(info: UserInfo | UserFields): UserFields {
  const known: Partial<UserFields> = { ...info };
  const fields: UserFields = { ...NO_FIELDS };
  for (const name of Object.keys(NO_FIELDS) as (keyof UserFields)[]) fields[name] = known[name] ?? null;
  return fields;
}
