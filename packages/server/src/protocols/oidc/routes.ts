import { IdentityError } from "@ostiary/contracts";
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import type { Deps } from "../../domain/deps.ts";
import { publicJwks } from "../../domain/tokens/index.ts";
import { basePath } from "../../platform/http/base-path.ts";
import { parseForm } from "../../platform/http/form.ts";
import { logFailure, toIdentityError } from "../../platform/http/problems.ts";
import { answerTo } from "./answer-to.ts";
import { allowEveryone, allowOriginOf, answerPreflight } from "./cross-origin.ts";
import { OAuthError, toOAuthError } from "./errors.ts";
import type { Answer, Exchange, Parameters } from "./exchange.ts";
import { metadataOf } from "./metadata.ts";
import { runSteps } from "./run-steps.ts";
import { type Endpoint, STEPS_OF } from "./table.ts";
import { Wire } from "./wire.ts";

/** What the protocol needs of the hosted pages. */
export interface OidcPages {
  /** The end of a road: what may not be sent to the application. */
  sendErrorPage(request: FastifyRequest, reply: FastifyReply, error: IdentityError): FastifyReply;
  /** The form that sends itself (OAuth 2.0 Form Post Response Mode). */
  sendFormPost(
    request: FastifyRequest,
    reply: FastifyReply,
    form: { redirectUri: string; parameters: Record<string, string> },
  ): FastifyReply;
}

/** Bytes of a form; an authorization request waits in the database while somebody signs in. */
const BODY_LIMIT = 64 * 1024;

/** Seconds that others may keep discovery and keys; new keys are published a day ahead. */
const PUBLIC_SECONDS = 3_600;

const GRANTS: readonly string[] = [
  "authorization_code",
  "refresh_token",
  "client_credentials",
] satisfies Endpoint[];

/** OAuth 2 and OpenID Connect of one issuer for each tenant; registered at `/` and at `/t/:tenant`. */
export function oidcPlugin(deps: Deps, pages: OidcPages) {
  return async (app: FastifyInstance): Promise<void> => {
    addPublicDocuments(app, deps);
    addBrowserEndpoints(app, deps, pages);
    addClientEndpoints(app, deps);
  };
}

function addPublicDocuments(app: FastifyInstance, deps: Deps): void {
  const metadata = (request: FastifyRequest, reply: FastifyReply) =>
    sendPublic(reply, metadataOf(deps.publicUrl + basePath(request)));
  app.get("/.well-known/openid-configuration", metadata);
  app.get("/.well-known/oauth-authorization-server", metadata);
  if (app.prefix === "") {
    // RFC 8414 §3.1: the well-known part comes before the path of the issuer.
    app.get("/.well-known/oauth-authorization-server/t/:tenant", metadata);
    app.get("/.well-known/openid-configuration/t/:tenant", metadata);
  }
  app.get("/oauth/jwks", async (request, reply) =>
    sendPublic(reply, await publicJwks(deps, request.tenant.id)),
  );
}

function sendPublic(reply: FastifyReply, body: object): FastifyReply {
  allowEveryone(reply);
  return reply.header("cache-control", `public, max-age=${PUBLIC_SECONDS}`).send(body);
}

