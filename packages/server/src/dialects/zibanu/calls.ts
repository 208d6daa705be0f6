import { createHash } from "node:crypto";
import { IdentityError, type Tenant } from "@ostiary/contracts";
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import type { Deps } from "../../domain/deps.ts";
import { issuerOf } from "../../domain/tenants/index.ts";
import { type VerifiedSlidingToken, verifySlidingToken } from "../../domain/tokens/index.ts";
import { after } from "../../kernel/after.ts";
import type { RequestContext } from "../../kernel/context.ts";
import { type Fields, type Given, isFields, readBody } from "./body.ts";
import { NO_CREDENTIALS, NO_DATA, Refusal, refuse, refuseByFramework, sendJson } from "./errors.ts";
import { type Language, languageOf, type Sentence, say } from "./messages.ts";

/** Bytes: an avatar of the largest size in base64, and some fields. */
const BODY_LIMIT = 2 * 1024 * 1024;

/**
 * Who may call: `token` needs one and says so as their package does, `strict` as simplejwt does; `anyone` ignores the
 * header; `known` needs none, but refuses a bad one.
 */
type Door = "token" | "strict" | "anyone" | "known";

/** A call with the token's user. */
export interface Call {
  request: FastifyRequest;
  reply: FastifyReply;
  tenant: Tenant;
  settings: Tenant["settings"]["zibanu"];
  /** Of the token's user, where there is one. */
  context: RequestContext;
  caller: VerifiedSlidingToken | null;
}

export interface SignedInCall extends Call {
  caller: VerifiedSlidingToken;
}

type Answer = FastifyReply | Promise<FastifyReply>;

/** Registers a service: a POST with or without the slash at the end, as a redirect would lose the body. */
export function addService(
  app: FastifyInstance,
  deps: Deps,
  path: string,
  door: "anyone" | "known",
  handle: (call: Call) => Answer,
): void;
export function addService(
  app: FastifyInstance,
  deps: Deps,
  path: string,
  door: "token" | "strict",
  handle: (call: SignedInCall) => Answer,
): void;
export function addService(
  app: FastifyInstance,
  deps: Deps,
  path: string,
  door: Door,
  handle: (call: SignedInCall) => Answer,
): void {
  const enter = (request: FastifyRequest, reply: FastifyReply, next: (call: Call) => Answer) => {
    reply.header("allow", "POST, OPTIONS");
    checkAccept(request);
    return after(callerOf(deps, request, door), (caller) => next(toCall(request, reply, caller)));
  };
  const options = { bodyLimit: BODY_LIMIT };
  for (const url of [path, path.slice(0, -1)]) {
    app.post(url, options, (request, reply) =>
      enter(request, reply, (call) => {
        if (!call.caller && (door === "token" || door === "strict")) throw anonymous();
        return handle(call as SignedInCall);
      }),
    );
    app.route({
      method: ["GET", "PUT", "PATCH", "DELETE"],
      url,
      ...options,
      handler: (request, reply) =>
        enter(request, reply, (call) => {
          if (!call.caller && door !== "anyone") throw anonymous();
          throw refuseByFramework(405, say('Method "{0}" not allowed.', request.method));
        }),
    });
    app.options(url, (_request, reply) => reply.header("allow", "POST, OPTIONS").code(204).send());
  }
}

const anonymous = () => refuseByFramework(401, NO_CREDENTIALS);

function toCall(request: FastifyRequest, reply: FastifyReply, caller: VerifiedSlidingToken | null): Call {
  const { tenant } = request;
  const context = caller ? contextOf(request, caller) : request.context;
  return { request, reply, tenant, settings: tenant.settings.zibanu, context, caller };
}

function contextOf(request: FastifyRequest, { principal, session }: VerifiedSlidingToken): RequestContext {
  const who = { type: "user", id: principal.userId } as const;
  return {
    ...request.context,
    actor: who,
    permissions: principal.permissions,
    subject: { ...who, limit: null },
    sessionId: session.id,
  };
}

/** Browsers may ask for HTML: where Django REST framework has a page for them, ours is JSON. */
function checkAccept({ headers: { accept } }: FastifyRequest): void {
  if (accept === undefined || accept === "" || accept === "*/*") return;
  if (/(?:\*\/\*|application\/(?:\*|json)|text\/(?:\*|html))/i.test(accept)) return;
  throw refuseByFramework(406, say("Could not satisfy the request Accept header."));
}

