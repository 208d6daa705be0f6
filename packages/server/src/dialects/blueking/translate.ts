import type { Tenant } from "@ostiary/contracts";
import type { Principal } from "../../domain/access/index.ts";
import { isId } from "../../kernel/identifiers.ts";

type Person = Pick<
  Principal,
  "userId" | "username" | "email" | "phone" | "nickname" | "name" | "profile" | "custom" | "permissions"
>;

/**
 * The name by which BlueKing's applications know a user: never empty, as an empty one would be signed in. Who has no
 * username is known by the id; so a username that looks like an id, which could be another user's, does not count.
 */
export function toUsername({ userId, username }: Pick<Person, "userId" | "username">): string {
  return username === null || username === "" || isId(username) ? userId : username;
}

function toDisplayName(person: Person): string {
  return person.nickname || person.name || toUsername(person);
}

/** The two languages that BlueKing's applications have. */
export function toLanguage(locale: string | null | undefined, fallback: "zh-cn" | "en"): "zh-cn" | "en" {
  if (!locale) return fallback;
  return /^zh\b/i.test(locale) ? "zh-cn" : "en";
}

/** A name that Python's `zoneinfo` takes too: bkpaas-auth 4.x activates it for the request. */
export function toTimeZone(wish: string | null | undefined, fallback: string): string {
  for (const zone of [wish, fallback]) if (zone && isTimeZone(zone)) return zone;
  return "UTC";
}

const ZONES = new Map<string, boolean>();
/** Names and misspellings that are remembered; there are some 600 real ones. */
const MAX_ZONES = 2_000;

function isTimeZone(name: string): boolean {
  let known = ZONES.get(name);
  if (known === undefined) {
    known = /^[A-Za-z][A-Za-z0-9_+-]*(?:\/[A-Za-z0-9_+-]+)*$/.test(name) && isKnownToIntl(name);
    if (ZONES.size < MAX_ZONES) ZONES.set(name, known);
  }
  return known;
}

/** Intl takes names in any case, Python only as they are written. */
function isKnownToIntl(name: string): boolean {
  try {
    const { timeZone } = new Intl.DateTimeFormat("en", { timeZone: name }).resolvedOptions();
    return timeZone.toLowerCase() !== name.toLowerCase() || timeZone === name;
  } catch {
    return false;
  }
}

/** What every form of a user has. */
function commonFields(person: Person, tenant: Tenant) {
  const { profile, custom = {} } = person;
  return {
    chname: person.name || toDisplayName(person),
    display_name: toDisplayName(person),
    email: person.email ?? "",
    phone: person.phone ?? "",
    qq: textOf(custom.qq),
    wx_userid: textOf(custom.wx_userid),
    language: toLanguage(profile.locale, toLanguage(tenant.settings.locale, "zh-cn")),
    time_zone: toTimeZone(profile.zoneinfo, tenant.settings.blueking.timeZone),
  };
}

function textOf(value: unknown): string {
  return typeof value === "string" ? value : "";
}

function toUserV1(person: Person, tenant: Tenant) {
  const role = person.permissions.has("*") ? "1" : "0";
  return { username: toUsername(person), role, ...commonFields(person, tenant) };
}

function toUserV2(person: Person, tenant: Tenant) {
  const role = person.permissions.has("*") ? 1 : 0;
  return { bk_username: toUsername(person), bk_role: role, ...commonFields(person, tenant) };
}

/**
 * Details by name: the fields of both of bkpaas-auth's providers at once. It has no key `username`: 4.x fails on one.
 */
export function toUserDetails(person: Person, tenant: Tenant) {
  const fields = commonFields(person, tenant);
  return {
    bk_username: toUsername(person),
    ...fields,
    tenant_id: tenant.slug,
    LoginName: toUsername(person),
    ChineseName: fields.chname,
    MobilePhoneNumber: fields.phone,
  };
}

/** The tenant edition's user. */
export function toTenantUser(person: Person, tenant: Tenant) {
  const { display_name, language, time_zone } = commonFields(person, tenant);
  return {
    bk_username: toUsername(person),
    tenant_id: tenant.slug,
    login_name: person.username || person.email || person.phone || person.userId,
    display_name,
    language,
    time_zone,
  };
}

/** How the versions of `is_login` and `get_user` say what they have to say. */
export interface Shape {
  succeed(person: Person, tenant: Tenant): object;
  refuse(code: number, message: string): object;
}

/** Versions of the login service: https://<login>/login/<path>. */
export const IS_LOGIN: Record<"v1" | "v2" | "v3" | "ticket", Shape> = {
  v1: {
    succeed: (person) => ({
      result: true,
      code: "00",
      message: "",
      data: { username: toUsername(person) },
    }),
    refuse: (_code, message) => ({ result: false, code: "1200", message, data: {} }),
  },
  v2: {
    succeed: (person) => ({
      result: true,
      bk_error_code: 0,
      bk_error_msg: "",
      data: { bk_username: toUsername(person) },
    }),
    refuse: (code, message) => ({ result: false, bk_error_code: code, bk_error_msg: message, data: {} }),
  },
  v3: {
    succeed: (person) => ({
      result: true,
      code: 0,
      message: "",
      data: { bk_username: toUsername(person) },
    }),
    refuse: (code, message) => ({ result: false, code, message, data: {} }),
  },
  ticket: {
    succeed: (person) => ({ ret: 0, msg: "", data: { username: toUsername(person) } }),
    refuse: (code, message) => ({ ret: code, msg: message, data: {} }),
  },
};

export const GET_USER: Record<"v1" | "v2" | "v3", Shape> = {
  v1: {
    ...IS_LOGIN.v1,
    succeed: (person, tenant) => ({
      result: true,
      code: "00",
      message: "",
      data: toUserV1(person, tenant),
    }),
  },
  v2: {
    ...IS_LOGIN.v2,
    succeed: (person, tenant) => ({
      result: true,
      bk_error_code: 0,
      bk_error_msg: "",
      data: toUserV2(person, tenant),
    }),
  },
  v3: {
    ...IS_LOGIN.v3,
    succeed: (person, tenant) => ({ result: true, code: 0, message: "", data: toUserV1(person, tenant) }),
  },
};

/** Size of the pop-up, in pixels, that BlueKing's pages expect. */
const POP_UP = { width: 460, height: 490 };

/** The 401 for scripts: where to sign in. bk-login leaves `/` in `c_url` as it is. */
export function toLoginRequired(plainUrl: string, returnTo: string | undefined, appCode: string) {
  const query = [
    ...(returnTo === undefined ? [] : [`c_url=${encodeURIComponent(returnTo).replaceAll("%2F", "/")}`]),
    ...(appCode === "" ? [] : [`app_code=${encodeURIComponent(appCode)}`]),
  ].join("&");
  return { login_url: query === "" ? plainUrl : `${plainUrl}?${query}`, ...POP_UP, has_plain: true };
}
