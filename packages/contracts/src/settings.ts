import { type Static, Type } from "typebox";
import { RoleName } from "./access.ts";
import { Line, Nullable, OneOf, Optionals, StrictObject, WebAddress } from "./common.ts";

const DAY = 86_400;
const YEAR = 365 * DAY;

const seconds = (minimum: number, maximum: number, description: string) =>
  Type.Integer({ minimum, maximum, description: `${description}, in seconds` });

const Color = Type.String({
  maxLength: 7,
  pattern: "^#[0-9A-Fa-f]{6}$",
  description: "`#rrggbb`",
  examples: ["#0f766e"],
});

/** Scripts can hide in an SVG, so of data addresses only bitmaps are taken. */
export const Logo = Type.String({
  maxLength: 65_536,
  pattern:
    '^(?:https://[^\\s\\u0000-\\u001F\\u007F-\\u009F<>"\\\\^`{|}]+|data:image/(?:png|jpeg|gif|webp);base64,[A-Za-z0-9+/]+={0,2})$',
  description: "An `https:` address, or a PNG, JPEG, GIF or WebP as a base64 `data:` address",
});

export const LanguageTag = Type.String({
  maxLength: 35,
  pattern: "^[A-Za-z]{2,8}(?:-[A-Za-z0-9]{1,8})*$",
  description: "BCP 47",
  examples: ["zh-CN"],
});

const lockout = {
  attempts: Type.Integer({ minimum: 1, maximum: 1_000, description: "Failed sign-ins of one account" }),
  seconds: seconds(1, DAY, "In which they are counted, and for which the account is then locked"),
  maximumSeconds: seconds(
    1,
    7 * DAY,
    "Each further lock of the account within a week, without a right sign-in, is twice as long, up to this",
  ),
};

const passwordPolicy = {
  minLength: Type.Integer({ minimum: 1, maximum: 128, description: "In characters (NIST SP 800-63B: 8)" }),
  maxLength: Type.Integer({ minimum: 64, maximum: 256, description: "In characters" }),
  historyLength: Type.Integer({
    minimum: 0,
    maximum: 24,
    description: "So many earlier passwords are refused",
  }),
  checkBreached: Type.Boolean({ description: "Refuse passwords of the server's list of breached ones" }),
};

export const WHEN_FULL = ["end-oldest", "refuse"] as const;

const sessions = {
  idleSeconds: seconds(60, YEAR, "A session ends when it was not used for so long"),
  absoluteSeconds: seconds(60, YEAR, "A session ends at the latest after so long"),
  maximum: Nullable(Type.Integer({ minimum: 1, maximum: 1_000 }), {
    description: "Sessions that one user may have at a time; null: any number",
  }),
  whenFull: OneOf(WHEN_FULL, {
    description: "One more sign-in ends the oldest session, or is refused",
  }),
};

/** What a sign-in can begin with. */
export const SIGN_IN_METHODS = ["password", "passkey", "email_code", "sms_code", "magic_link"] as const;
export type SignInMethod = (typeof SIGN_IN_METHODS)[number];

/** What a sign-in can be completed with. */
export const SECOND_FACTORS = ["totp", "passkey", "email_code", "sms_code", "recovery_code"] as const;
export type SecondFactor = (typeof SECOND_FACTORS)[number];

export const RECOVERY_CHANNELS = ["email", "sms"] as const;

/** From the mildest to the strictest. */
export const SECOND_FACTOR_POLICIES = ["never", "enrolled", "new_device", "always"] as const;
export type SecondFactorPolicy = (typeof SECOND_FACTOR_POLICIES)[number];

const signIn = {
  methods: Type.Array(OneOf(SIGN_IN_METHODS), {
    minItems: 1,
    maxItems: SIGN_IN_METHODS.length,
    uniqueItems: true,
    description:
      "What a sign-in can begin with. Codes and links go to verified addresses only. Applications can allow fewer",
  }),
  secondFactors: Type.Array(OneOf(SECOND_FACTORS), {
    maxItems: SECOND_FACTORS.length,
    uniqueItems: true,
    description: "What counts as a second factor. A verified passkey is both factors at once",
  }),
  secondFactor: OneOf(SECOND_FACTOR_POLICIES, {
    description:
      "Who is asked for one. `enrolled`: who has one; `new_device`: everybody, and who has none must enrol; both " +
      "except on remembered devices. `always`: everybody, every time. Applications can be stricter",
  }),
  secondFactorRoles: Type.Array(RoleName, {
    maxItems: 100,
    uniqueItems: true,
    description: "Roles whose holders are always asked",
  }),
  staleSeconds: Nullable(Type.Integer({ minimum: 60, maximum: YEAR }), {
    description:
      "An application is entered only with a sign-in younger than so many seconds; null: of any age",
  }),
  rememberDeviceDays: Type.Integer({
    minimum: 0,
    maximum: 365,
    description: "How long a browser that was told to is not asked for a second factor; 0: never",
  }),
  verifyEmail: Type.Boolean({
    description: "Who creates an account must give an e-mail address and confirm it before signing in",
  }),
  changeUsername: Type.Boolean({
    description:
      "People may change their own username. Programs that know people by it see somebody else then",
  }),
  recovery: Type.Array(OneOf(RECOVERY_CHANNELS), {
    maxItems: RECOVERY_CHANNELS.length,
    uniqueItems: true,
    description:
      "How the code goes with which a forgotten password is replaced, to a verified address; empty: only an " +
      "administrator can replace it",
  }),
};

