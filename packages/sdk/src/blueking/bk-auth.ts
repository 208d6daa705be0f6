import { BoundedMap } from "./bounded-map.ts";
import { type BkAttributes, connectUser } from "./database-users.ts";
import type { GatewayIdentity } from "./gateway-jwt.ts";
import { LoginToken } from "./login-token.ts";
import { type BkAuthOptions, type BkSettings, settle } from "./options.ts";
import { ProviderType } from "./providers.ts";
import {
  type BkSession,
  closeSession,
  MemorySession,
  openSession,
  storedToken,
  wasOpenedBy,
} from "./session.ts";
import { UserDirectory } from "./user-details.ts";
import { RtxUserInfo, UserInfo } from "./user-info.ts";
import { AnonymousUser, User } from "./users.ts";
import { TicketVerifier } from "./verifier.ts";
import type { BkAccount } from "./verify-ticket.ts";

/** What is read of a request. */
export interface BkAuthRequest {
  /** Cookie values as the header has them, without quotes and not percent-decoded. */
  cookies: Readonly<Record<string, string | undefined>>;
  /** Without one, verified tickets are remembered in this process. */
  session?: BkSession | undefined;
  /** The header `X-Bkapi-JWT`, for applications behind an API gateway. */
  jwt?: string | undefined;
  /** The user's language for the service's messages, such as `zh-hans`. Default `en-us`. */
  language?: string | undefined;
}

/** A user who may go on. */
export interface BkSignedIn<Row extends object = object> {
  outcome: "ok";
  user: User;
  /** The row of the application's table, when `database` is set. */
  record: (Row & BkAttributes) | undefined;
  via: "cookie" | "gateway";
  /** Whether the login service was asked for this very request. */
  isFresh: boolean;
  /** Whether the service is out of reach and the user stays for the time of grace. */
  isGrace: boolean;
  gateway: GatewayIdentity | undefined;
}

/**
 * Nobody is signed in. `none`: nothing was presented. `invalid`: what was presented is no good (`reason` says what).
 * `denied`: the service knows the user, who may not use this application; answer 403 and go no further.
 * `unavailable`, `misconfigured`: nobody can tell now; a login page would not help.
 */
export interface BkRefused {
  outcome: "none" | "invalid" | "denied" | "unavailable" | "misconfigured";
  user: AnonymousUser;
  /** In `denied` the service's word to the user; otherwise for an operator. Never holds a secret. */
  message: string;
  reason: "ticket" | "jwt" | "unknown_user" | undefined;
  gateway: GatewayIdentity | undefined;
}

export type BkOutcome<Row extends object = object> = BkSignedIn<Row> | BkRefused;

const REMEMBERED_TICKETS = 10_000;
/** A login service issues at most 255 characters; this is far beyond, and short of what an address can hold. */
const MAX_TICKET = 4_096;
const GATEWAY_TOKEN_SECONDS = 86_400;
const LANGUAGE = /^[A-Za-z0-9-]{1,35}$/;
const DEFAULT_LANGUAGE = "en-us";

/** Cookie login, gateway login and user details of one application; framework adapters are thin layers above it. */
export class BkAuth<Row extends object = object> {
  readonly settings: BkSettings<Row>;
  readonly #verifier: TicketVerifier;
  readonly #directory: UserDirectory;
  readonly #remembered = new BoundedMap<MemorySession>(REMEMBERED_TICKETS);

  /** @throws BkAuthError `configuration` */
  constructor(options: BkAuthOptions<Row>) {
    this.settings = settle(options);
    this.#verifier = new TicketVerifier(this.settings);
    this.#directory = new UserDirectory(this.settings);
  }

  /** Decides who a request is from. Never throws, save for what the application's own session or database throws. */
  async authenticate(request: BkAuthRequest): Promise<BkOutcome<Row>> {
    const fromCookie = await this.#byCookie(request);
    const { gateway } = this.settings;
    if (gateway === undefined || fromCookie.outcome === "denied") return fromCookie;
    const verified = await gateway.verify(request.jwt);
    if (verified.outcome === "none") return fromCookie;
    if (verified.outcome !== "ok")
      return verified.outcome === "unavailable" && fromCookie.outcome === "ok"
        ? fromCookie
        : refused(verified.outcome, verified.message, "jwt");
    if (fromCookie.outcome === "ok") return { ...fromCookie, gateway: verified.identity };
    return this.#byGateway(verified.identity);
  }

  /** See `UserDirectory.getUserByUserId`. */
  getUserByUserId(userId: string, usernameOnly = true): Promise<User> {
    return this.#directory.getUserByUserId(userId, usernameOnly);
  }

  /** Removes a user's details from the cache, for instance when told of a change. */
  forgetUserDetails(userId: string): Promise<void> {
    return this.#directory.forgetUserDetails(userId);
  }

  /** Forgets a ticket at once, so that a logout need not wait for `sessionTimeout`; the session as well, if given. */
  async forgetTicket(ticket: string, session?: BkSession): Promise<void> {
    this.#remembered.delete(this.settings.hash(ticket));
    if (session !== undefined) await closeSession(this.settings, session);
  }

