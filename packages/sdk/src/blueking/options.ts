import { createHmac, createSecretKey, randomBytes } from "node:crypto";
import type { DatabaseUsers } from "./database-users.ts";
import { BkAuthError } from "./errors.ts";
import type { GatewayJwtVerifier } from "./gateway-jwt.ts";
import { type BkLogger, consoleLogger } from "./log.ts";
import type { Clock } from "./login-token.ts";
import { ProviderType } from "./providers.ts";
import { type BkTlsOptions, type BkTransport, nodeTransport } from "./transport.ts";
import type { DetailsCache } from "./user-details.ts";

/** The cookie a login service sets, which is also the name of the credential. */
export type BkBackendType = "bk_token" | "bk_ticket";

/** Everything that can be set; in brackets the setting of bkpaas_auth it stands for. All times are seconds. */
export interface BkAuthOptions<Row extends object = object> {
  /** [BKAUTH_BACKEND_TYPE] Default `bk_token`. */
  backendType?: BkBackendType;
  /** [BKAUTH_USER_COOKIE_VERIFY_URL] Where a ticket is verified. This or `userInfoGatewayUrl` is needed. */
  verifyUrl?: string;
  /**
   * true sends the ticket in a POST, where no access log writes it down, and not in the address. Ostiary takes that, other
   * login services do not; not with `userInfoGatewayUrl`. Default false.
   */
  verifyByPost?: boolean;
  /** [BKAUTH_USER_INFO_APIGW_URL] The gateway of the tenant edition; goes before `verifyUrl`, for `bk_token` only. */
  userInfoGatewayUrl?: string;
  /** [BKAUTH_ENABLE_MULTI_TENANT_MODE] A user without a tenant is then refused. Default false. */
  multiTenant?: boolean;
  /** [BKAUTH_TOKEN_USER_INFO_ENDPOINT] Where `getUserByUserId` asks for details. */
  userInfoEndpoint?: string;
  /**
   * [BKAUTH_TOKEN_APP_CODE, BKAUTH_TOKEN_SECRET_KEY] The application's own name and secret. Both or none; without them a
   * `bk_token` is verified as bkpaas_auth 2.x does, with no authorization header.
   */
  appCode?: string;
  appSecret?: string;
  /** [BKAUTH_LOGIN_TOKEN_EXPIRE_IN] Life of the token in the session; more than 0. Default 86,400. */
  loginTokenExpiresIn?: number;
  /** [BKAUTH_SESSION_TIMEOUT] For how long a verified ticket is not asked about again. Default 300. */
  sessionTimeout?: number;
  /** [BKAUTH_REQUESTS_VERIFY, BKAUTH_REQUESTS_CERT] */
  tls?: BkTlsOptions;
  /** [BKAUTH_USE_MOCKED_USER_INFO, BKAUTH_MOCKED_USER_NAME] Development only: whoever is verified becomes this RTX user. */
  mockedUsername?: string;
  /** [BKAUTH_DEFAULT_PROVIDER_TYPE] The provider of users from a gateway JWT. Default RTX. */
  defaultProvider?: ProviderType;
  /** [DEFAULT_ADMIN_SUPERUSERS] Usernames that become active staff superusers when `database` creates them. */
  superusers?: readonly string[];
  /** [DjangoAuthUserCompatibleBackend] Maps every user to a row of the application's own table. */
  database?: DatabaseUsers<Row>;
  /** Also accepts the JWT of an API gateway; a valid cookie goes before it. */
  gateway?: GatewayJwtVerifier;
  /**
   * What a session holds of the ticket. `hashed` (default): a keyed hash. `python`: the ticket itself and Django's own
   * keys, so that a Django application with the same session store takes the session over without a verification.
   */
  sessionForm?: "hashed" | "python";
  /** Key of that hash, at least 32 characters; the same in all processes. Default: derived from `appSecret`. */
  sessionKey?: string;
  /** true ends any session when there is no cookie, as bkpaas_auth does; default false ends only its own. */
  logoutWithoutCookie?: boolean;
  /** For how long a ticket that was refused is not asked about again, 0 to 60. Default 5. */
  negativeCacheSeconds?: number;
  /** For how long after `sessionTimeout` a user stays signed in while the service is out of reach, 0 to 3,600. Default 300. */
  outageGraceSeconds?: number;
  /** Cache of user details. Default: 1,000 users in memory. */
  detailsCache?: DetailsCache;
  /** Life of a cached detail. Default 86,400. */
  detailsCacheSeconds?: number;
  logger?: BkLogger;
  /** For tests and for runtimes without node:http. Must keep to what `BkTransport` says. */
  transport?: BkTransport;
  clock?: Clock;
  /** Default `process.env.NODE_ENV === "production"`: refuses `mockedUsername`. */
  production?: boolean;
}