export const SIGNING_ALGORITHMS = ["ES256", "RS256", "EdDSA"] as const;
export type SigningAlgorithm = (typeof SIGNING_ALGORITHMS)[number];

const tokens = {
  accessTokenSeconds: seconds(30, DAY, "Lifetime of access tokens"),
  refreshTokenSeconds: seconds(60, 2 * YEAR, "Lifetime of a refresh token since its last use"),
  idTokenSeconds: seconds(30, DAY, "Lifetime of ID tokens"),
  codeSeconds: seconds(10, 600, "Lifetime of authorization codes (RFC 6749 §4.1.2: at most ten minutes)"),
  signingAlgorithm: OneOf(SIGNING_ALGORITHMS),
  keyRotationDays: Type.Integer({
    minimum: 1,
    maximum: 3_650,
    description: "Age at which a signing key is replaced",
  }),
};

const branding = {
  displayName: Nullable(Line(64), { description: "On the hosted pages; null: the tenant's name" }),
  logo: Nullable(Logo),
  accent: Nullable(Color),
  background: Nullable(Color),
  scheme: OneOf(["light", "dark", "automatic"]),
};

const Origin = Type.String({
  maxLength: 255,
  pattern: "^(?:\\*|https?://[A-Za-z0-9.:\\[\\]-]+)$",
  description: "`https://shop.example.com`; `*` stands for every one",
});

/** The dialect of zibanu-django-auth at `/zibanu`. What begins with `danger` brings one of its own risks back. */
const zibanu = {
  compat: OneOf(["1.1", "3.0"], { description: "The release whose statuses and error codes are answered" }),
  errorFormat: OneOf(["drf", "zibanu"], {
    description:
      "Whether errors of the framework look like the framework's or as its exception handler writes them",
  }),
  language: OneOf(["automatic", "en", "es", "zh-CN"], {
    description: "Of the messages; automatic: what Accept-Language asks for",
  }),
  timeZone: Line(64, { minLength: 1, description: "Whose offset the times in answers have: an IANA name" }),
  tokenSeconds: seconds(60, DAY, "Lifetime of a sliding token"),
  sessionSeconds: seconds(60, YEAR, "So long a token can be refreshed after the sign-in"),
  acceptBearer: Type.Boolean({ description: "Take `Bearer` for `JWT` in the Authorization header" }),
  allowedOrigins: Type.Array(Origin, {
    maxItems: 100,
    uniqueItems: true,
    description: "Web pages that may call the dialect (CORS)",
  }),
  allowMultipleLogin: Type.Boolean({
    description: "Whether people who are no staff may have several sessions where their profile says so",
  }),
  automaticUsername: Type.Boolean({ description: "A new user's username is made up" }),
  automaticPassword: Type.Boolean({
    description: "A new user chooses the password by the invitation's link",
  }),
  includeRoles: Type.Boolean({ description: "Name the groups in answers about a user" }),
  includePermissions: Type.Boolean({ description: "Name the direct permissions in answers about a user" }),
  avatarFormat: OneOf(["base64", "url"]),
  avatarBytes: Type.Integer({ minimum: 1_024, maximum: 1_048_576, description: "Largest avatar" }),
  avatarPixels: Type.Integer({ minimum: 16, maximum: 8_192, description: "Largest width and height" }),
  defaultTheme: Line(50, { minLength: 1 }),
  staffRole: Type.String({
    minLength: 1,
    maxLength: 128,
    pattern: "^[^\\s\\u0000-\\u001F\\u007F-\\u009F/*]+$",
    description: "Code of the role that `is_staff` stands for",
  }),
  requireProfile: Type.Boolean({ description: "Refuse the sign-in of users who have no preferences at all" }),
  guestLevel: Type.Boolean({ description: "Let the level 9 of a group count for its members" }),
  dangerMailPasswords: Type.Boolean({
    description: "Send passwords in the clear, and replace a forgotten one at once",
  }),
  dangerTellUnknownEmail: Type.Boolean({
    description: "Say at request-password whether an address is registered",
  }),
  dangerIgnoreLevels: Type.Boolean({
    description: "Let people change and delete users of a higher level than their own",
  }),
  dangerWeakenOwnPassword: Type.Boolean({ description: "Let people switch off their own secure_password" }),
};

