import type { FastifyPluginAsyncTypebox } from "@fastify/type-provider-typebox";
import {
  AcceptedInvitation,
  AcceptInvitation,
  CreatedInvitation,
  CreateInvitation,
  Id,
  Invitation,
  ListQuery,
  PageOf,
  StrictObject,
} from "@ostiary/contracts";
import { Type } from "typebox";
import type { Deps } from "../domain/deps.ts";
import {
  acceptInvitation,
  createInvitation,
  deleteInvitation,
  getInvitation,
  listInvitations,
} from "../domain/organizations/index.ts";
import { answer, IdempotencyHeaders } from "./idempotency.ts";
import { problems } from "./problems.ts";
import { etag, IdParameters } from "./resource.ts";

type App = Parameters<FastifyPluginAsyncTypebox>[0];

const InvitationQuery = StrictObject({ ...ListQuery.properties, unitId: Type.Optional(Id) });

/** Offers to become a member of a unit, or of the tenant. */
export function invitationRoutes(deps: Deps): FastifyPluginAsyncTypebox {
  return async (app) => {
    registerReading(app, deps);
    app.post(
      "/invitations",
      {
        schema: {
          operationId: "createInvitation",
          summary: "Invite somebody into a unit or the tenant",
          description:
            "Into a unit: needs the permission `organization:write` and all that the unit gives. Without a unit, or with " +
            "roles: `user:write`, and all that the roles give. The answer shows the token, this once, unless it is sent.",
          tags: ["Invitations"],
          headers: IdempotencyHeaders,
          body: CreateInvitation,
          response: { 201: CreatedInvitation, ...problems(409, 413, 415, 422) },
        },
      },
      (request, reply) =>
        answer(deps, request, reply, async (joined) => {
          const body = await createInvitation(joined, request.context, request.body);
          const location = `/api/v1/invitations/${body.id}`;
          return { status: 201, headers: { ...etag(body.version), location }, body };
        }),
    );
    app.post(
      "/invitations/accept",
      {
        schema: {
          operationId: "acceptInvitation",
          summary: "Accept an invitation for oneself",
          description: "Needs the access token of a user, and no permission. Works once.",
          tags: ["Invitations"],
          headers: IdempotencyHeaders,
          body: AcceptInvitation,
          response: { 200: AcceptedInvitation, ...problems(409, 413, 415, 422) },
        },
      },
      (request, reply) =>
        answer(deps, request, reply, async (joined) => {
          const body = await acceptInvitation(joined, request.context, request.body.token);
          return { status: 200, headers: {}, body };
        }),
    );
    app.delete(
      "/invitations/:id",
      {
        schema: {
          operationId: "deleteInvitation",
          summary: "Take an invitation back",
          description: "Needs the permission `organization:write`. A membership that came of it stays.",
          tags: ["Invitations"],
          params: IdParameters,
          headers: IdempotencyHeaders,
          response: { 204: Type.Null({ description: "Deleted" }), ...problems(409, 422) },
        },
      },
      (request, reply) =>
        answer(deps, request, reply, async (joined) => {
          await deleteInvitation(joined, request.context, request.params.id);
          return { status: 204, headers: {} };
        }),
    );
  };
}

function registerReading(app: App, deps: Deps): void {
  app.get(
    "/invitations",
    {
      schema: {
        operationId: "listInvitations",
        summary: "List invitations",
        description: "Needs the permission `organization:read`; with `unitId`, for that unit.",
        tags: ["Invitations"],
        querystring: InvitationQuery,
        response: { 200: PageOf(Invitation), ...problems() },
      },
    },
    (request) => listInvitations(deps, request.context, request.query),
  );
  app.get(
    "/invitations/:id",
    {
      schema: {
        operationId: "getInvitation",
        summary: "Read one invitation",
        description: "Needs the permission `organization:read`. The token is not stored.",
        tags: ["Invitations"],
        params: IdParameters,
        response: { 200: Invitation, ...problems() },
      },
    },
    async (request, reply) => {
      const invitation = await getInvitation(deps, request.context, request.params.id);
      return reply.headers(etag(invitation.version)).send(invitation);
    },
  );
}
