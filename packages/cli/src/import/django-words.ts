import { Email, Phone, Username } from "@ostiary/contracts";
import type { DjangoGroup, DjangoUser, Row } from "./django-data.ts";
import type { WantedUser } from "./import-users.ts";

/** Django's permissions in our words. What has no word of ours is the project's own: `shop.add_order` is `shop:add_order`. */
const READS: Readonly<Record<string, string>> = {
  "auth.view_user": "user:read",
  "auth.view_group": "group:read",
  "auth.view_permission": "role:read",
};

/** Ours is one permission for all three: only who has them all gets it, so that nobody gets more than he had. */
const WRITES = [
  { code: "user:write", needs: ["auth.add_user", "auth.change_user", "auth.delete_user"] },
  { code: "group:write", needs: ["auth.add_group", "auth.change_group", "auth.delete_group"] },
];

const WRITING = new Set(WRITES.flatMap(({ needs }) => needs));

/** Of Django itself and of the package's own tables: there is nothing here that they could be for. */
const NOTHING_HERE = /^(admin|auth|contenttypes|sessions|token_blacklist|zb_auth|zb_logging)\./;

export interface Translated {
  codes: string[];
  /** What Ostiary has nothing for, or what was not complete. */
  lost: string[];
}

export function toPermissionCodes(permissions: readonly string[]): Translated {
  const given = new Set(permissions);
  const writes = WRITES.filter(({ needs }) => needs.every((one) => given.has(one)));
  const whole = new Set(writes.flatMap(({ needs }) => needs));
  const codes = writes.map(({ code }) => code);
  const lost: string[] = [];
  for (const one of given) {
    if (whole.has(one)) continue;
    const read = READS[one];
    if (read !== undefined) codes.push(read);
    else if (WRITING.has(one) || NOTHING_HERE.test(one)) lost.push(one);
    else codes.push(one.replace(".", ":"));
  }
  return { codes: codes.sort(), lost: lost.sort() };
}

/** The role that gives what was given to a user or group of Django together. */
export interface WantedRole {
  code: string;
  name: string;
  permissions: string[];
}

export function roleOfGroup({ id, name, permissions }: DjangoGroup): WantedRole | undefined {
  const { codes } = toPermissionCodes(permissions);
  return codes.length === 0
    ? undefined
    : { code: `django-group-${id}`, name: `Django group ${name}`.slice(0, 128), permissions: codes };
}

export function roleOfUser({ id, username, permissions }: DjangoUser): WantedRole | undefined {
  const { codes } = toPermissionCodes(permissions);
  return codes.length === 0
    ? undefined
    : { code: `django-user-${id}`, name: `Django user ${username}`.slice(0, 128), permissions: codes };
}

export const groupCode = ({ id }: { id: number }) => `django-${id}`;

/** Why a user cannot be taken; undefined when he can. */
export function reasonAgainst({ username, email }: DjangoUser): string | undefined {
  if (!fits(Username, username))
    return "the username is empty, too long, or has a character that none may have";
  return email !== "" && !fits(Email, email) ? `${email} is no e-mail address` : undefined;
}

/** Columns that projects keep a number in, of the user or of the profile. */
const PHONES = ["phone", "phone_number", "mobile", "cellphone", "telephone"];

/** The digits, with `+` where it is there, without what people write between them; what is no number is `lost`. */
export function phoneOf({ row, profile }: Pick<DjangoUser, "row" | "profile">): {
  phone?: string;
  lost?: string;
} {
  const given = [row, profile ?? {}]
    .flatMap((columns) => PHONES.map((name) => columns[name]))
    .find((value) => (typeof value === "string" && value.trim() !== "") || typeof value === "number");
  if (given === undefined) return {};
  const phone = String(given)
    .replaceAll(/[\s().\-/]/g, "")
    .replace(/^00/, "+");
  return fits(Phone, phone) ? { phone } : { lost: String(given).slice(0, 40) };
}

function fits(schema: object, text: string): boolean {
  const { pattern = "", maxLength = Infinity } = schema as { pattern?: string; maxLength?: number };
  return new RegExp(pattern).test(text) && text.length <= maxLength;
}

export function toWanted(
  user: DjangoUser,
  { verified, staffRole, takesPhone }: { verified: boolean; staffRole: string; takesPhone: boolean },
): WantedUser & { roles: string[] } {
  const { id, username, email, firstName, lastName, isActive } = user;
  const externalId = `django:${id}`;
  const roles = [
    ...(user.isSuperuser ? ["administrator"] : []),
    ...(user.isStaff ? [staffRole] : []),
    ...(roleOfUser(user) ? [`django-user-${id}`] : []),
  ];
  const hash = toHash(user.password);
  const { phone } = takesPhone ? phoneOf(user) : {};
  const name = `${firstName} ${lastName}`.trim().slice(0, 256);
  const profile = {
    ...(firstName === "" ? {} : { givenName: firstName.slice(0, 128) }),
    ...(lastName === "" ? {} : { familyName: lastName.slice(0, 128) }),
  };
  return {
    row: id,
    username,
    externalId,
    roles,
    values: {
      username,
      externalId,
      ...(email === "" ? {} : { email, ...(verified ? { emailVerified: true } : {}) }),
      ...(phone === undefined ? {} : { phone }),
      ...(name === "" ? {} : { name }),
      ...(Object.keys(profile).length === 0 ? {} : { profile }),
      ...(user.profile ? { preferences: toPreferences(user.profile) } : {}),
      status: isActive ? "active" : "suspended",
      registerSource: "django",
      ...(hash === undefined ? {} : { password: { hash } }),
    },
  };
}

/** Django writes its own name before formats that have names of their own; "!" is no password at all. */
function toHash(password: string): string | undefined {
  if (password === "" || password.startsWith("!")) return undefined;
  return password.replace(/^(argon2|bcrypt)\$(?=.)/, (_, format: string) => (format === "argon2" ? "$" : ""));
}

function toPreferences(profile: Row) {
  const text = (name: string) => (typeof profile[name] === "string" ? profile[name] : undefined);
  const flag = (name: string) => profile[name] === true || profile[name] === 1;
  const language = text("lang");
  const timeout = Number(profile["messages_timeout"]);
  const settings = parsed(profile["app_settings"]);
  return {
    timezone: text("timezone")?.slice(0, 64) || "UTC",
    theme: text("theme")?.slice(0, 50) || "corporate",
    ...(language && /^[A-Za-z]{2,3}$/.test(language) ? { language } : {}),
    ...(Number.isInteger(timeout) ? { messagesTimeout: timeout } : {}),
    keepLoggedIn: flag("keep_logged_in"),
    multipleLogin: flag("multiple_login"),
    securePassword: flag("secure_password"),
    ...(settings === null ? {} : { applicationSettings: settings }),
  };
}

/** A database may hand JSON out as text. */
function parsed(value: unknown): never | null {
  if (typeof value !== "string") return (value ?? null) as never;
  try {
    return JSON.parse(value) as never;
  } catch {
    return value as never;
  }
}
