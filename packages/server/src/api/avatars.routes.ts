import type { FastifyPluginAsyncTypebox } from "@fastify/type-provider-typebox";
import { IdentityError, type Tenant, UserAvatar } from "@ostiary/contracts";
import type { FastifyPluginAsync, FastifyRequest } from "fastify";
import { Type } from "typebox";
import type { Deps } from "../domain/deps.ts";
import { issuerOf } from "../domain/tenants/index.ts";
import {
  type AvatarOptions,
  getAvatar,
  readAvatar,
  readOwnAvatar,
  setAvatar,
  setOwnAvatar,
} from "../domain/users/index.ts";
import { FOR_EVER, sendPicture } from "../platform/http/picture.ts";
import { answer, IdempotencyHeaders } from "./idempotency.ts";
import { OWN_SCOPE, ownUserId } from "./own-account.ts";
import { problems } from "./problems.ts";
import { IdParameters } from "./resource.ts";

const TYPES = ["image/png", "image/jpeg", "image/gif", "image/webp"] as const;

/** Bytes: the most that a tenant can allow. */
const BODY_LIMIT = 1_048_576;

/** As any of the types; which one it is, its own bytes say. */
const PictureBody = {
  description: "The file itself",
  content: Object.fromEntries(TYPES.map((type) => [type, { schema: Type.Unsafe<Buffer>({}) }])),
};
const PictureAnswer = { description: "The file itself", content: PictureBody.content };

const PUT_NOTE =
  "The body is a PNG, JPEG, GIF or WebP picture, known by its own bytes, of at most the setting `zibanu.avatarBytes` " +
  "bytes and `zibanu.avatarPixels` wide and high. The one before is gone, and the profile's `picture` follows.";

const CHANGED = problems(409, 413, 415, 422);

/** The pictures of users. */
export function avatarRoutes(deps: Deps): FastifyPluginAsyncTypebox {
  return async (app) => {
    app.removeAllContentTypeParsers();
    app.addContentTypeParser(
      [...TYPES],
      { parseAs: "buffer", bodyLimit: BODY_LIMIT },
      (_request, body, done) => done(null, body),
    );
    app.get(
      "/users/:id/avatar",
      {
        schema: {
          operationId: "getAvatar",
          summary: "Read a user's picture",
          description: "Needs the permission `user:read`.",
          tags: ["Users"],
          params: IdParameters,
          response: { 200: PictureAnswer, ...problems() },
        },
      },
      async ({ context, params }, reply) =>
        sendPicture(reply, await readAvatar(deps, context, params.id), "no-store"),
    );
    app.put(
      "/users/:id/avatar",
      {
        schema: {
          operationId: "setAvatar",
          summary: "Give a user a picture",
          description: `Needs the permission \`user:write\`. ${PUT_NOTE}`,
          tags: ["Users"],
          params: IdParameters,
          headers: IdempotencyHeaders,
          body: PictureBody,
          response: { 200: UserAvatar, ...CHANGED },
        },
      },
      (request, reply) =>
        answer(deps, request, reply, async (joined) => {
          const { context, params, tenant } = request;
          const body = await setAvatar(joined, context, params.id, bytesOf(request), optionsOf(deps, tenant));
          return { status: 200, headers: {}, body };
        }),
    );
    app.delete(
      "/users/:id/avatar",
      {
        schema: {
          operationId: "deleteAvatar",
          summary: "Take a user's picture away",
          description: "Needs the permission `user:write`. Without a picture nothing changes.",
          tags: ["Users"],
          params: IdParameters,
          headers: IdempotencyHeaders,
          response: { 204: Type.Null({ description: "Gone" }), ...problems(409, 413, 415, 422) },
        },
      },
      (request, reply) =>
        answer(deps, request, reply, async (joined) => {
          const { context, params, tenant } = request;
          await setAvatar(joined, context, params.id, null, optionsOf(deps, tenant));
          return { status: 204, headers: {} };
        }),
    );
    ownRoutes(app, deps);
  };
}

function ownRoutes(app: Parameters<FastifyPluginAsyncTypebox>[0], deps: Deps): void {
  app.get(
    "/me/avatar",
    {
      schema: {
        operationId: "getMyAvatar",
        summary: "Read one's own picture",
        description: OWN_SCOPE,
        tags: ["Own account"],
        response: { 200: PictureAnswer, ...problems() },
      },
    },
    async ({ context }, reply) => {
      ownUserId(context); // refuses a token that may not do this
      return sendPicture(reply, await readOwnAvatar(deps, context), "no-store");
    },
  );
  app.put(
    "/me/avatar",
    {
      schema: {
        operationId: "setMyAvatar",
        summary: "Give oneself a picture",
        description: `${OWN_SCOPE} ${PUT_NOTE}`,
        tags: ["Own account"],
        headers: IdempotencyHeaders,
        body: PictureBody,
        response: { 200: UserAvatar, ...CHANGED },
      },
    },
    (request, reply) =>
      answer(deps, request, reply, async (joined) => {
        ownUserId(request.context); // refuses a token that may not do this
        const options = optionsOf(deps, request.tenant);
        const body = await setOwnAvatar(joined, request.context, bytesOf(request), options);
        return { status: 200, headers: {}, body };
      }),
  );
  app.delete(
    "/me/avatar",
    {
      schema: {
        operationId: "deleteMyAvatar",
        summary: "Take one's own picture away",
        description: `${OWN_SCOPE} Without a picture nothing changes.`,
        tags: ["Own account"],
        headers: IdempotencyHeaders,
        response: { 204: Type.Null({ description: "Gone" }), ...CHANGED },
      },
    },
    (request, reply) =>
      answer(deps, request, reply, async (joined) => {
        ownUserId(request.context); // refuses a token that may not do this
        await setOwnAvatar(joined, request.context, null, optionsOf(deps, request.tenant));
        return { status: 204, headers: {} };
      }),
  );
}

/** @throws IdentityError `avatar.invalid`: nothing was sent */
function bytesOf({ body }: { body: unknown }): Buffer {
  if (Buffer.isBuffer(body)) return body;
  throw new IdentityError("avatar.invalid", { reason: "no body" });
}

function optionsOf(deps: Deps, tenant: Tenant): AvatarOptions {
  const { avatarBytes, avatarPixels } = tenant.settings.zibanu;
  return {
    limits: { bytes: avatarBytes, pixels: avatarPixels },
    addressOf: (id) => `${issuerOf(deps, tenant)}/avatars/${id}`,
  };
}

/** Where pictures are shown: whoever knows an address may see it, as browsers ask for pictures without a token. */
export function picturePlugin(deps: Deps): FastifyPluginAsync {
  return async (app) => {
    app.get("/avatars/:id", async (request: FastifyRequest<{ Params: { id: string } }>, reply) =>
      sendPicture(reply, await getAvatar(deps, request.tenant.id, request.params.id), FOR_EVER),
    );
  };
}
