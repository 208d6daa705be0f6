import type { FastifyPluginAsync } from "fastify";
import type { Deps } from "../../domain/deps.ts";
import { formatsOf } from "../../domain/webhooks/index.ts";
import { after } from "../../kernel/after.ts";
import { storeNothing } from "../../platform/http/no-store.ts";
import { callerOf, succeed, userOf } from "./calls.ts";
import { isInvalidToken, sendRefusal } from "./errors.ts";
import { feishuRoutes } from "./feishu.routes.ts";
import { keyRoutes } from "./keys.routes.ts";
import { describe } from "./people.ts";
import { serviceRoutes } from "./services.routes.ts";
import { statisticsRoutes } from "./stats.routes.ts";
import { syncRoutes } from "./sync.routes.ts";
import { INVALID, toTokenState } from "./translate.ts";
import { userRoutes } from "./users.routes.ts";
import { huaceFormat } from "./webhook-format.ts";
import { webhookRoutes } from "./webhooks.routes.ts";
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
    app.addHook("onRequest", storeNothing);
    app.setErrorHandler(sendRefusal);
    app.setNotFoundHandler((request, reply) =>
      sendRefusal(app.refuseUnrouted(request, reply), request, reply),
    );
    formatsOf(deps).set("huace", huaceFormat);
    for (const prefix of ["/sdk", "/sdk/sdk"]) {
      for (const routes of ROUTES) await app.register(routes(deps), { prefix });
    }
  };
}

const ROUTES = [
  tokenRoutes,
  userRoutes,
  keyRoutes,
  syncRoutes,
  webhookRoutes,
  feishuRoutes,
  serviceRoutes,
  statisticsRoutes,
];

/** Handlers answer without a tick when everything they need is in the caches: they return promises only otherwise. */
function tokenRoutes(deps: Deps): FastifyPluginAsync {
  return async (app) => {
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
            after(describe(deps, user), succeed),
          ),
        ),
    );
  };
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
