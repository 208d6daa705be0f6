/** Where Ostiary answers otherwise than zibanu-django-auth, and why. Nothing else may differ. */
export interface Deviation {
  /** Names of recordings, with their configuration before them. */
  names: readonly string[];
  /** What Ostiary answers. */
  status: number;
  reason: string;
}

const of = (config: string, status: number, reason: string, names: string[]): Deviation => ({
  names: names.map((name) => `${config}: ${name}`),
  status,
  reason,
});

const PREFLIGHT = "browsers ask before they call; CORS answers them (Part 7, 23)";
const SLASH = "a redirect loses the body of a POST, so the service itself answers";
const SET_UP = "the recorder had changed the data base in a way that the recording does not show";
const LEVELS = "nobody sees, changes or makes somebody above himself (Part 7, 7)";
const CASE = "addresses are unique in any case, and found in any case (Part 7, 14)";
const LINK = "a mail brings a link and no password; the old one counts until that is used (Part 7, 1 and 16)";
const POLICY = "passwords have at least eight characters (Part 7, 11)";
const PYTHON = "the text names a class of Python";
const FORMS = "forms are taken where the original fails (Part 7, 12)";
const PROFILE = "everybody can be changed, as a profile is made of defaults";
const SECURE = "people do not switch off their own secure_password (Part 7, 10)";
const BINARY = "the recording holds the picture as text, which is no picture any more";
const OWN = "our own limit";

export const DEVIATIONS: readonly Deviation[] = [
  of("default", 204, PREFLIGHT, [
    "login/OPTIONS",
    "logout/OPTIONS",
    ...[
      "/auth/user/list/",
      "/auth/profile/update/",
      "/auth/request-password/",
      "/auth/refresh/",
      "/auth/grouplevel/list/",
    ].flatMap((path) => [`OPTIONS with token ${path}`, `OPTIONS without token (browser preflight) ${path}`]),
  ]),
  of("default", 200, SLASH, [
    "login/no trailing slash",
    "no trailing slash /auth/user/list",
    "no trailing slash /auth/logout",
  ]),
  of("default", 405, SLASH, ["login/no trailing slash GET"]),
  of("default", 406, SLASH, [
    "no trailing slash /auth/user/add",
    "no trailing slash /auth/user/delete",
    "no trailing slash /auth/user/update",
  ]),
  of("default", 200, FORMS, ["update/form-encoded"]),
  of("default", 201, FORMS, ["add/form-encoded"]),
  of("default", 401, "closing and the limit come after the password (Part 7, 3)", [
    "login/wrong password while session open",
    "login/no profile wrong password",
  ]),
  of("default", 200, "a wrong password closes nothing (Part 7, 3)", [
    "login/t2 after close with wrong password",
  ]),
  of("default", 412, "a wrong password closes nothing (Part 7, 3)", ["login/email other case"]),
  of("default", 400, "null characters are refused before the fields are read", ["login/NUL in email"]),
  of("default", 401, "addresses are unique: there are no duplicates (Part 7, 14)", [
    "login/duplicate e-mail first wins",
  ]),
  of("default", 200, SET_UP, [
    "user/update avatar of another",
    "user/retrieve has no avatar",
    "user/update duplicate keys in roles",
    "user/update roles null",
    "user/update is_active text",
    "logout/then login at first origin still 412",
    "deleted user token /auth/logout/",
    "deleted user token /auth/group/list/",
    "deleted user token /auth/profile/update/",
    "deleted user token /auth/user/profile/",
    "deleted user token /auth/request-password/",
    "deleted user token refresh",
    "inactive user loses model permissions",
    "inactive superuser keeps everything",
    "refresh/user without profile",
    "refresh/session evicted from cache",
    "group/list no groups at all",
    "group/list all filtered away: 200 with empty list",
    "delete/protected records",
  ]),
  of("default", 204, SET_UP, ["deleted user token /auth/user/avatar/"]),
  of("default", 401, SET_UP, [
    "user/add with markup in the name",
    "delete by duplicate e-mail: first",
    "flags are read from the data base, not from the token",
    "refresh of inactive user works",
    "user/list by a permission of the group",
    "update/as plain no permission",
  ]),
  of("default", 406, SET_UP, ["request-password with duplicate e-mail: first one only"]),
  of("default", 200, "a refresh that is refused burns nothing (Part 7, 9)", ["refresh/that token is burned"]),
  of("default", 406, POLICY, [
    "change/one char accepted",
    "change/empty string accepted",
    "change/from empty to null = unusable",
  ]),
  of("default", 200, CASE, ["request/other case", "update/email other case", "delete/email other case"]),
  of("default", 406, CASE, [
    "add/duplicate other case is accepted",
    "update/email in use other case accepted",
  ]),
  of("default", 200, LINK, ["request/login with old"]),
  of("default", 401, LINK, [
    "request/login with new",
    "login with the unescaped one",
    "add/login with mailed password",
    "add/login with own password",
  ]),
  of("default", 406, LEVELS, [
    "retrieve/viewer reads an admin (no level check)",
    "add/as manager any permission can be granted",
    "update/manager edits an admin",
    "update/manager makes itself superuser (no level check)",
    "update/manager demotes root",
  ]),
  of("default", 406, "an address is not blank", ["add/second blank email"]),
  of("default", 406, OWN, ["add/long first name", "add/huge timeout"]),
  of("default", 201, "null leaves what is there, as in user/update", ["add/roles null"]),
  of("default", 201, "the time of the last sign-in is a fact and not set by anybody", ["add/bad last_login"]),
  of("default", 412, "a session is the user's and not his name's", [
    "update/username renamed: session lookup key changed",
  ]),
  of("default", 200, PROFILE, ["update/user without profile"]),
  of("default", 200, SECURE, ["profile/read back", "profile/read back after form", "avatar/in user/profile"]),
  of("default", 400, PYTHON, ["profile/avatar number", "profile/avatar object"]),
  of("default", 400, "no format of ours is tried out", ["profile/avatar bmp"]),
  of("default", 400, BINARY, ["profile/avatar multipart"]),
  of("avatar_url", 400, BINARY, ["profile/update multipart"]),
  of("avatar_url", 204, BINARY, ["avatar"]),
  of("avatar_url", 200, "both forms are taken in both modes (Part 7, 18)", [
    "user/profile",
    "profile/update base64 in URL mode",
  ]),
  of("include_permissions", 200, SET_UP, ["retrieve manager", "update manager"]),
  of("lang_es", 200, SET_UP, ["412"]),
  of("lang_locale_mw", 200, SET_UP, ["412 with Accept-Language es"]),
  of("no_auto", 406, POLICY, ["add ok", "add taken username", "add password with spaces trimmed"]),
  of("no_auto", 401, POLICY, ["login", "login e trimmed"]),
  of("tz_bogota", 401, SET_UP, ["refresh"]),
  of("auth-3.0.1", 406, "our own policy, in its own words", ["3.0.1 change weak"]),
  of("auth-3.0.1", 406, "another code was mailed", ["3.0.1 request good code"]),
  of("auth-3.0.1", 401, "an account is locked after ten failures, unless the tenant says five", [
    "3.0.1 failed login 6",
  ]),
  of("auth-3.0.1", 200, "an account is locked after ten failures, unless the tenant says five", [
    "3.0.1 then correct password",
  ]),
  of("auth-3.0.1", 401, "a menu is somebody's", ["3.0.1 menu no app_id", "3.0.1 menu unknown"]),
];