function callerOf(
  deps: Deps,
  request: FastifyRequest,
  door: Door,
): VerifiedSlidingToken | null | Promise<VerifiedSlidingToken | null> {
  const { authorization } = request.headers;
  if (door === "anyone" || !authorization) return null;
  const space = authorization.indexOf(" ");
  const scheme = space < 0 ? authorization : authorization.slice(0, space);
  const isOurs = scheme === "JWT" || (scheme === "Bearer" && request.tenant.settings.zibanu.acceptBearer);
  if (!isOurs) return null; // to their framework somebody with another scheme is nobody
  const token = space < 0 ? "" : authorization.slice(space + 1);
  if (token === "" || token.includes(" ")) throw malformed(door);
  const explain = (error: unknown): never => {
    throw refusalOf(error, door, request.tenant);
  };
  try {
    const verified = verifySlidingToken(deps, request.tenant, token);
    return verified instanceof Promise ? verified.catch(explain) : verified;
  } catch (error) {
    return explain(error);
  }
}

function malformed(door: Door): Refusal {
  const text = say("Authorization header must contain two space-delimited values");
  return door === "strict"
    ? new Refusal(401, { family: "token", text, code: "bad_authorization_header" })
    : refuse(401, "invalid_token", text);
}

function refusalOf(error: unknown, door: Door, tenant: Tenant): unknown {
  const fault = tokenFault(error, tenant);
  if (!fault) return error;
  if (isNobodys(error)) {
    return door === "strict"
      ? new Refusal(401, { family: "token", text: fault, code: "token_not_valid" })
      : refuse(401, "invalid_token", say("Invalid Token"));
  }
  if (door !== "strict") return refuse(401, "invalid_token", fault);
  const text = say("Given token not valid for any token type");
  return new Refusal(401, { family: "token", text, code: "token_not_valid", message: fault });
}

/** What is wrong with a token, in their words; undefined for any other failure. */
export function tokenFault(error: unknown, tenant: Tenant): Sentence | undefined {
  if (!(error instanceof IdentityError)) return undefined;
  const isNewer = tenant.settings.zibanu.compat === "3.0";
  switch (error.code) {
    case "token.invalid":
      return say(isNewer ? "Token is invalid" : "Token is invalid or expired");
    case "token.expired":
      return say(isNewer ? "Token is expired" : "Token is invalid or expired");
    case "token.revoked":
      return say("Token is blacklisted");
    case "token.wrong_type":
      return say("Token has wrong type");
    case "token.refresh_expired":
      return say("Token 'refresh_exp' claim has expired");
    case "token.incomplete":
      return missing(error.fields?.[0]?.path.slice(1) ?? "");
    default:
      return undefined;
  }
}

function missing(claim: string): Sentence {
  if (claim === "token_type") return say("Token has no type");
  if (claim === "user_id") return say("Token contained no recognizable user identification");
  return say("Token has no '{0}' claim", claim);
}

/** The token is good, but does not say whose it is. */
function isNobodys(error: unknown): boolean {
  return (
    error instanceof IdentityError &&
    error.code === "token.incomplete" &&
    error.fields?.[0]?.path === "/user_id"
  );
}

/** The door of a browser: one session of a person for each origin. No origin is one too. */
export function slotOf({ headers: { origin } }: FastifyRequest): string {
  return `zibanu:${createHash("md5")
    .update(origin ?? "undefined")
    .digest("hex")}`;
}

/** 200 without a body, and without a type of it. */
export function succeed(reply: FastifyReply): FastifyReply {
  return reply.code(200).send();
}

export function answer(reply: FastifyReply, body: unknown, status = 200): FastifyReply {
  return sendJson(reply, status, body);
}

export function languageOfCall({ request, settings }: Call): Language {
  return languageOf(settings.language, request.headers["accept-language"]);
}

/** The fields of a body. An absent body has none. @throws Refusal 406 for what has no fields */
export async function fieldsOf(call: Call): Promise<{ fields: Fields; isForm: boolean }> {
  const { value = {}, isForm }: Given = await readBody(call.request);
  if (!isFields(value)) throw refuse(406, "api_exception", NO_DATA);
  return { fields: value, isForm };
}

/** Where the dialect is to be reached from outside. */
export function addressOf(deps: Deps, tenant: Tenant, path: string): string {
  return `${issuerOf(deps, tenant)}/zibanu${path}`;
}
