import { IdentityError } from "@ostiary/contracts";
import type { FastifyPluginAsync, FastifyRequest } from "fastify";
import { type Application, mayUse } from "../../domain/applications/index.ts";
import type { Deps } from "../../domain/deps.ts";
import { checkTicket, type TicketHolder } from "../../domain/tickets/index.ts";
import { findActiveDialectKey, verifyAccessToken } from "../../domain/tokens/index.ts";
import { credentialsOf, gatewayCallerOf, textOf } from "./callers.ts";
import { sendGatewayError } from "./errors.ts";
import { type GatewayCall, GatewayTokens, verifyGatewayToken } from "./gateway-token.ts";
import { toTenantUser, toUsername } from "./translate.ts";
import { SLOT } from "./verify.routes.ts";
import { type Credentials, VerifyGatewayTokenCall } from "./wire.ts";

/** Bytes. */
const BODY_LIMIT = 64 * 1024;

/** Names of gateways, as BlueKing allows them. */
const NAME = /^[A-Za-z][A-Za-z0-9_-]{0,62}$/;

/**
 * The gateway's façade. `BK_API_URL_TMPL` puts the name of a gateway somewhere into the address: all the usual places
 * lead here, so `<server>/blueking`, `<server>/blueking/{api_name}` and `<server>/blueking/api/{api_name}` work.
 */
export function gatewayRoutes(deps: Deps): FastifyPluginAsync {
  return async (app) => {
    app.setErrorHandler(sendGatewayError);
    const tokens = new GatewayTokens(deps);
    for (const prefix of ["/prod", "/:api/prod", "/api/:api/prod"]) {
      await app.register(userRoutes(deps), { prefix });
      await app.register(keyRoutes(deps), { prefix });
      await app.register(tokenRoutes(deps, tokens), { prefix });
    }
  };
}

/** Call B and its sibling: who has this ticket, in the words of the tenant edition. */
function userRoutes(deps: Deps): FastifyPluginAsync {
  const holder = async (request: FastifyRequest): Promise<TicketHolder> => {
    const caller = await gatewayCallerOf(deps, request, credentialsOf(request), { anyTenant: true });
    return checkTicket(deps, request.tenant.id, SLOT, textOf(request.query, "bk_token"), caller);
  };
  const userInfo = async (request: FastifyRequest) => ({
    data: toTenantUser((await holder(request)).principal, request.tenant),
  });
  const verified = async (request: FastifyRequest) => {
    const { bk_username, tenant_id } = toTenantUser((await holder(request)).principal, request.tenant);
    return { data: { bk_username, tenant_id } };
  };
  return async (app) => {
    const base = "/login/api/v3/open/bk-tokens";
    for (const slash of ["", "/"]) {
      app.get(`${base}/userinfo${slash}`, userInfo);
      app.get(`${base}/verify${slash}`, verified);
    }
  };
}

/** Public keys of gateways: one key for all of a tenant's. Keys are public, so nobody has to show a secret. */
function keyRoutes(deps: Deps): FastifyPluginAsync {
  const answer = async (request: FastifyRequest) => {
    const credentials = credentialsOf(request);
    if (credentials.secret !== "") await gatewayCallerOf(deps, request, credentials, { anyTenant: true });
    gatewayOf(request);
    const key = await findActiveDialectKey(deps, request.tenant.id, "blueking");
    const { gatewayIssuer } = request.tenant.settings.blueking;
    const issuer = gatewayIssuer === "APIGW" ? {} : { issuer: gatewayIssuer };
    // apigw-manager 1.x looks at the number, 5.x at the status.
    return { result: true, code: 0, message: "", data: { public_key: key.publicPem, ...issuer } };
  };
  return async (app) => {
    for (const path of ["/api/v2/sync/gateways", "/api/v2/open/gateways", "/api/v1/apis"]) {
      app.get(`${path}/:name/public_key`, answer);
      app.get(`${path}/:name/public_key/`, answer);
    }
  };
}

/** Gateway tokens: what a gateway adds to a call, for gateways that have no signing key of their own. */
function tokenRoutes(deps: Deps, tokens: GatewayTokens): FastifyPluginAsync {
  const issue = async (request: FastifyRequest) => {
    const gateway = gatewayOf(request);
    const credentials = credentialsOf(request);
    const application = await gatewayCallerOf(deps, request, credentials, { anyTenant: false });
    const user = await userOf(deps, request, application, credentials);
    const { jwt, expiresIn } = await tokens.issue(request.tenant, { gateway, application, user });
    return { data: { jwt, expires_in: expiresIn } };
  };
  const check = async (request: FastifyRequest) => {
    const caller = await gatewayCallerOf(deps, request, credentialsOf(request), { anyTenant: false });
    const { jwt } = request.body as { jwt: string };
    const facts = await verifyGatewayToken(deps, request.tenant, caller, gatewayOf(request), jwt);
    return {
      data: {
        gateway: facts.gateway,
        app: { app_code: facts.application.slug, verified: true },
        user: { username: facts.username, verified: facts.userVerified },
        expires_at: facts.expiresAt,
      },
    };
  };
  return async (app) => {
    const base = "/api/v2/open/gateways/:name/jwt";
    for (const slash of ["", "/"]) {
      app.post(`${base}${slash}`, { bodyLimit: BODY_LIMIT }, issue); // all of it may be in the header
      app.post(
        `${base}/verify${slash}`,
        { bodyLimit: BODY_LIMIT, schema: { body: VerifyGatewayTokenCall } },
        check,
      );
    }
  };
}

/** @throws IdentityError `route.not_found` */
function gatewayOf(request: FastifyRequest): string {
  const { name } = request.params as { name: string };
  if (!NAME.test(name)) throw new IdentityError("route.not_found", { reason: "no name of a gateway" });
  return name;
}

/**
 * The user of a gateway's call: proven by a ticket or an access token of the very application, or only claimed.
 *
 * @throws IdentityError `token.invalid`, `token.expired`, `application.access_denied`, `user.suspended`
 */
async function userOf(
  deps: Deps,
  request: FastifyRequest,
  application: Application,
  { bkToken, accessToken, username }: Credentials,
): Promise<GatewayCall["user"]> {
  const { tenant } = request;
  if (bkToken !== "") {
    const { principal, session } = await checkTicket(deps, tenant.id, SLOT, bkToken, application);
    return { username: toUsername(principal), proof: { sessionId: session.id, familyId: null } };
  }
  if (accessToken !== "") {
    const { principal, application: issuedTo, claims } = await verifyAccessToken(deps, tenant, accessToken);
    if (!principal || issuedTo.id !== application.id) {
      throw new IdentityError("token.invalid", { reason: "not a person's, or another application's" });
    }
    if (!(await mayUse(deps, application, principal.userId)))
      throw new IdentityError("application.access_denied");
    const { sessionId, familyId } = claims;
    return { username: toUsername(principal), proof: { sessionId, familyId } };
  }
  return username === "" ? null : { username: username.slice(0, 128), proof: null };
}
