import { IdentityError, type Tenant } from "@ostiary/contracts";
import type { FastifyPluginAsync } from "fastify";
import type { Principal } from "../../domain/access/index.ts";
import { type Application, mayUse } from "../../domain/applications/index.ts";
import type { Deps } from "../../domain/deps.ts";
import { verifyAccessToken } from "../../domain/tokens/index.ts";
import { after } from "../../kernel/after.ts";
import { callerOf, succeed } from "./caller.ts";
import { isInvalidToken, sendRefusal } from "./errors.ts";
import { serviceRoutes } from "./services.routes.ts";
import { statisticsRoutes } from "./stats.routes.ts";
import { INVALID, toTokenState, toUserInfo } from "./translate.ts";
import { type TokenCall, TokenCallSchema, type TokenState, TokenVerifyReply, UserInfoReply } from "./wire.ts";

/** Bytes. The longest body is a token of 16 kB. */
const BODY_LIMIT = 64 * 1024;

/**
 * The server side of huace-aigc-auth-client. Their base URL may end in `/sdk` already, so `/sdk/sdk` is `/sdk` here.
 * Whatever happens is answered with HTTP 200 and a number, and never with a redirect: see wire.ts.
 */
export function huacePlugin(deps: Deps): FastifyPluginAsync {
  return async (app) => {
    app.removeContentTypeParser("application/x-www-form-urlencoded"); // their client sends JSON only
    app.setErrorHandler(sendRefusal);
    app.setNotFoundHandler((request, reply) =>
      sendRefusal(app.refuseUnrouted(request, reply), request, reply),
    );
    await app.register(sdkRoutes(deps), { prefix: "/sdk" });
    await app.register(sdkRoutes(deps), { prefix: "/sdk/sdk" });
  };
}

/** Handlers answer without a tick when everything they need is in the caches: they return promises only otherwise. */
function sdkRoutes(deps: Deps): FastifyPluginAsync {
  return async (app) => {
    await app.register(serviceRoutes(deps));
    await app.register(statisticsRoutes(deps));
    app.post<{ Body: TokenCall }>(
      "/token/verify",
      { bodyLimit: BODY_LIMIT, schema: { body: TokenCallSchema, response: { 200: TokenVerifyReply } } },
      (request) =>
        after(callerOf(deps, request), (caller) =>
          after(
            orInvalid(() =>
              after(userOf(deps, request.tenant, caller, request.body.token), ({ user, expiresAt }) =>
                toTokenState(user, expiresAt),
              ),
            ),
            succeed,
          ),
        ),
    );

    app.post<{ Body: TokenCall }>(
      "/user/info",
      { bodyLimit: BODY_LIMIT, schema: { body: TokenCallSchema, response: { 200: UserInfoReply } } },
      (request) =>
        after(callerOf(deps, request), (caller) =>
          after(userOf(deps, request.tenant, caller, request.body.token), ({ user }) =>
            succeed(toUserInfo(user)),
          ),
        ),
    );
  };
}

interface TokenUser {
  user: Principal;
  expiresAt: Date;
}

/**
 * The person of a token, who must be allowed to use the calling application; the token may come from another one.
 *
 * @throws IdentityError those of `verifyAccessToken`, and `application.access_denied`
 */
function userOf(
  deps: Deps,
  tenant: Tenant,
  caller: Application,
  token: string | null | undefined,
): TokenUser | Promise<TokenUser> {
  if (!token) throw new IdentityError("token.invalid", { reason: "no token" });
  return after(verifyAccessToken(deps, tenant, token), ({ principal: user, claims }) => {
    if (!user) throw new IdentityError("token.invalid", { reason: "an application's own token" });
    return after(mayUse(deps, caller, user.userId), (allowed) => {
      if (!allowed) throw new IdentityError("application.access_denied");
      return { user, expiresAt: new Date(claims.expiresAt * 1000) };
    });
  });
}

/** Their samples branch on `valid` without expecting an exception: a bad token is an answer, not a failure. */
function orInvalid(state: () => TokenState | Promise<TokenState>): TokenState | Promise<TokenState> {
  try {
    const found = state();
    return found instanceof Promise ? found.catch(refused) : found;
  } catch (error) {
    return refused(error);
  }
}

function refused(error: unknown): TokenState {
  if (isInvalidToken(error)) return INVALID;
  throw error;
}