function addBrowserEndpoints(app: FastifyInstance, deps: Deps, pages: OidcPages): void {
  const browser = (endpoint: Endpoint) => async (request: FastifyRequest, reply: FastifyReply) => {
    reply.headers({ "cache-control": "no-store", "referrer-policy": "no-referrer" });
    let exchange: Exchange | undefined;
    try {
      exchange = open(deps, request, reply, readParameters(request));
      await runSteps(STEPS_OF[endpoint], exchange);
      return send(pages, request, reply, exchange.answer);
    } catch (thrown) {
      const answer = errorAnswer(thrown, request, exchange);
      if (answer) return send(pages, request, reply, answer);
      const error = thrown instanceof OAuthError ? asPageError(thrown) : toIdentityError(thrown);
      logFailure(error, request);
      return pages.sendErrorPage(request, reply, error);
    }
  };
  // What fails before the handler: an unknown tenant, a body that cannot be read.
  const errorHandler = (thrown: unknown, request: FastifyRequest, reply: FastifyReply) => {
    const error = toIdentityError(thrown);
    logFailure(error, request);
    return pages.sendErrorPage(request, reply, error);
  };
  // Asking for the head of a page must not use up a flow or issue a code.
  const options = { exposeHeadRoute: false, bodyLimit: BODY_LIMIT, errorHandler };
  const add = (method: ("GET" | "POST")[], url: string, endpoint: Endpoint) =>
    app.route({ method, url, handler: browser(endpoint), ...options });
  add(["GET", "POST"], "/oauth/authorize", "authorize");
  add(["GET"], "/oauth/authorize/resume", "resume");
  add(["GET", "POST"], "/oauth/end-session", "end-session");
}

/** An error as the client hears it, or undefined while client and redirect URI are not known to be good. */
function errorAnswer(
  thrown: unknown,
  request: FastifyRequest,
  exchange: Exchange | undefined,
): Answer | undefined {
  if (!exchange?.replyTo) return undefined;
  const isOurs = thrown instanceof IdentityError && thrown.code === "flow.not_found";
  if (isOurs) return undefined; // another tab has answered the client already
  const error = toOAuthError(thrown);
  logRefusal(error, request);
  return answerTo(exchange, exchange.replyTo, { error: error.error, error_description: error.message });
}

function asPageError(error: OAuthError): IdentityError {
  return new IdentityError("authorization.invalid", { reason: error.reason ?? error.message, cause: error });
}

function addClientEndpoints(app: FastifyInstance, deps: Deps): void {
  const client =
    (choose: (parameters: Parameters) => Endpoint) => (request: FastifyRequest, reply: FastifyReply) => {
      reply.header("cache-control", "no-store");
      let exchange: Exchange | undefined;
      const fail = (thrown: unknown) => sendError(request, reply, thrown, exchange);
      const succeed = () => sendAnswer(reply, exchange);
      try {
        const parameters = request.method === "POST" ? formBody(request) : NOTHING;
        exchange = open(deps, request, reply, parameters);
        const pending = runSteps(STEPS_OF[choose(parameters)], exchange);
        return pending instanceof Promise ? pending.then(succeed).catch(fail) : succeed();
      } catch (thrown) {
        return fail(thrown);
      }
    };
  // A body that cannot be read fails before the handler; the caller still wants OAuth's words.
  const errorHandler = (thrown: unknown, request: FastifyRequest, reply: FastifyReply) =>
    sendError(request, reply, thrown, undefined);
  const add = (method: ("GET" | "POST")[], url: string, choose: (parameters: Parameters) => Endpoint) => {
    app.route({ method, url, handler: client(choose), errorHandler, bodyLimit: BODY_LIMIT });
    app.options(url, answerPreflight);
  };
  add(["POST"], "/oauth/token", chooseGrant);
  add(["POST"], "/oauth/introspect", () => "introspect");
  add(["POST"], "/oauth/revoke", () => "revoke");
  add(["GET", "POST"], "/oauth/userinfo", () => "userinfo");
}

function chooseGrant({ grant_type: grant }: Parameters): Endpoint {
  if (grant === undefined) throw new OAuthError("invalid_request", "grant_type is missing");
  if (!GRANTS.includes(grant)) throw new OAuthError("unsupported_grant_type", "grant_type is not supported");
  return grant as Endpoint;
}

const NOTHING: Parameters = Object.freeze(Object.create(null));

function open(deps: Deps, request: FastifyRequest, reply: FastifyReply, parameters: Parameters): Exchange {
  const base = basePath(request);
  return {
    deps,
    tenant: request.tenant,
    base,
    issuer: deps.publicUrl + base,
    context: request.context,
    parameters,
    wire: new Wire(deps, request, reply),
  };
}