  async #byCookie(request: BkAuthRequest): Promise<BkOutcome<Row>> {
    const { settings } = this;
    const ticket = request.cookies[settings.backendType];
    if (!ticket) {
      if (request.session !== undefined) await closeSession(settings, request.session);
      return refused("none", "the request has no credentials");
    }
    if (ticket.length > MAX_TICKET) return refused("invalid", "the ticket is too long", "ticket");
    const hash = settings.hash(ticket);
    const session = request.session ?? this.#remembered.get(hash, settings.clock());
    const isOwn = session !== undefined && wasOpenedBy(settings, session, ticket, hash);
    const token = isOwn ? this.#tokenIn(session) : undefined;
    const now = settings.clock();
    if (token?.isUsable(now, settings.sessionTimeout)) return this.#signedIn(userOf(token, settings), {});
    const language = LANGUAGE.test(request.language ?? "") ? request.language : DEFAULT_LANGUAGE;
    const verification = await this.#verifier.verify(ticket, hash, language ?? DEFAULT_LANGUAGE);
    if (verification.outcome === "ok")
      return this.#login(verification.account, request.session, ticket, hash);
    if (verification.outcome === "unavailable" && token?.isUsable(now, this.#withGrace()))
      return this.#signedIn(userOf(token, settings), { isGrace: true });
    const isRefusal = verification.outcome === "invalid" || verification.outcome === "denied";
    if (isRefusal) await this.#end(session, hash);
    return refused(verification.outcome, verification.message, isRefusal ? "ticket" : undefined);
  }

  #withGrace(): number {
    return this.settings.sessionTimeout + this.settings.outageGraceSeconds;
  }

  async #login(
    account: BkAccount,
    session: BkSession | undefined,
    ticket: string,
    hash: string,
  ): Promise<BkOutcome<Row>> {
    const { settings } = this;
    const info = userInfoOf(account, settings);
    const token = LoginToken.issue(info, settings.loginTokenExpiresIn, settings.clock());
    const user = userOf(token, settings);
    const signedIn = await this.#signedIn(user, { isFresh: true });
    if (signedIn.outcome !== "ok") {
      await this.#end(session, hash);
      return signedIn;
    }
    const target = session ?? this.#remember(hash);
    await openSession(settings, target, user, ticket, hash);
    return signedIn;
  }

  #remember(hash: string): MemorySession {
    const session = new MemorySession();
    this.#remembered.set(hash, session, this.settings.clock() + this.#withGrace() * 1000 + 1);
    return session;
  }

  async #end(session: BkSession | undefined, hash: string): Promise<void> {
    this.#remembered.delete(hash);
    if (session !== undefined) await closeSession(this.settings, session);
  }

  async #signedIn(user: User, how: { isFresh?: boolean; isGrace?: boolean }): Promise<BkOutcome<Row>> {
    const { database, superusers, logger } = this.settings;
    const record = database && (await connectUser(database, user, superusers, logger));
    if (database !== undefined && record === undefined)
      return refused("invalid", "the application has no such user", "unknown_user");
    return {
      outcome: "ok",
      user,
      record,
      via: "cookie",
      isFresh: false,
      isGrace: false,
      gateway: undefined,
      ...how,
    };
  }

  /** [APIGatewayAuthBackend] Nobody is asked: the gateway has verified the user, or has not. */
  async #byGateway(identity: GatewayIdentity): Promise<BkOutcome<Row>> {
    const { username, verified, tenantId } = identity.user;
    const { clock, defaultProvider } = this.settings;
    if (!verified || !username) {
      const nobody = refused("none", "the gateway has verified no user");
      return { ...nobody, user: new AnonymousUser(username), gateway: identity };
    }
    const now = clock();
    const token = new LoginToken({
      loginToken: "any_token", // the name bkpaas_auth gives it; it stands for nothing
      issuedAt: now,
      expiresAt: now + GATEWAY_TOKEN_SECONDS * 1000,
      userInfo: new UserInfo(username, { tenantId }, defaultProvider),
    });
    const user = new User(defaultProvider, username, { token, fields: { tenantId }, clock });
    const signedIn = await this.#signedIn(user, {});
    return signedIn.outcome === "ok" ? { ...signedIn, via: "gateway", gateway: identity } : signedIn;
  }

  #tokenIn(session: BkSession): LoginToken | undefined {
    const text = storedToken(session);
    if (text === undefined) return undefined;
    try {
      const token = LoginToken.parse(text);
      return token.userInfo.providerType === null ? undefined : token;
    } catch {
      this.settings.logger.warn("a session's user_token cannot be read and is ignored");
      return undefined;
    }
  }
}

/**
 * One application's login against a BlueKing login service, or Ostiary.
 *
 * @throws BkAuthError `configuration`, whose message names the option at fault.
 * @example
 * const auth = createBkAuth({ verifyUrl: "https://login.example.com/login/api/v3/is_login/" });
 * const { outcome, user } = await auth.authenticate({ cookies: { bk_token: "…" } });
 */
export function createBkAuth<Row extends object = object>(options: BkAuthOptions<Row>): BkAuth<Row> {
  return new BkAuth(options);
}

function refused(outcome: BkRefused["outcome"], message: string, reason?: BkRefused["reason"]): BkRefused {
  return { outcome, user: new AnonymousUser(), message, reason, gateway: undefined };
}

const userOf = (token: LoginToken, settings: { clock: () => number }) => User.ofToken(token, settings.clock);

/** The verified identity, or the mocked one that stands for everybody in development. */
function userInfoOf(account: BkAccount, settings: BkSettings): UserInfo {
  const name = settings.mockedUsername;
  if (name !== undefined) return RtxUserInfo.of({ LoginName: name, ChineseName: name });
  return new UserInfo(
    account.username,
    account,
    settings.backendType === "bk_token" ? ProviderType.BK : ProviderType.RTX,
  );
}
