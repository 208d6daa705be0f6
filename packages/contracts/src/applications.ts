import { type Static, Type } from "typebox";
import {
  Id,
  Json,
  Line,
  Lines,
  Nullable,
  OneOf,
  Optionals,
  Serial,
  Slug,
  StrictObject,
  Timestamp,
  Version,
  WebAddress,
} from "./common.ts";
import { Logo, SECOND_FACTOR_POLICIES, SIGN_IN_METHODS, SIGNING_ALGORITHMS, WHEN_FULL } from "./settings.ts";

export const GRANT_TYPES = ["authorization_code", "refresh_token", "client_credentials"] as const;
export type GrantType = (typeof GRANT_TYPES)[number];

export const TOKEN_ENDPOINT_AUTH_METHODS = [
  "client_secret_basic",
  "client_secret_post",
  "private_key_jwt",
  "none",
] as const;
export type TokenEndpointAuthMethod = (typeof TOKEN_ENDPOINT_AUTH_METHODS)[number];

/** What a new application may ask for when nothing else is said. */
export const STANDARD_SCOPES = ["openid", "profile", "email", "address", "phone", "offline_access"] as const;
/** Everything an application may be allowed to ask for: the standard ones and our own. */
export const SCOPES = [...STANDARD_SCOPES, "roles", "account", "manage"] as const;
export type Scope = (typeof SCOPES)[number];

export const MAXIMUM_SECRETS = 5;

const DAY = 86_400;

const Uri = Type.String({ minLength: 1, maxLength: 2_048, pattern: "^[\\u0021-\\u007E]+$" });

const settings = {
  accessTokenSeconds: Nullable(Type.Integer({ minimum: 30, maximum: DAY }), {
    description: "Lifetime of access tokens, in seconds; null: the tenant's",
  }),
  refreshTokenSeconds: Nullable(Type.Integer({ minimum: 60, maximum: 730 * DAY }), {
    description: "Lifetime of a refresh token since its last use, in seconds; null: the tenant's",
  }),
  sessionIdleSeconds: Nullable(Type.Integer({ minimum: 60, maximum: 365 * DAY }), {
    description:
      "A session that began here ends when it was not used for so long, in seconds, if the tenant's is longer",
  }),
  sessionAbsoluteSeconds: Nullable(Type.Integer({ minimum: 60, maximum: 365 * DAY }), {
    description:
      "A session that began here ends at the latest after so long, in seconds; who signed in elsewhere longer ago is asked again",
  }),
  maximumSessions: Nullable(Type.Integer({ minimum: 1, maximum: 1_000 }), {
    description: "Sessions that one user may have begun here at a time; null: any number",
  }),
  whenSessionsFull: Nullable(OneOf(WHEN_FULL), {
    description: "One more sign-in ends the oldest of them, or is refused; null: as the tenant says",
  }),
  idTokenSignedResponseAlg: Nullable(OneOf(SIGNING_ALGORITHMS), {
    description: "Algorithm of ID tokens (OIDC Registration §2); null: the tenant's",
  }),
  secondFactor: Nullable(OneOf(SECOND_FACTOR_POLICIES), {
    description:
      "Who is asked for a second factor, where that is stricter than the tenant's setting; null: the tenant's",
  }),
  headlessSignIn: Nullable(Type.Boolean(), {
    description:
      "Whether it may sign people in with its own forms, by the API: it sees what they type. Needs `implicit` consent. " +
      "null: no",
  }),
};

const ApplicationSettings = Type.Object(settings);
export type ApplicationSettings = Static<typeof ApplicationSettings>;

