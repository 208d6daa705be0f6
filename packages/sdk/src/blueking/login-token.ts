import { randomInt } from "node:crypto";
import { BkAuthError } from "./errors.ts";
import { parseObject } from "./json.ts";
import { parseUserInfo, type UserInfo } from "./user-info.ts";

const CHARACTERS = "abcdefghijklmnopqrstuvwxyz0123456789";
const LENGTH = 30;
const TIME = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d{1,6})?(Z|[+-]\d{2}:\d{2})$/;

/** The current time in milliseconds since 1970-01-01T00:00:00Z. */
export type Clock = () => number;

/**
 * The proof in a session that a ticket was verified: a local object, never sent anywhere. Its times are milliseconds
 * since 1970-01-01T00:00:00Z, of the server that verified.
 */
export class LoginToken {
  /** 30 random characters of a–z and 0–9. */
  readonly loginToken: string;
  readonly issuedAt: number;
  readonly expiresAt: number;
  readonly userInfo: UserInfo;

  constructor(fields: { loginToken: string; issuedAt: number; expiresAt: number; userInfo: UserInfo }) {
    if (fields.loginToken === "") throw new BkAuthError("value.invalid", "a login token must not be empty");
    this.loginToken = fields.loginToken;
    this.issuedAt = fields.issuedAt;
    this.expiresAt = fields.expiresAt;
    this.userInfo = fields.userInfo;
  }

  /**
   * A fresh token for a user who was just verified.
   *
   * @param expiresIn - Seconds, more than 0.
   * @throws BkAuthError `value.invalid` for a life of zero or less.
   */
  static issue(userInfo: UserInfo, expiresIn: number, now: number): LoginToken {
    if (!(expiresIn > 0))
      throw new BkAuthError("value.invalid", "a login token must live for more than 0 seconds");
    const loginToken = Array.from({ length: LENGTH }, () => CHARACTERS[randomInt(CHARACTERS.length)]).join(
      "",
    );
    return new LoginToken({ loginToken, issuedAt: now, expiresAt: now + expiresIn * 1000, userInfo });
  }

  /**
   * Reads the `user_token` of a session, written by `serialize` or by bkpaas_auth 4.x.
   *
   * @throws BkAuthError `value.invalid` for anything else, a time without an offset included.
   */
  static parse(text: string): LoginToken {
    const data = parseObject(text);
    if (data === undefined) throw new BkAuthError("value.invalid", "a login token is no JSON object");
    const loginToken = data["login_token"];
    if (typeof loginToken !== "string") throw new BkAuthError("value.invalid", "a login token has no text");
    return new LoginToken({
      loginToken,
      issuedAt: parseTime(data["issued_at"]),
      expiresAt: parseTime(data["expires_at"]),
      userInfo: parseUserInfo(data["_user_info_type"], data["user_info"]),
    });
  }

  /** The JSON text bkpaas_auth 4.x writes, so that a Node and a Django application can share a session store. */
  serialize(): string {
    const type = Object.getPrototypeOf(this.userInfo).constructor.typeName as string;
    return JSON.stringify({
      login_token: this.loginToken,
      expires_at: writeTime(this.expiresAt),
      issued_at: writeTime(this.issuedAt),
      user_info: this.userInfo,
      _user_info_type: type,
    });
  }

  /** Whether the token is over. At `expiresAt` itself it is still good. */
  isExpired(now: number): boolean {
    return this.expiresAt < now;
  }

  /**
   * Whether a session may go by this token without asking the login service: it is not expired, and was issued at most
   * `sessionTimeout` seconds ago (that second included).
   */
  isUsable(now: number, sessionTimeout: number): boolean {
    return !this.isExpired(now) && now - this.issuedAt <= sessionTimeout * 1000;
  }
}

/** Python cannot compare a time without an offset with one that has it, so the offset is always written. */
const writeTime = (time: number): string => new Date(time).toISOString().replace("Z", "000+00:00");

function parseTime(value: unknown): number {
  const time = typeof value === "string" && TIME.test(value) ? Date.parse(value) : Number.NaN;
  if (Number.isNaN(time)) throw new BkAuthError("value.invalid", "a time of a login token has no known form");
  return time;
}
