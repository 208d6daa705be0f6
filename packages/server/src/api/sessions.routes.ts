import type { FastifyPluginAsyncTypebox } from "@fastify/type-provider-typebox";
import {
  Id,
  IdentityError,
  ListQuery,
  OwnSession,
  PageOf,
  RevokedSessions,
  RevokeOwnSessions,
  Session,
  StrictObject,
} from "@ostiary/contracts";
import { Type } from "typebox";
import { checkPermission } from "../domain/access/index.ts";
import type { Deps } from "../domain/deps.ts";
import {
  endSession,
  endSessionsOfApplication,
  endSessionsOfUser,
  findSession,
  getSession,
  listSessions,
  listSessionsOfUser,
} from "../domain/sessions/index.ts";
import { answer, IdempotencyHeaders } from "./idempotency.ts";
import { OWN_SCOPE, ownUserId } from "./own-account.ts";
import { problems } from "./problems.ts";
import { IdParameters } from "./resource.ts";

type App = Parameters<FastifyPluginAsyncTypebox>[0];

const SessionQuery = StrictObject({ ...ListQuery.properties, userId: Type.Optional(Id) });

const CONTROL = "Needs the permission `session:write` and every permission that the user has.";
const TOKENS = "The tokens that were issued in it end with it.";

/** Sessions of the tenant for administrators, and one's own. */
export function sessionRoutes(deps: Deps): FastifyPluginAsyncTypebox {
  return async (app) => {
    registerReading(app, deps);
    registerRevoking(app, deps);
    registerRevokingOfApplication(app, deps);
    registerOwn(app, deps);
  };
}

function registerReading(app: App, deps: Deps): void {
  app.get(
    "/sessions",
    {
      schema: {
        operationId: "listSessions",
        summary: "List sessions",
        description: "Needs the permission `session:read`. Only sessions that are alive.",
        tags: ["Sessions"],
        querystring: SessionQuery,
        response: { 200: PageOf(Session), ...problems() },
      },
    },
    (request) => listSessions(deps, request.context, request.query),
  );
  app.get(
    "/sessions/:id",
    {
      schema: {
        operationId: "getSession",
        summary: "Read one session",
        description: "Needs the permission `session:read`.",
        tags: ["Sessions"],
        params: IdParameters,
        response: { 200: Session, ...problems() },
      },
    },
    async (request) => {
      checkPermission(request.context, "session:read");
      return getSession(deps, request.context, request.params.id);
    },
  );
}

function registerRevoking(app: App, deps: Deps): void {
  app.delete(
    "/sessions/:id",
    {
      schema: {
        operationId: "revokeSession",
        summary: "Revoke a session",
        description: `${CONTROL} ${TOKENS}`,
        tags: ["Sessions"],
        params: IdParameters,
        headers: IdempotencyHeaders,
        response: { 204: Type.Null({ description: "Revoked" }), ...problems(409, 422) },
      },
    },
    (request, reply) =>
      answer(deps, request, reply, async (joined) => {
        checkPermission(request.context, "session:write");
        await endSession(joined, request.context, request.params.id);
        return { status: 204, headers: {} };
      }),
  );
  app.post(
    "/users/:id/sessions/revoke",
    {
      schema: {
        operationId: "revokeUserSessions",
        summary: "Revoke all sessions of a user",
        description: `${CONTROL} The tokens that were issued in them end with them.`,
        tags: ["Sessions"],
        params: IdParameters,
        headers: IdempotencyHeaders,
        response: { 200: RevokedSessions, ...problems(409, 413, 415, 422) },
      },
    },
    (request, reply) =>
      answer(deps, request, reply, async (joined) => {
        checkPermission(request.context, "session:write");
        const revoked = await endSessionsOfUser(joined, request.context, request.params.id);
        return { status: 200, headers: {}, body: { revoked } };
      }),
  );
}

function registerRevokingOfApplication(app: App, deps: Deps): void {
  app.post(
    "/applications/:id/sessions/revoke",
    {
      schema: {
        operationId: "revokeApplicationSessions",
        summary: "Sign everybody out of an application",
        description:
          "Needs the permissions `session:write` and `*`. Ends the sessions that began through the application and " +
          "all tokens that it holds for users, offline ones too.",
        tags: ["Sessions"],
        params: IdParameters,
        headers: IdempotencyHeaders,
        response: { 200: RevokedSessions, ...problems(409, 413, 415, 422) },
      },
    },
    (request, reply) =>
      answer(deps, request, reply, async (joined) => {
        const revoked = await endSessionsOfApplication(joined, request.context, request.params.id);
        return { status: 200, headers: {}, body: { revoked } };
      }),
  );
}

function registerOwn(app: App, deps: Deps): void {
  app.get(
    "/me/sessions",
    {
      schema: {
        operationId: "listMySessions",
        summary: "List one's own sessions",
        description: OWN_SCOPE,
        tags: ["Own account"],
        querystring: ListQuery,
        response: { 200: PageOf(OwnSession), ...problems() },
      },
    },
    async (request) => {
      const { context } = request;
      const { items, next } = await listSessionsOfUser(deps, context, ownUserId(context), request.query);
      return { items: items.map((item) => ({ ...item, current: item.id === context.sessionId })), next };
    },
  );
  app.delete(
    "/me/sessions/:id",
    {
      schema: {
        operationId: "revokeMySession",
        summary: "Revoke one of one's own sessions",
        description: `${OWN_SCOPE} ${TOKENS}`,
        tags: ["Own account"],
        params: IdParameters,
        headers: IdempotencyHeaders,
        response: { 204: Type.Null({ description: "Revoked" }), ...problems(409, 422) },
      },
    },
    (request, reply) =>
      answer(deps, request, reply, async (joined) => {
        const { context, params } = request;
        const userId = ownUserId(context);
        const session = await findSession(joined, context.tenantId, params.id);
        if (session?.userId !== userId) throw new IdentityError("session.not_found");
        await endSession(joined, context, params.id);
        return { status: 204, headers: {} };
      }),
  );
  app.post(
    "/me/sessions/revoke",
    {
      schema: {
        operationId: "revokeMySessions",
        summary: "Revoke one's own sessions",
        description: `${OWN_SCOPE} All, or all but the one that this request belongs to.`,
        tags: ["Own account"],
        headers: IdempotencyHeaders,
        body: RevokeOwnSessions,
        response: { 200: RevokedSessions, ...problems(409, 413, 415, 422) },
      },
    },
    (request, reply) =>
      answer(deps, request, reply, async (joined) => {
        const { context, body } = request;
        const exceptSessionId = body.keepCurrent ? (context.sessionId ?? undefined) : undefined;
        const revoked = await endSessionsOfUser(joined, context, ownUserId(context), { exceptSessionId });
        return { status: 200, headers: {}, body: { revoked } };
      }),
  );
}
