import type { FastifyPluginAsyncTypebox } from "@fastify/type-provider-typebox";
import {
  API_KEY_TYPES,
  ApiKey,
  CreateApiKey,
  CreatedApiKey,
  Id,
  ListQuery,
  OneOf,
  SearchText,
  StrictObject,
  UpdateApiKey,
} from "@ostiary/contracts";
import { Type } from "typebox";
import { checkPermission } from "../domain/access/index.ts";
import {
  createApiKey,
  deleteApiKey,
  getApiKey,
  listApiKeys,
  updateApiKey,
} from "../domain/api-keys/index.ts";
import type { Deps } from "../domain/deps.ts";
import { registerResource } from "./resource.ts";

const ApiKeyQuery = StrictObject({
  ...ListQuery.properties,
  search: Type.Optional(SearchText),
  type: Type.Optional(OneOf(API_KEY_TYPES)),
  userId: Type.Optional(Id),
  applicationId: Type.Optional(Id),
  status: Type.Optional(OneOf(["active", "disabled"])),
});

const READ = "api-key:read";
const WRITE = "api-key:write";
const CONTROL = "You need every permission that the key can use.";

/**
 * API keys. The domain lets a user manage his own without a permission; here the token's scopes count too, and a
 * token that a person gave to some application must not make it lasting credentials. So the permissions are asked for.
 */
export function apiKeyRoutes(deps: Deps): FastifyPluginAsyncTypebox {
  return async (app) => {
    registerResource(app, deps, {
      path: "/api-keys",
      names: { one: "API key", many: "API keys", One: "ApiKey", Many: "ApiKeys" },
      permissions: { read: READ, write: WRITE },
      schemas: {
        item: ApiKey,
        create: CreateApiKey,
        change: UpdateApiKey,
        query: ApiKeyQuery,
        created: CreatedApiKey,
      },
      notes: {
        list: "`search` finds a part of the name.",
        create:
          "Type `user` needs `userId`, type `application` needs `applicationId`. The answer shows the key, this " +
          `once. ${CONTROL}`,
        change: `What is absent stays; \`null\` clears a field (RFC 7386). ${CONTROL}`,
        remove: `It stops working at once. ${CONTROL}`,
      },
      list: async (given, context, query) => {
        checkPermission(context, READ);
        return listApiKeys(given, context, query);
      },
      get: async (given, context, id) => {
        checkPermission(context, READ);
        return getApiKey(given, context, id);
      },
      create: async (joined, context, input) => {
        checkPermission(context, WRITE);
        const { apiKey, key } = await createApiKey(joined, context, input);
        return { ...apiKey, key };
      },
      change: async (joined, context, id, input, version) => {
        checkPermission(context, WRITE);
        return updateApiKey(joined, context, id, input, version);
      },
      remove: async (joined, context, id, version) => {
        checkPermission(context, WRITE);
        return deleteApiKey(joined, context, id, version);
      },
    });
  };
}
