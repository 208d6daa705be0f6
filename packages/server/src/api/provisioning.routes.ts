import type { FastifyPluginAsyncTypebox } from "@fastify/type-provider-typebox";
import {
  CompareIdentity,
  CompareIdentityResult,
  CreateFeishuBot,
  FederatedUser,
  FeishuBot,
  FeishuBotQuery,
  SendFeishuMessage,
  SentFeishuMessage,
  SyncFeishuUser,
  SyncResult,
  SyncUsers,
  UpdateFeishuBot,
} from "@ostiary/contracts";
import { checkPermission } from "../domain/access/index.ts";
import type { Deps } from "../domain/deps.ts";
import {
  compareIdentity,
  createFeishuBot,
  deleteFeishuBot,
  getFeishuBot,
  listFeishuBots,
  sendFeishuMessage,
  syncFeishuUser,
  syncUsers,
  updateFeishuBot,
} from "../domain/provisioning/index.ts";
import { problems } from "./problems.ts";
import { registerResource } from "./resource.ts";

/** Bytes: a thousand users of 4 kB. */
const BATCH_LIMIT = 4 * 1024 * 1024;
const TAGS = ["Provisioning"];

/** Users of other systems, and the connection to Feishu. */
export function provisioningRoutes(deps: Deps): FastifyPluginAsyncTypebox {
  return async (app) => {
    app.post(
      "/provisioning/users",
      {
        bodyLimit: BATCH_LIMIT,
        schema: {
          operationId: "syncUsers",
          summary: "Bring in users of another system",
          description:
            "Needs the permission `user:write`. Each for himself: one that is refused does not stop the others. Who " +
            "exists stays as he is, so the call may be repeated. A password that the policy refuses must be changed " +
            "at the next sign-in.",
          tags: TAGS,
          body: SyncUsers,
          response: { 200: SyncResult, ...problems(413, 415) },
        },
      },
      (request) => syncUsers(deps, request.context, request.body.users),
    );

    app.post(
      "/provisioning/compare-identity",
      {
        schema: {
          operationId: "compareIdentity",
          summary: "Ask whether two tokens are one person's",
          description: "Needs the permission `user:read`.",
          tags: TAGS,
          body: CompareIdentity,
          response: { 200: CompareIdentityResult, ...problems(413, 415) },
        },
      },
      async (request) => {
        checkPermission(request.context, "user:read");
        const { sourceToken, targetToken } = request.body;
        const [source, target] = [{ token: sourceToken }, { token: targetToken }];
        return { sameUser: await compareIdentity(deps, request.tenant, source, target) };
      },
    );

    app.post(
      "/provisioning/feishu-users",
      {
        schema: {
          operationId: "syncFeishuUser",
          summary: "Make sure that a person at Feishu is a user",
          description:
            "Needs the permission `user:write`. Found by Feishu id or username, else created; what is there stays, so the call may be repeated.",
          tags: TAGS,
          body: SyncFeishuUser,
          response: { 200: FederatedUser, ...problems(409, 413, 415) },
        },
      },
      async (request) => {
        const { feishu, ...user } = request.body;
        const { userId, serial, created } = await syncFeishuUser(deps, request.context, user, feishu);
        return { id: userId, serial, created };
      },
    );

    app.post(
      "/provisioning/feishu-messages",
      {
        schema: {
          operationId: "sendFeishuMessage",
          summary: "Send a message by Feishu",
          description:
            "Needs the permission `feishu-message:send`. To one of the tenant's active users, by username or serial, " +
            "or to an id of Feishu's.",
          tags: TAGS,
          body: SendFeishuMessage,
          response: { 200: SentFeishuMessage, ...problems(409, 413, 415, 502) },
        },
      },
      (request) => {
        const { botAppId, to, messageType, content } = request.body;
        const recipient = "receiveId" in to ? to : { ...to, feishu: {} };
        const message = { botAppId, recipient, messageType, content };
        return sendFeishuMessage(deps, request.context, null, message);
      },
    );

    registerResource(app, deps, {
      path: "/feishu-bots",
      names: { one: "Feishu bot", many: "Feishu bots", One: "FeishuBot", Many: "FeishuBots" },
      permissions: { read: "settings:read", write: "settings:write" },
      schemas: { item: FeishuBot, create: CreateFeishuBot, change: UpdateFeishuBot, query: FeishuBotQuery },
      list: listFeishuBots,
      get: getFeishuBot,
      create: createFeishuBot,
      change: updateFeishuBot,
      remove: deleteFeishuBot,
    });
  };
}