const CookieDomain = Type.String({
  maxLength: 253,
  pattern: "^[a-z0-9](?:[a-z0-9-]*[a-z0-9])?(?:\\.[a-z0-9](?:[a-z0-9-]*[a-z0-9])?)+$",
  examples: ["example.com"],
});

const ReturnHost = Type.String({
  maxLength: 260,
  pattern:
    "^(?:\\*|\\.[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?|[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?(?::[0-9]{1,5})?|" +
    "\\[[0-9a-f:.]{2,45}\\](?::[0-9]{1,5})?)$",
  examples: [".example.com"],
});

/** The dialect of BlueKing's login service. Lifetimes only shorten those of `sessions`. */
const blueking = {
  allowedReturnHosts: Type.Array(ReturnHost, {
    maxItems: 100,
    uniqueItems: true,
    description:
      "Where a sign-in may return to (`c_url`), beside applications' `allowedReturnOrigins`: `host` (any port), " +
      "`host:port`, `.domain` (itself and everything below, any port) or `*`. All but `*` may also frame `/login/plain/`",
  }),
  defaultReturnUrl: Nullable(WebAddress(), {
    description: "Where a sign-in without a usable `c_url` ends; null: the account page",
  }),
  requireHttpsReturn: Type.Boolean({ description: "Return to `https:` addresses only" }),
  cookieDomain: Nullable(CookieDomain, {
    description:
      "Domain of the cookies, which is that of the applications too; null: this server's host only",
  }),
  cookieSecure: OneOf(["automatic", "always", "never"], {
    description: "`automatic`: cookies are `Secure` when the public address has https",
  }),
  ticketCookies: OneOf(["bk_token", "bk_ticket", "both"], {
    description: "Which cookies carry the ticket",
  }),
  ticketSeconds: seconds(60, YEAR, "A ticket ends after so long"),
  ticketIdleSeconds: seconds(60, YEAR, "A ticket ends when nobody asked for it for so long"),
  ticketsPerUser: Nullable(Type.Integer({ minimum: 1, maximum: 1_000 }), {
    description: "Tickets of a user at a time, the oldest ends; null: any number",
  }),
  requireAppCredentials: Type.Boolean({
    description:
      "Refuse to verify tickets for callers that do not show an application's secret (bkpaas-auth 2.x)",
  }),
  timeZone: Line(64, { minLength: 1, description: "IANA name, of users who have none" }),
  gatewayIssuer: Line(64, { minLength: 1, description: "`iss` of gateway tokens" }),
  gatewayKeyRotationDays: Nullable(Type.Integer({ minimum: 1, maximum: 3_650 }), {
    description:
      "Age at which the key of gateway tokens is replaced; null: by hand, since services fetch it once and keep it",
  }),
};

const values = {
  signUp: OneOf(["open", "closed"], { description: "Whether people may create an account themselves" }),
  signInForm: OneOf(["together", "identifier_first"], {
    description: "Whether the sign-in page asks for identifier and password at once",
  }),
  locale: Nullable(LanguageTag, {
    description: "Language of the pages when the browser asks for none that we have",
  }),
};

/** A tenant's settings, complete. */
export const TenantSettings = Type.Object({
  ...values,
  lockout: Type.Object(lockout),
  passwordPolicy: Type.Object(passwordPolicy),
  sessions: Type.Object(sessions),
  tokens: Type.Object(tokens),
  signIn: Type.Object(signIn),
  branding: Type.Object(branding),
  zibanu: Type.Object(zibanu),
  blueking: Type.Object(blueking),
});
export type TenantSettings = Static<typeof TenantSettings>;

/** A change of settings: absent = unchanged, and within a group too. */
export const TenantSettingsPatch = StrictObject({
  ...Optionals(values),
  lockout: Type.Optional(StrictObject(Optionals(lockout))),
  passwordPolicy: Type.Optional(StrictObject(Optionals(passwordPolicy))),
  sessions: Type.Optional(StrictObject(Optionals(sessions))),
  tokens: Type.Optional(StrictObject(Optionals(tokens))),
  signIn: Type.Optional(StrictObject(Optionals(signIn))),
  branding: Type.Optional(StrictObject(Optionals(branding))),
  zibanu: Type.Optional(StrictObject(Optionals(zibanu))),
  blueking: Type.Optional(StrictObject(Optionals(blueking))),
});
export type TenantSettingsPatch = Static<typeof TenantSettingsPatch>;
