import type { FastifyPluginAsyncTypebox } from "@fastify/type-provider-typebox";
import {
  GiveChangeCode,
  IdentifierChange,
  IdentifierChanges,
  StartIdentifierChange,
} from "@ostiary/contracts";
import { Type } from "typebox";
import type { Deps } from "../domain/deps.ts";
import {
  cancelIdentifierChange,
  findIdentifierChange,
  giveChangeCode,
  listIdentifierChanges,
  sendChangeCode,
  startIdentifierChange,
} from "../domain/sign-in/index.ts";
import { OWN_SCOPE, ownUserId } from "./own-account.ts";
import { problems } from "./problems.ts";
import { IdParameters } from "./resource.ts";

type App = Parameters<FastifyPluginAsyncTypebox>[0];

const tags = ["Own account"];

/** Changing, confirming and removing one's own addresses. No idempotency keys: codes work once. */
export function identifierChangeRoutes(deps: Deps): FastifyPluginAsyncTypebox {
  return async (app) => {
    registerBeginning(app, deps);
    registerReading(app, deps);
    registerSteps(app, deps);
  };
}

function registerBeginning(app: App, deps: Deps): void {
  app.post(
    "/me/identifier-changes",
    {
      schema: {
        operationId: "startIdentifierChange",
        summary: "Begin to change, confirm or remove an address of one's own",
        description:
          `${OWN_SCOPE} Needs a sign-in of the last ten minutes (\`authentication.stale\` else). A code is sent to the ` +
          "address there is, if that was confirmed, and then to the new one. It replaces a change of the same kind.",
        tags,
        body: StartIdentifierChange,
        response: { 201: IdentifierChange, ...problems(409, 413, 415, 429) },
      },
    },
    async ({ context, tenant, body }, reply) => {
      ownUserId(context); // refuses a token that may not do this
      return reply.code(201).send(await startIdentifierChange(deps, context, tenant, body));
    },
  );
}

function registerReading(app: App, deps: Deps): void {
  app.get(
    "/me/identifier-changes",
    {
      schema: {
        operationId: "listIdentifierChanges",
        summary: "List one's own changes that wait for a code",
        description: OWN_SCOPE,
        tags,
        response: { 200: IdentifierChanges, ...problems() },
      },
    },
    async ({ context }) => {
      ownUserId(context);
      return { items: await listIdentifierChanges(deps, context) };
    },
  );
  app.get(
    "/me/identifier-changes/:id",
    {
      schema: {
        operationId: "getIdentifierChange",
        summary: "Read one change",
        description: OWN_SCOPE,
        tags,
        params: IdParameters,
        response: { 200: IdentifierChange, ...problems() },
      },
    },
    async ({ context, params }) => {
      ownUserId(context);
      return findIdentifierChange(deps, context, params.id);
    },
  );
}

function registerSteps(app: App, deps: Deps): void {
  app.post(
    "/me/identifier-changes/:id/steps/send-code",
    {
      schema: {
        operationId: "sendIdentifierChangeCode",
        summary: "Send the code that the change waits for, once more",
        description: OWN_SCOPE,
        tags,
        params: IdParameters,
        response: { 200: IdentifierChange, ...problems(409, 413, 415, 429) },
      },
    },
    async ({ context, tenant, params }) => {
      ownUserId(context);
      return sendChangeCode(deps, context, tenant, params.id);
    },
  );
  app.post(
    "/me/identifier-changes/:id/steps/give-code",
    {
      schema: {
        operationId: "giveIdentifierChangeCode",
        summary: "Give the code that was sent",
        description: `${OWN_SCOPE} The last code that is needed changes the address.`,
        tags,
        params: IdParameters,
        body: GiveChangeCode,
        response: { 200: IdentifierChange, ...problems(409, 413, 415, 429) },
      },
    },
    async ({ context, tenant, params, body }) => {
      ownUserId(context);
      return giveChangeCode(deps, context, tenant, params.id, body.code);
    },
  );
  app.delete(
    "/me/identifier-changes/:id",
    {
      schema: {
        operationId: "cancelIdentifierChange",
        summary: "Give a change up",
        description: OWN_SCOPE,
        tags,
        params: IdParameters,
        response: { 204: Type.Null({ description: "Given up" }), ...problems() },
      },
    },
    async ({ context, params }, reply) => {
      ownUserId(context);
      await cancelIdentifierChange(deps, context, params.id);
      return reply.code(204).send(null);
    },
  );
}
