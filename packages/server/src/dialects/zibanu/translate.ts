import type { Tenant, UserPreferences } from "@ostiary/contracts";
import type { NumberedPermission, Person } from "../../domain/levels/index.ts";
import type { Avatar } from "../../domain/users/index.ts";

type Settings = Tenant["settings"]["zibanu"];

function fullName({ givenName, familyName }: Pick<Person, "givenName" | "familyName">): string {
  return `${givenName} ${familyName}`.trim();
}

/** ISO 8601 with microseconds and the tenant's offset, as Django writes it; a zero fraction is left out. */
export function toTime(time: Date | null, timeZone: string): string | null {
  if (!time) return null;
  const offset = offsetMinutes(time, timeZone);
  const local = new Date(time.getTime() + offset * 60_000).toISOString();
  const seconds = local.slice(0, 19);
  const milliseconds = local.slice(20, 23);
  return `${seconds}${milliseconds === "000" ? "" : `.${milliseconds}000`}${offsetText(offset)}`;
}

function offsetText(minutes: number): string {
  if (minutes === 0) return "Z";
  const two = (value: number) => String(value).padStart(2, "0");
  const size = Math.abs(minutes);
  return `${minutes < 0 ? "-" : "+"}${two(Math.floor(size / 60))}:${two(size % 60)}`;
}

const formats = new Map<string, Intl.DateTimeFormat | null>();

/** Minutes east of Greenwich; 0 for a zone that nobody knows. */
function offsetMinutes(time: Date, timeZone: string): number {
  if (timeZone === "UTC") return 0;
  let format = formats.get(timeZone);
  if (format === undefined) {
    format = formatOf(timeZone);
    if (formats.size < 1_000) formats.set(timeZone, format);
  }
  const name = format?.formatToParts(time).find(({ type }) => type === "timeZoneName")?.value ?? "";
  const [, sign, hours = "0", minutes = "0"] = /^GMT([+-])(\d{2}):(\d{2})/.exec(name) ?? [];
  const size = Number(hours) * 60 + Number(minutes);
  return sign === "-" ? -size : size;
}

function formatOf(timeZone: string): Intl.DateTimeFormat | null {
  try {
    return new Intl.DateTimeFormat("en", { timeZone, timeZoneName: "longOffset" });
  } catch {
    return null;
  }
}

/** The `user` claim of a token. Theirs lacks `level` after a sign-in; ours has it always. */
export function toClaim(person: Person, lastLogin: Date | null, { timeZone }: Settings): object {
  return {
    username: person.username ?? "",
    is_staff: person.isStaff,
    is_superuser: person.isSuperuser,
    level: person.level,
    full_name: fullName(person),
    last_login: toTime(lastLogin, timeZone),
  };
}

/** An entry of the list of users. */
export interface ListedPerson {
  full_name: string;
  email: string;
  last_login: string | null;
  is_staff: boolean;
  is_superuser: boolean;
  id: number;
  first_name: string;
  last_name: string;
  level: number;
}

export function toListed(person: Person, { timeZone }: Settings): ListedPerson {
  return {
    full_name: fullName(person),
    email: person.email ?? "",
    last_login: toTime(person.lastLoginAt, timeZone),
    is_staff: person.isStaff,
    is_superuser: person.isSuperuser,
    id: person.serial,
    first_name: person.givenName,
    last_name: person.familyName,
    level: person.level,
  };
}

/** Everything about a user but his password's hash. */
export function toDetails(
  person: Person,
  settings: Settings,
  more: { profile: object | null; permissions: readonly NumberedPermission[] },
): object {
  return {
    email: person.email ?? "",
    full_name: fullName(person),
    last_login: toTime(person.lastLoginAt, settings.timeZone),
    is_staff: person.isStaff,
    is_superuser: person.isSuperuser,
    is_active: person.status === "active",
    profile: more.profile,
    roles: settings.includeRoles ? person.groups.map(({ serial, name }) => ({ id: serial, name })) : [],
    first_name: person.givenName,
    last_name: person.familyName,
    permissions: settings.includePermissions ? more.permissions.map(({ name }) => name) : [],
    username: person.username ?? "",
  };
}

/** What a user's preferences are where he has set none. */
function complete(preferences: UserPreferences, { defaultTheme }: Settings) {
  return {
    timezone: preferences.timezone ?? "UTC",
    theme: preferences.theme ?? defaultTheme,
    lang: preferences.language ?? "en",
    messagesTimeout: preferences.messagesTimeout ?? 10,
    keepLoggedIn: preferences.keepLoggedIn ?? false,
    appSettings: preferences.applicationSettings ?? null,
    multipleLogin: preferences.multipleLogin ?? false,
    securePassword: preferences.securePassword ?? false,
  };
}

/** The profile with all nine fields. @param avatar - as the tenant shows it; "" for none. */
export function toProfile(preferences: UserPreferences, avatar: string, settings: Settings): object {
  const chosen = complete(preferences, settings);
  return {
    timezone: chosen.timezone,
    theme: chosen.theme,
    lang: chosen.lang,
    avatar,
    messages_timeout: chosen.messagesTimeout,
    keep_logged_in: chosen.keepLoggedIn,
    app_settings: chosen.appSettings,
    multiple_login: chosen.multipleLogin,
    secure_password: chosen.securePassword,
  };
}

/** The profile as `user/retrieve` shows it. */
export function toShortProfile(preferences: UserPreferences, settings: Settings): object {
  const chosen = complete(preferences, settings);
  return {
    timezone: chosen.timezone,
    theme: chosen.theme,
    lang: chosen.lang,
    messages_timeout: chosen.messagesTimeout,
    keep_logged_in: chosen.keepLoggedIn,
    multiple_login: chosen.multipleLogin,
    secure_password: chosen.securePassword,
  };
}

export function toDataUrl({ mediaType, bytes }: Avatar): string {
  return `data:${mediaType};base64,${bytes.toString("base64")}`;
}

/** Whether a user has what they call a profile: something that was chosen for him. */
export function hasProfile({ preferences }: Pick<Person, "preferences">): boolean {
  return Object.keys(preferences).length > 0;
}

/** Our codes in the words of Django; others are `app:action` already. */
const DJANGO_WORDS: Readonly<Record<string, readonly [app: string, codename: string]>> = {
  "user:read": ["auth", "view_user"],
  "user:write": ["auth", "change_user"],
  "group:read": ["auth", "view_group"],
  "group:write": ["auth", "change_group"],
  "role:read": ["auth", "view_permission"],
  "role:write": ["auth", "change_permission"],
};

export function toPermission({ serial, name, code }: NumberedPermission): object {
  const [first = "", ...rest] = code.split(":");
  const [app, codename] = DJANGO_WORDS[code] ?? [first, rest.join(":")];
  return { id: serial, name, codename, app };
}
