import { EVERYTHING, isRecording } from "./recordings.ts";

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
const GONE = "a token ends with its session and its user (Part 7, 8)";
const MAILS =
  "mails are sent in their own time: an answer does not depend on them, and a link changes no password";
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

/** Two sentences where the older simplejwt has one: "Token is invalid or expired". */
const NEWEST = /Token is (?:invalid|expired)"/;

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
  of("default", 401, "addresses are unique: there are no duplicates (Part 7, 14)", []),
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
  of("default", 200, PROFILE, ["update/user without profile", "refresh/user without profile"]),
  of("default", 401, GONE, [
    "inactive user token still works",
    "refresh of inactive user works",
    "deleted user token /auth/grouplevel/list/",
    "deleted user token /auth/request-password/",
    "inactive staff still lists permissions",
    "inactive user loses model permissions",
    "inactive superuser keeps everything",
    "update/as plain no permission",
    "minted unknown jti (never issued) on user/profile",
    "minted unknown jti (never issued) on logout",
    "minted unknown jti (never issued) on refresh",
  ]),
  of("default", 200, "sessions are rows: no cache forgets them (Part 7, 15)", [
    "refresh/session evicted from cache",
  ]),
  of("default", 200, "no record of ours keeps a user from being deleted", ["delete/protected records"]),
  of("default", 200, "addresses are unique: there are no duplicates (Part 7, 14)", [
    "update by duplicate e-mail",
  ]),
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
  of("no_auto", 406, POLICY, ["add ok", "add taken username", "add password with spaces trimmed"]),
  of("no_auto", 401, POLICY, ["login", "login e trimmed"]),
  of("auth-3.0.1", 406, "our own policy, in its own words", ["3.0.1 change weak"]),
  of("auth-3.0.1", 406, "another code was mailed", ["3.0.1 request good code"]),
  of("auth-3.0.1", 401, "an account is locked after ten failures, unless the tenant says five", [
    "3.0.1 failed login 6",
  ]),
  of("auth-3.0.1", 200, "an account is locked after ten failures, unless the tenant says five", [
    "3.0.1 then correct password",
  ]),
  of("auth-3.0.1", 401, "a menu is somebody's", ["3.0.1 menu no app_id", "3.0.1 menu unknown"]),
  of("include_permissions", 200, "permissions have names of ours", ["retrieve manager", "update manager"]),
  of("avatar_size", 200, "a picture can be taken away whatever size is allowed", ["empty"]),
  of("hs256_bearer", 200, "where `Bearer` is taken, `JWT` still is", ["JWT scheme"]),
  of("no_blacklist", 200, "what ended is always known: there is no other set-up", ["login close"]),
  of("receivers_nologging", 406, "an address is not blank", ["user/add blank e-mail without logging app"]),
  of("mail_refused", 200, MAILS, ["old password gone"]),
  of("mail_refused", 406, POLICY, ["change-password"]),
  of("mail_dns", 200, MAILS, ["request-password", "old password gone"]),
  of("mail_dns", 201, MAILS, ["user/add"]),
  of("mail_dns", 401, POLICY, ["changed all the same"]),
  of(
    "latest-deps",
    401,
    "the words are those of the release's own time; those of the newest simplejwt come with compat 3.0",
    EVERYTHING.filter(isRecording)
      .filter(({ config, answer }) => config === "latest-deps" && NEWEST.test(JSON.stringify(answer)))
      .map(({ name }) => name),
  ),
];

const listed = (reason: string, names: string[]) => ({ reason, names });

/** What the recorder noted and nothing of ours can be compared with, and why. Every answer is replayed. */
export const NOT_REPLAYED: readonly { reason: string; names: readonly string[] }[] = [
  listed("versions of Python and its packages", ["default: oracle versions", "default: versions"]),
  listed("a wrong password closes nothing (Part 7, 3); the answers around it are replayed", [
    "default: cache after hostile close",
  ]),
  listed("rows of their tables of tokens: ours are sessions, compared as `cache`", ["default: tokens"]),
  listed("rows of their log of mails, or of none; the mails themselves are compared, and our own events", [
    "default: logs after login suite",
    "default: logs",
    "default: mail log",
    "mail_refused: logs",
    "mail_dns: logs",
  ]),
  listed("theirs has no event for it; ours has `user.logout` and `token.refreshed` (behaviour.test.ts)", [
    "receivers: log of logout (none)",
    "receivers: log of refresh and profile/update",
  ]),
  listed(
    "passwords in mails: ours brings a link (Part 7, 1 and 16); escaping is 17 (messages of their own)",
    [
      "default: request/ok new password",
      "default: request/secure new password",
      "default: 12 secure passwords: lengths and punctuation seen",
      "default: add/full mailed password",
      "default: plain-text mail shows HTML-escaped password",
      "default: greeting lines",
      "default: full wire message of user/add",
      "no_auto: mail carries the given password in clear text",
      "tz_bogota: mail line",
      "auth-3.0.1: 3.0.1 new password mail",
    ],
  ),
  listed("an empty password is refused, so none becomes unusable (Part 7, 11)", [
    "default: unusable hash prefix",
  ]),
  listed("five requests in an hour, then 429 (Part 7, 5; checks.test.ts)", [
    "default: tenth status and mails",
  ]),
  listed("permissions are ours: there are others than Django's 56", [
    "default: permission/list count as root",
    "default: permission/list count as staff",
    "default: permission/list count as manager",
    "default: perms db",
    "include_permissions: token payload",
  ]),
  listed("levels forbid what was done before it (Part 7, 7)", [
    "default: add/as manager rolled back",
    "default: manager is superuser now",
  ]),
  listed("everybody has a profile, made of defaults, so the change was taken", [
    "default: user without profile first_name after 404",
  ]),
  listed("names of files: our pictures are rows with addresses that cannot be guessed (Part 7, 18)", [
    "default: stored name",
    "default: stored name 2",
    "default: stored name 3",
  ]),
  listed("one of six gets in, not all (Part 7, 15): checks.test.ts", [
    "default: six concurrent logins of a single-session user: statuses",
  ]),
  listed("a measurement of time (Part 7, 4)", ["default: median seconds: unknown e-mail vs known"]),
  listed("HS512 with a key of its own is the only algorithm (Part 7, 21)", ["hs256_bearer: header"]),
  listed("a sign-in is always noted", [
    "hs256_bearer: last_login set by Django itself even with UPDATE_LAST_LOGIN off",
  ]),
  listed("tokens live for a minute at least, and as long as they can be refreshed", ["short_life: claims"]),
  listed("`user_id` is a text with compat 3.0 only (there it is compared)", [
    "latest-deps: login/ok decoded",
  ]),
  listed("whether Django starts", ["no_default_theme: start without ZB_AUTH_DEFAULT_THEME"]),
  listed("somebody who may have several sessions is never limited, so his are none to count", [
    "allow_multiple: plain cache entry stays",
  ]),
];
