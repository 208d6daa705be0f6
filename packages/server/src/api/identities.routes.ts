import type { FastifyPluginAsyncTypebox } from "@fastify/type-provider-typebox";
import {
  Id,
  LinkAccount,
  LinkedIdentities,
  LinkedIdentity,
  LinkIdentity,
  LinkProof,
} from "@ostiary/contracts";
import { Type } from "typebox";
import type { Deps } from "../domain/deps.ts";
import {
  linkAccount,
  linkIdentity,
  listIdentities,
  proveAccount,
  unlinkIdentity,
} from "../domain/sign-in/index.ts";
import { answer, IdempotencyHeaders } from "./idempotency.ts";
import { OWN_SCOPE, ownUserId } from "./own-account.ts";
import { problems } from "./problems.ts";
import { IdParameters } from "./resource.ts";

type App = Parameters<FastifyPluginAsyncTypebox>[0];

const RECENT = "Needs a sign-in of the last ten minutes (`authentication.stale` else).";
const IdentityParameters = Type.Object({ id: Id, identityId: Id });

/** Who a user is at other providers. */
export function identityRoutes(deps: Deps): FastifyPluginAsyncTypebox {
  return async (app) => {
    registerOwn(app, deps);
    registerLinking(app, deps);
    registerAdministration(app, deps);
  };
}

function registerOwn(app: App, deps: Deps): void {
  app.get(
    "/me/identities",
    {
      schema: {
        operationId: "listMyIdentities",
        summary: "List who one is at other providers",
        description: OWN_SCOPE,
        tags: ["Own account"],
        response: { 200: LinkedIdentities, ...problems() },
      },
    },
    async ({ context }) => ({ items: await listIdentities(deps, context, ownUserId(context)) }),
  );
  app.delete(
    "/me/identities/:id",
    {
      schema: {
        operationId: "unlinkMyIdentity",
        summary: "Unlink one of one's own identities",
        description: `${OWN_SCOPE} ${RECENT} Refused for the last thing that one can sign in with.`,
        tags: ["Own account"],
        params: IdParameters,
        headers: IdempotencyHeaders,
        response: { 204: Type.Null({ description: "Unlinked" }), ...problems(409, 422) },
      },
    },
    (request, reply) =>
      answer(deps, request, reply, async (joined) => {
        const { context, params } = request;
        await unlinkIdentity(joined, context, ownUserId(context), params.id);
        return { status: 204, headers: {} };
      }),
  );
}

function registerLinking(app: App, deps: Deps): void {
  // No idempotency keys: what is made or used here works once.
  app.post(
    "/me/link-proof",
    {
      schema: {
        operationId: "proveMyAccount",
        summary: "Prove that one has this account, to link it with another",
        description: `${OWN_SCOPE} ${RECENT} The token is shown to the other account within ten minutes.`,
        tags: ["Own account"],
        response: { 201: LinkProof, ...problems(413, 415) },
      },
    },
    async ({ context }, reply) => {
      ownUserId(context); // refuses a token that may not do this
      return reply.code(201).send(await proveAccount(deps, context));
    },
  );
  app.post(
    "/me/identities/link",
    {
      schema: {
        operationId: "linkMyAccount",
        summary: "Take over the identities of another account of one's own",
        description:
          `${OWN_SCOPE} ${RECENT} The token proves the other account (\`POST /me/link-proof\` there); from now on its ` +
          "identities sign in to this one. The other account stays, without them.",
        tags: ["Own account"],
        body: LinkAccount,
        response: { 200: LinkedIdentities, ...problems(409, 413, 415) },
      },
    },
    async ({ context, body }) => {
      ownUserId(context); // refuses a token that may not do this
      return { items: await linkAccount(deps, context, body.token) };
    },
  );
}

function registerAdministration(app: App, deps: Deps): void {
  const control = "Needs the permission `user:write` and every permission that the user has.";
  app.get(
    "/users/:id/identities",
    {
      schema: {
        operationId: "listUserIdentities",
        summary: "List who a user is at other providers",
        description: "Needs the permission `user:read`.",
        tags: ["Users"],
        params: IdParameters,
        response: { 200: LinkedIdentities, ...problems() },
      },
    },
    async ({ context, params }) => ({ items: await listIdentities(deps, context, params.id) }),
  );
  app.post(
    "/users/:id/identities",
    {
      schema: {
        operationId: "linkUserIdentity",
        summary: "Say who a user is at another provider",
        description: control,
        tags: ["Users"],
        params: IdParameters,
        headers: IdempotencyHeaders,
        body: LinkIdentity,
        response: { 201: LinkedIdentity, ...problems(409, 413, 415, 422) },
      },
    },
    (request, reply) =>
      answer(deps, request, reply, async (joined) => {
        const body = await linkIdentity(joined, request.context, request.params.id, request.body);
        return { status: 201, headers: {}, body };
      }),
  );
  app.delete(
    "/users/:id/identities/:identityId",
    {
      schema: {
        operationId: "unlinkUserIdentity",
        summary: "Unlink an identity of a user",
        description: control,
        tags: ["Users"],
        params: IdentityParameters,
        headers: IdempotencyHeaders,
        response: { 204: Type.Null({ description: "Unlinked" }), ...problems(409, 422) },
      },
    },
    (request, reply) =>
      answer(deps, request, reply, async (joined) => {
        const { id, identityId } = request.params;
        await unlinkIdentity(joined, request.context, id, identityId);
        return { status: 204, headers: {} };
      }),
  );
}
