import { IdentityError } from "@ostiary/contracts";
import type { FastifyPluginAsync, FastifyRequest } from "fastify";
import { Type } from "typebox";
import { findPrincipal } from "../../domain/access/index.ts";
import {
  apiKeyPermissions,
  createApiKey,
  findApiKey,
  type VerifiedApiKey,
} from "../../domain/api-keys/index.ts";
import { type Application, findApplication, mayUse } from "../../domain/applications/index.ts";
import type { Deps } from "../../domain/deps.ts";
import { callerOf, nameOf, succeed, userOf } from "./calls.ts";
import { toUsername } from "./translate.ts";
import { ReplyOf, Text } from "./wire.ts";

const KEY_TYPES = { user: "user", application: "app", global: "global" } as const;

const KeyState = Type.Object({
  valid: Type.Boolean(),
  keyType: Type.Optional(Type.String()),
  keyId: Type.Optional(Type.Integer()),
  keyName: Type.Optional(Type.String()),
  appId: Type.Optional(Text),
  userId: Type.Optional(Type.Unsafe<number | null>({ type: ["integer", "null"] })),
  username: Type.Optional(Text),
  nickname: Type.Optional(Text),
  email: Type.Optional(Text),
  phone: Type.Optional(Text),
  avatar: Type.Optional(Text),
  status: Type.Optional(Text),
  isAdmin: Type.Optional(Type.Boolean()),
});
type KeyState = Type.Static<typeof KeyState>;

const NO_KEY: KeyState = { valid: false };

/** Endpoints 4 and 5: keys for programs. */
export function keyRoutes(deps: Deps): FastifyPluginAsync {
  return async (app) => {
    app.post<{ Body: { accessKey?: string | null } }>(
      "/access-key/verify",
      {
        schema: {
          body: Type.Object({ accessKey: Type.Optional(Text) }),
          response: { 200: ReplyOf(KeyState) },
        },
      },
      async (request) => {
        const caller = await callerOf(deps, request);
        const key = await findApiKey(deps, request.body.accessKey ?? "");
        return succeed(await stateOf(deps, request, caller, key));
      },
    );

    app.post<{ Body: { token?: string | null; name?: string | null; description?: string | null } }>(
      "/access-key/create",
      {
        schema: {
          body: Type.Object({
            token: Type.Optional(Text),
            name: Type.Optional(Text),
            description: Type.Optional(Text),
          }),
          response: {
            200: ReplyOf(
              Type.Object({
                keyId: Type.Integer(),
                key: Type.String(),
                keyPrefix: Type.String(),
                keyType: Type.String(),
                userId: Type.Integer(),
                name: Type.String(),
                createdAt: Type.String(),
              }),
            ),
          },
        },
      },
      async (request) => {
        const caller = await callerOf(deps, request);
        const { body } = request;
        const { user, impersonatorId } = await userOf(deps, request.tenant, caller, body.token?.trim());
        const actor = { type: "user", id: user.userId } as const;
        const context = { ...request.context, actor, permissions: user.permissions, impersonatorId };
        const { apiKey, key } = await createApiKey(deps, context, {
          type: "user",
          userId: user.userId,
          name: shortened(body.name, 128) || "access key",
          description: shortened(body.description, 1_024),
          // It says who somebody is. A token that he gave to an application must not become lasting rights here.
          permissions: [],
        });
        return succeed({
          keyId: apiKey.serial,
          key,
          keyPrefix: key.slice(0, 8),
          keyType: KEY_TYPES[apiKey.type],
          userId: user.serial,
          name: apiKey.name,
          createdAt: apiKey.createdAt,
        });
      },
    );
  };
}

/** Unknown, expired, of a suspended owner, or of somebody who may not use the caller: all the same "no". */
async function stateOf(
  deps: Deps,
  request: FastifyRequest,
  caller: Application,
  key: VerifiedApiKey | null,
): Promise<KeyState> {
  if (!key || key.tenantId !== request.tenant.id || (await apiKeyPermissions(deps, key)) === null)
    return NO_KEY;
  const { serial: keyId, name: keyName, type, userId, applicationId } = key;
  const owner = applicationId === null ? null : await findApplication(deps, key.tenantId, applicationId);
  const user = userId === null ? null : await findPrincipal(deps, key.tenantId, userId);
  if (user && !(await mayUse(deps, caller, user.userId))) return NO_KEY;
  return {
    valid: true,
    keyType: KEY_TYPES[type],
    keyId,
    keyName,
    appId: owner ? nameOf(request, owner) : null,
    userId: user?.serial ?? null,
    username: user ? toUsername(user) : null,
    nickname: user ? (user.nickname ?? user.name) : null,
    email: user?.email ?? null,
    phone: user?.phone ?? null,
    avatar: user?.picture ?? null,
    status: user ? "active" : null,
    isAdmin: user ? user.permissions.has("*") : type === "global",
  };
}

/** @throws IdentityError `request.invalid` */
function shortened(text: string | null | undefined, most: number): string {
  const trimmed = text?.trim() ?? "";
  if (trimmed.length > most) throw new IdentityError("request.invalid", { reason: "a text is too long" });
  return trimmed.replaceAll(/\p{Cc}/gu, " ");
}
