import { IdentityError } from "@ostiary/contracts";
import type { FastifyPluginAsync } from "fastify";
import { Type } from "typebox";
import { findApplicationBySerial } from "../../domain/applications/index.ts";
import type { Deps } from "../../domain/deps.ts";
import {
  authorizeByToken,
  compareIdentity,
  listGroupsForApplication,
} from "../../domain/provisioning/index.ts";
import { findVisibleBySerial, findVisibleByUsername, pageDirectory } from "../../domain/users/index.ts";
import { callerOf, contextOf, succeed, userOf } from "./calls.ts";
import { describe, describeAll } from "./people.ts";
import { toUnknownUser } from "./translate.ts";
import { ReplyOf, Text, UserInfo, UserInfoReply } from "./wire.ts";

/** Of a batch and of a page. */
const MOST = 100;

const Usernames = Type.Array(Type.String({ maxLength: 256 }), { maxItems: MOST });
const Ids = Type.Array(Type.Integer(), { maxItems: MOST });
const Batch = Type.Object({
  users: Type.Array(UserInfo),
  items: Type.Array(UserInfo),
  not_found: Type.Array(Type.Unsafe<string | number>({})),
});
const Token = Type.String({ minLength: 1, maxLength: 16_384 });
const ApplicationId = Type.Integer({ minimum: 1, maximum: Number.MAX_SAFE_INTEGER });

/** Endpoints 3 and 6 to 11: who there is, and what he may do. */
export function userRoutes(deps: Deps): FastifyPluginAsync {
  return async (app) => {
    app.post<{ Body: { token: string | null; permissionCodes: string[] } }>(
      "/permission/check",
      {
        schema: {
          body: Type.Object({
            token: Type.Optional(Text),
            permissionCodes: Type.Array(Type.String({ maxLength: 256 }), { maxItems: 1_000 }),
          }),
          response: {
            200: ReplyOf(Type.Object({ results: Type.Record(Type.String(), Type.Boolean()) })),
          },
        },
      },
      async (request) => {
        const caller = await callerOf(deps, request);
        const { user } = await userOf(deps, request.tenant, caller, request.body.token);
        // Exactly, as the newer client compares the codes by itself: no wildcards.
        const results = request.body.permissionCodes.map(
          (code) => [code, user.permissions.has(code)] as const,
        );
        return succeed({ results: Object.fromEntries(results) });
      },
    );

    app.post<{ Body: { usernames: string[] } }>(
      "/users/batch",
      { schema: { body: Type.Object({ usernames: Usernames }), response: { 200: ReplyOf(Batch) } } },
      async (request) => {
        const caller = await callerOf(deps, request);
        const { usernames } = request.body;
        const known = await findVisibleByUsername(deps, caller, usernames);
        const found = usernames.flatMap((username) => known.get(username.toLowerCase()) ?? []);
        const users = await describeAll(deps, [...new Set(found)]);
        const missing = usernames.filter((username) => !known.has(username.toLowerCase()));
        return succeed({ users, items: users, not_found: missing });
      },
    );

    app.post<{ Body: { userIds?: number[] | null; user_ids?: number[] | null } }>(
      "/users/batch-by-ids",
      {
        schema: {
          body: Type.Object({
            userIds: Type.Optional(Type.Union([Ids, Type.Null()])),
            user_ids: Type.Optional(Type.Union([Ids, Type.Null()])),
          }),
          response: { 200: ReplyOf(Batch) },
        },
      },
      async (request) => {
        const caller = await callerOf(deps, request);
        const ids = request.body.user_ids ?? request.body.userIds;
        if (!ids) throw new IdentityError("request.invalid", { reason: "neither user_ids nor userIds" });
        const wanted = ids.filter((id) => Number.isSafeInteger(id));
        const known = await findVisibleBySerial(deps, caller, wanted);
        const users = await Promise.all(
          ids.map((id) => {
            const user = known.get(id);
            return user ? describe(deps, user) : toUnknownUser(id);
          }),
        );
        return succeed({ users, items: users, not_found: ids.filter((id) => !known.has(id)) });
      },
    );

    app.post<{ Body: { keyword?: string | null; page?: number | null; pageSize?: number | null } }>(
      "/users/list",
      {
        schema: {
          body: Type.Object({
            keyword: Type.Optional(Text),
            page: Type.Optional(Type.Union([Type.Integer({ minimum: 1, maximum: 1_000_000 }), Type.Null()])),
            pageSize: Type.Optional(Type.Union([Type.Integer({ minimum: 1 }), Type.Null()])),
          }),
          response: { 200: ReplyOf(Type.Object({ items: Type.Array(UserInfo), total: Type.Integer() })) },
        },
      },
      async (request) => {
        const caller = await callerOf(deps, request);
        const { keyword, page, pageSize } = request.body;
        const { items, total } = await pageDirectory(deps, caller, {
          keyword: keyword?.trim().slice(0, 256) || null,
          page: page ?? 1,
          size: Math.min(pageSize ?? 20, MOST),
        });
        return succeed({ items: await describeAll(deps, items), total });
      },
    );

    app.post<{
      Body: { sourceAppId: number; sourceToken: string; targetAppId: number; targetToken: string };
    }>(
      "/users/compare-identity",
      {
        schema: {
          body: Type.Object({
            sourceAppId: ApplicationId,
            sourceToken: Token,
            targetAppId: ApplicationId,
            targetToken: Token,
          }),
          response: { 200: ReplyOf(Type.Object({ sameUser: Type.Boolean() })) },
        },
      },
      async (request) => {
        await callerOf(deps, request);
        const { sourceAppId, sourceToken, targetAppId, targetToken } = request.body;
        const side = async (serial: number, token: string) => ({
          token: token.trim(),
          application: await applicationOf(deps, request.tenant.id, serial),
        });
        const source = await side(sourceAppId, sourceToken);
        const target = await side(targetAppId, targetToken);
        return succeed({ sameUser: await compareIdentity(deps, request.tenant, source, target) });
      },
    );

    app.post<{ Body: { sourceAppId: number; sourceToken: string } }>(
      "/users/authorize-by-token",
      {
        schema: {
          body: Type.Object({ sourceAppId: ApplicationId, sourceToken: Token }),
          response: { 200: UserInfoReply },
        },
      },
      async (request) => {
        const caller = await callerOf(deps, request);
        const application = await applicationOf(deps, request.tenant.id, request.body.sourceAppId);
        const token = request.body.sourceToken.trim();
        const context = contextOf(request, caller);
        const user = await authorizeByToken(deps, context, request.tenant, { token, application });
        return succeed(await describe(deps, user));
      },
    );

    app.post(
      "/groups/list",
      {
        schema: {
          response: {
            200: ReplyOf(
              Type.Object({
                items: Type.Array(
                  Type.Object({
                    id: Type.Integer(),
                    name: Type.String(),
                    code: Type.String(),
                    description: Type.String(),
                  }),
                ),
              }),
            ),
          },
        },
      },
      async (request) => {
        const caller = await callerOf(deps, request);
        const groups = await listGroupsForApplication(deps, contextOf(request, caller));
        const items = groups.map(({ serial, name, code, description }) => ({
          id: serial,
          name,
          code,
          description,
        }));
        return succeed({ items });
      },
    );
  };
}

async function applicationOf(deps: Deps, tenantId: string, serial: number) {
  const application = await findApplicationBySerial(deps, tenantId, serial);
  if (!application) throw new IdentityError("application.not_found");
  return application;
}