/** Query or form body; a parameter without a value counts as left out (RFC 6749 §3.1). */
function readParameters(request: FastifyRequest): Parameters {
  if (request.method === "POST") return formBody(request);
  const query = request.raw.url?.split("?", 2)[1] ?? "";
  return withoutEmpty(parseForm(query));
}

function formBody(request: FastifyRequest): Parameters {
  const { body } = request;
  if (body === undefined || body === null) return NOTHING;
  const type = request.headers["content-type"]?.split(";", 1)[0]?.trim().toLowerCase();
  if (type !== "application/x-www-form-urlencoded") {
    throw new OAuthError("invalid_request", "Send application/x-www-form-urlencoded", { status: 415 });
  }
  return withoutEmpty(body as Record<string, string>);
}

function withoutEmpty(values: Record<string, string>): Parameters {
  for (const name in values) if (values[name] === "") delete values[name];
  return values;
}

function send(
  pages: OidcPages,
  request: FastifyRequest,
  reply: FastifyReply,
  answer: Answer | undefined,
): FastifyReply {
  if (answer?.kind === "redirect") return reply.redirect(answer.location, 303); // RFC 9700 §4.12: never 307
  if (answer?.kind === "form-post") return pages.sendFormPost(request, reply, answer);
  throw new RangeError("the steps of a browser's endpoint ended without an answer");
}

function sendAnswer(reply: FastifyReply, exchange: Exchange | undefined): FastifyReply {
  allowOriginOf(
    reply,
    reply.request.headers.origin,
    exchange?.application ?? exchange?.verified?.application,
  );
  const answer = exchange?.answer;
  if (answer?.kind === "empty") return reply.code(200).send();
  if (answer?.kind === "json")
    return reply.type("application/json; charset=utf-8").send(JSON.stringify(answer.body));
  throw new RangeError("the steps of a client's endpoint ended without an answer");
}

function sendError(
  request: FastifyRequest,
  reply: FastifyReply,
  thrown: unknown,
  exchange: Exchange | undefined,
): FastifyReply {
  const error = toOAuthError(thrown instanceof OAuthError ? thrown : toIdentityError(thrown));
  logRefusal(error, request);
  allowOriginOf(reply, request.headers.origin, exchange?.application ?? exchange?.verified?.application);
  const challenge = challengeOf(error, request);
  if (challenge !== undefined) reply.header("www-authenticate", challenge);
  const retryAfter = thrown instanceof IdentityError ? thrown.retryAfter : undefined;
  if (retryAfter !== undefined) reply.header("retry-after", String(Math.ceil(retryAfter)));
  return reply
    .code(error.status)
    .header("cache-control", "no-store")
    .send({ error: error.error, error_description: error.message });
}

/** RFC 6749 §5.2 for clients that used the header, RFC 6750 §3 for access tokens. */
function challengeOf(error: OAuthError, request: FastifyRequest): string | undefined {
  if (error.error === "invalid_client")
    return request.headers.authorization ? 'Basic realm="ostiary"' : undefined;
  if (error.error !== "invalid_token" && error.error !== "insufficient_scope") return undefined;
  // Without any authentication the challenge names no error (RFC 6750 §3.1).
  if (error.reason === "no token") return 'Bearer realm="ostiary"';
  const scope = error.error === "insufficient_scope" ? ', scope="openid"' : "";
  return `Bearer realm="ostiary", error="${error.error}", error_description="${error.message}"${scope}`;
}

function logRefusal(error: OAuthError, request: FastifyRequest): void {
  if (error.status >= 500) request.log.error({ err: error.cause ?? error }, "request failed");
  // Somebody may be guessing a client's secret.
  else if (error.error === "invalid_client") request.log.info({ reason: error.reason }, "client refused");
  else request.log.debug({ error: error.error, reason: error.reason }, "request refused");
}