/** Options with their defaults, checked. */
export interface BkSettings<Row extends object = object> {
  readonly backendType: BkBackendType;
  readonly verifyUrl: string | undefined;
  readonly verifyByPost: boolean;
  readonly userInfoGatewayUrl: string | undefined;
  readonly multiTenant: boolean;
  readonly userInfoEndpoint: string | undefined;
  readonly app: { readonly code: string; readonly secret: string } | undefined;
  readonly loginTokenExpiresIn: number;
  readonly sessionTimeout: number;
  readonly mockedUsername: string | undefined;
  readonly defaultProvider: ProviderType;
  readonly superusers: ReadonlySet<string>;
  readonly database: DatabaseUsers<Row> | undefined;
  readonly gateway: GatewayJwtVerifier | undefined;
  readonly sessionForm: "hashed" | "python";
  readonly logoutWithoutCookie: boolean;
  readonly negativeCacheSeconds: number;
  readonly outageGraceSeconds: number;
  readonly detailsCache: DetailsCache | undefined;
  readonly detailsCacheSeconds: number;
  readonly logger: BkLogger;
  readonly transport: BkTransport;
  readonly clock: Clock;
  /** A keyed hash of a ticket, for sessions and caches. */
  hash(ticket: string): string;
}

/** @throws BkAuthError `configuration`, whose message names the option at fault. */
export function settle<Row extends object>(options: BkAuthOptions<Row>): BkSettings<Row> {
  checkModes(options);
  return {
    backendType: options.backendType ?? "bk_token",
    verifyUrl: address("verifyUrl", options.verifyUrl),
    verifyByPost: options.verifyByPost ?? false,
    userInfoGatewayUrl: address("userInfoGatewayUrl", options.userInfoGatewayUrl),
    multiTenant: options.multiTenant ?? false,
    userInfoEndpoint: address("userInfoEndpoint", options.userInfoEndpoint),
    app:
      options.appCode && options.appSecret ? { code: options.appCode, secret: options.appSecret } : undefined,
    loginTokenExpiresIn: seconds("loginTokenExpiresIn", options.loginTokenExpiresIn, 86_400, 1, 31_536_000),
    sessionTimeout: seconds("sessionTimeout", options.sessionTimeout, 300, 0, 86_400),
    mockedUsername: options.mockedUsername || undefined,
    defaultProvider: options.defaultProvider ?? ProviderType.RTX,
    superusers: new Set(options.superusers),
    database: options.database,
    gateway: options.gateway,
    sessionForm: options.sessionForm ?? "hashed",
    logoutWithoutCookie: options.logoutWithoutCookie ?? false,
    negativeCacheSeconds: seconds("negativeCacheSeconds", options.negativeCacheSeconds, 5, 0, 60),
    outageGraceSeconds: seconds("outageGraceSeconds", options.outageGraceSeconds, 300, 0, 3_600),
    detailsCache: options.detailsCache,
    detailsCacheSeconds: seconds("detailsCacheSeconds", options.detailsCacheSeconds, 86_400, 1, 31_536_000),
    logger: options.logger ?? consoleLogger,
    transport: options.transport ?? nodeTransport(options.tls),
    clock: options.clock ?? Date.now,
    hash: ticketHash(options),
  };
}

/** Combinations that would only fail later, for a user. */
function checkModes(options: Omit<BkAuthOptions, "database">): void {
  const type: string = options.backendType ?? "bk_token";
  if (type !== "bk_token" && type !== "bk_ticket") refuse("backendType is bk_token or bk_ticket");
  if (!options.verifyUrl && !options.userInfoGatewayUrl) refuse("verifyUrl or userInfoGatewayUrl is needed");
  if (type === "bk_ticket" && options.userInfoGatewayUrl) refuse("userInfoGatewayUrl is only for bk_token");
  if (options.verifyByPost && options.userInfoGatewayUrl)
    refuse("verifyByPost is not for userInfoGatewayUrl");
  if (options.multiTenant && type === "bk_ticket") refuse("multiTenant is only for bk_token");
  if (options.multiTenant && !options.userInfoGatewayUrl) refuse("multiTenant needs userInfoGatewayUrl");
  if (Boolean(options.appCode) !== Boolean(options.appSecret))
    refuse("appCode and appSecret belong together");
  if ((options.userInfoGatewayUrl || options.userInfoEndpoint) && !options.appCode)
    refuse("userInfoGatewayUrl and userInfoEndpoint need appCode and appSecret");
  const production = options.production ?? process.env["NODE_ENV"] === "production";
  if (options.mockedUsername && production) refuse("mockedUsername is for development only");
}

function address(name: string, value: string | undefined): string | undefined {
  if (!value) return undefined;
  const protocol = URL.canParse(value) ? new URL(value).protocol : "";
  if (protocol !== "http:" && protocol !== "https:") refuse(`${name} is no http or https address`);
  return value;
}

function seconds(
  name: string,
  value: number | undefined,
  preset: number,
  least: number,
  most: number,
): number {
  const chosen = value ?? preset;
  if (!(chosen >= least && chosen <= most)) refuse(`${name} is ${least} to ${most} seconds`);
  return chosen;
}

/** Two tickets never share a hash, and a session shown to its client tells nothing that opens another application. */
function ticketHash(options: Pick<BkAuthOptions, "sessionKey" | "appSecret">): (ticket: string) => string {
  if (options.sessionKey !== undefined && options.sessionKey.length < 32)
    refuse("sessionKey has at least 32 characters");
  const secret = options.sessionKey ?? options.appSecret;
  const bytes = secret
    ? createHmac("sha256", "ostiary blueking session").update(secret).digest()
    : randomBytes(32);
  const key = createSecretKey(bytes); // made anew for each hash, the key alone costs 8 µs a request
  return (ticket) => createHmac("sha256", key).update(ticket).digest("base64url");
}

function refuse(message: string): never {
  throw new BkAuthError("configuration", message);
}