const values = {
  slug: Slug,
  name: Line(128, { minLength: 1 }),
  description: Lines(1_024),
  logo: Nullable(Logo),
  homepage: Nullable(WebAddress()),
  status: OneOf(["active", "disabled"], { description: "Nothing works for a disabled application" }),
  redirectUris: Type.Array(Uri, {
    maxItems: 100,
    uniqueItems: true,
    description:
      "Compared exactly, as strings. Absolute, without fragment, user or wildcard; https, http of the loopback " +
      "interface, or an application's own scheme with a dot (RFC 8252 §7)",
  }),
  postLogoutRedirectUris: Type.Array(Uri, {
    maxItems: 100,
    uniqueItems: true,
    description: "Where a browser may go after signing out; the rules of `redirectUris`",
  }),
  backchannelLogoutUri: Nullable(Uri, {
    description:
      "Told when a session ends in which somebody signed in here (OpenID Connect Back-Channel Logout 1.0): https, or " +
      "http of the loopback interface, without fragment",
  }),
  allowedReturnOrigins: Type.Array(Uri, {
    maxItems: 100,
    uniqueItems: true,
    description: "Origins to which log-ins by ticket may return, e.g. `https://shop.example.com`",
  }),
  grantTypes: Type.Array(OneOf(GRANT_TYPES), {
    minItems: 1,
    maxItems: GRANT_TYPES.length,
    uniqueItems: true,
  }),
  tokenEndpointAuthMethod: OneOf(TOKEN_ENDPOINT_AUTH_METHODS, {
    description: "`none`: a public client, which has no secret",
  }),
  jwks: Nullable(
    StrictObject({
      keys: Type.Array(Type.Record(Type.String({ maxLength: 64 }), Json), { minItems: 1, maxItems: 10 }),
    }),
    { description: "Public keys for `private_key_jwt` (RFC 7517)" },
  ),
  scopes: Type.Array(OneOf(SCOPES), {
    maxItems: SCOPES.length,
    uniqueItems: true,
    description: "Which scopes it may ask for",
  }),
  access: OneOf(["everyone", "assigned"], {
    description: "Whether every user of the tenant may use it, or those assigned to it",
  }),
  administers: Nullable(Type.Literal("tenant"), {
    description: "`tenant`: its own tokens may manage the whole tenant. Setting it needs the permission `*`",
  }),
  signInMethods: Type.Array(OneOf(SIGN_IN_METHODS), {
    minItems: 1,
    maxItems: SIGN_IN_METHODS.length,
    uniqueItems: true,
    description: "What a sign-in to it can begin with, of what the tenant's settings allow",
  }),
  consent: OneOf(["ask", "implicit"], {
    description: "`implicit`: nobody is asked for consent; for applications of the organisation itself",
  }),
};

/** A program that signs people in, or that calls us for itself: an OAuth client. Its `id` is the `client_id`. */
export const Application = Type.Object({
  id: Id,
  serial: Serial,
  ...values,
  settings: ApplicationSettings,
  version: Version,
  createdAt: Timestamp,
  updatedAt: Timestamp,
});
export type Application = Static<typeof Application>;

export const CreateApplication = StrictObject({
  ...Optionals(values),
  slug: values.slug,
  name: values.name,
  settings: Type.Optional(StrictObject(Optionals(settings))),
});
export type CreateApplication = Static<typeof CreateApplication>;

export const UpdateApplication = StrictObject({
  ...Optionals(values),
  settings: Type.Optional(StrictObject(Optionals(settings))),
});
export type UpdateApplication = Static<typeof UpdateApplication>;

/** The answer to a creation: the only time that the secret is shown. */
export const CreatedApplication = Type.Object({
  ...Application.properties,
  secret: Type.Optional(
    Nullable(Type.String(), { description: "Shown this once; null for clients without a secret" }),
  ),
});
export type CreatedApplication = Static<typeof CreatedApplication>;

export const ApplicationSecret = Type.Object({
  id: Id,
  hint: Type.String({ description: "Its last four characters" }),
  createdAt: Timestamp,
  expiresAt: Nullable(Timestamp),
});
export type ApplicationSecret = Static<typeof ApplicationSecret>;

export const AddApplicationSecret = StrictObject({
  expireOthersAt: Type.Optional(
    Type.String({
      format: "date-time",
      maxLength: 64,
      description: "Until then the present secrets work beside the new one; absent: they are kept",
    }),
  ),
});
export type AddApplicationSecret = Static<typeof AddApplicationSecret>;

export const CreatedApplicationSecret = Type.Object({
  ...ApplicationSecret.properties,
  secret: Type.String({ description: "Shown this once" }),
});
export type CreatedApplicationSecret = Static<typeof CreatedApplicationSecret>;

export const ApplicationSecrets = Type.Object({ items: Type.Array(ApplicationSecret) });

/** One user who may use an application whose `access` is `assigned`. */
export const ApplicationAssignment = Type.Object({ userId: Id, createdAt: Timestamp });
export type ApplicationAssignment = Static<typeof ApplicationAssignment>;
