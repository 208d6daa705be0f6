import { IdentityError } from "@ostiary/contracts";
import type { FastifyPluginAsync, FastifyRequest } from "fastify";
import type { Application } from "../../domain/applications/index.ts";
import type { Deps } from "../../domain/deps.ts";
import { checkTicket } from "../../domain/tickets/index.ts";
import {
  checkOwner,
  type IssuedTokens,
  issueForSession,
  issueOfFamily,
  rotateRefreshToken,
  verifyAccessToken,
} from "../../domain/tokens/index.ts";
import { numericDate } from "../../kernel/clock.ts";
import { callerOf, textOf } from "./callers.ts";
import { refusalsOf } from "./errors.ts";
import { IS_LOGIN, toUsername } from "./translate.ts";
import { SLOT } from "./verify.routes.ts";
import { TokenCall } from "./wire.ts";

/** Bytes. The longest body is a token of 16 kB. */
const BODY_LIMIT = 64 * 1024;

const BASE = "/api/v1/auth/access-tokens";

/** The token service ("SSM") as BlueKing's platform uses it: access tokens of an application for who has a ticket. */
export function tokenServiceRoutes(deps: Deps): FastifyPluginAsync {
  return async (app) => {
    const options = {
      bodyLimit: BODY_LIMIT,
      schema: { body: TokenCall },
      errorHandler: refusalsOf(IS_LOGIN.v3),
    };
    const add = (path: string, answer: (request: FastifyRequest) => Promise<object>) => {
      app.post(path, options, answer);
      app.post(`${path}/`, options, answer);
    };
    add(BASE, (request) => grant(deps, request));
    add(`${BASE}/refresh`, (request) => refresh(deps, request));
    add(`${BASE}/verify`, (request) => check(deps, request));
  };
}

/** Of headers, else of the body. @throws IdentityError `client.rejected`, `application.disabled` */
function callerOfService(deps: Deps, request: FastifyRequest): Application | Promise<Application> {
  const { headers, body } = request;
  return callerOf(deps, request, {
    code: textOf(headers, "x-bk-app-code") || textOf(body, "app_code"),
    secret: textOf(headers, "x-bk-app-secret") || textOf(body, "app_secret"),
  });
}

async function grant(deps: Deps, request: FastifyRequest): Promise<object> {
  const application = await callerOfService(deps, request);
  const { tenant, context, body } = request;
  if (textOf(body, "grant_type") !== "authorization_code" || textOf(body, "id_provider") !== "bk_login") {
    throw new IdentityError("request.invalid", { reason: "grant type or id provider" });
  }
  const ticket = textOf(body, "bk_token");
  const { session, principal } = await checkTicket(deps, tenant.id, SLOT, ticket, application);
  const issued = await issueForSession(deps, context, tenant, { application, session, principal });
  return succeed({ ...tokensOf(issued), identity: identityOf(principal) });
}

async function refresh(deps: Deps, request: FastifyRequest): Promise<object> {
  const application = await callerOfService(deps, request);
  const { tenant, context, body } = request;
  const token = textOf(body, "refresh_token");
  const issue = await rotateRefreshToken(deps, context, tenant, application, token, []);
  const principal = await checkOwner(deps, tenant, application, issue.family);
  const issued = await issueOfFamily(deps, tenant, application, principal, issue);
  return succeed({ ...tokensOf(issued), identity: identityOf(principal) });
}

async function check(deps: Deps, request: FastifyRequest): Promise<object> {
  await callerOfService(deps, request); // as RFC 7662 §2.1 wants it: nobody may try tokens out
  const token = textOf(request.body, "access_token");
  const { claims, application, principal } = await verifyAccessToken(deps, request.tenant, token);
  if (!principal) throw new IdentityError("token.invalid", { reason: "an application's own token" });
  return succeed({
    bk_app_code: application.slug,
    expires_in: claims.expiresAt - numericDate(deps.clock.now()),
    identity: identityOf(principal),
  });
}

function succeed(data: object): object {
  return { result: true, code: 0, message: "", data };
}

function tokensOf({ token, expiresIn, refreshToken }: IssuedTokens) {
  return { access_token: token, refresh_token: refreshToken ?? "", expires_in: expiresIn };
}

function identityOf(person: { userId: string; username: string | null }) {
  return { username: toUsername(person), user_type: "bkuser" };
}
