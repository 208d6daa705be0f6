import { IdentityError } from "@ostiary/contracts";
import type { FastifyPluginAsync } from "fastify";
import { Type } from "typebox";
import type { Deps } from "../../domain/deps.ts";
import { syncUser, syncUsers } from "../../domain/provisioning/index.ts";
import { callerOf, contextOf, succeed } from "./calls.ts";
import { type TheirUser, toSyncUser } from "./sync-user.ts";
import { ReplyOf } from "./wire.ts";

/** Bytes: a thousand users of 4 kB. */
const BATCH_LIMIT = 4 * 1024 * 1024;
const MOST = 1_000;

const AnyUser = Type.Unsafe<TheirUser>({ type: "object" });

/** Endpoints 12 and 13: users of other systems. */
export function syncRoutes(deps: Deps): FastifyPluginAsync {
  return async (app) => {
    app.post<{ Body: TheirUser }>(
      "/sync/user",
      {
        schema: {
          body: AnyUser,
          response: {
            200: ReplyOf(
              Type.Object({
                success: Type.Boolean(),
                created: Type.Boolean(),
                user_id: Type.Integer(),
                message: Type.String(),
              }),
            ),
          },
        },
      },
      async (request) => {
        const caller = await callerOf(deps, request);
        const { created, serial } = await syncUser(
          deps,
          contextOf(request, caller),
          toSyncUser(request.body),
        );
        const message = created ? "created" : "exists already";
        return succeed({ success: true, created, user_id: serial, message });
      },
    );

    app.post<{ Body: { users: unknown[] } }>(
      "/sync/batch",
      {
        bodyLimit: BATCH_LIMIT,
        schema: {
          body: Type.Object({ users: Type.Array(Type.Unknown(), { maxItems: MOST }) }),
          response: {
            200: ReplyOf(
              Type.Object({
                total: Type.Integer(),
                success: Type.Integer(),
                failed: Type.Integer(),
                skipped: Type.Integer(),
                errors: Type.Array(
                  Type.Object({ index: Type.Integer(), user: Type.String(), error: Type.String() }),
                ),
              }),
            ),
          },
        },
      },
      async (request) => {
        const caller = await callerOf(deps, request);
        const { users } = request.body;
        const result = await syncUsers(deps, contextOf(request, caller), users.map(readUser));
        return succeed({
          total: result.total,
          success: result.created,
          failed: result.failed,
          skipped: result.skipped,
          errors: result.errors.map(({ index, username, message }) => ({
            index,
            user: username ?? nameOfUser(users[index]),
            error: message,
          })),
        });
      },
    );
  };
}

function readUser(user: unknown) {
  try {
    return toSyncUser(user as TheirUser);
  } catch (error) {
    if (error instanceof IdentityError) return error;
    throw error;
  }
}

function nameOfUser(user: unknown): string {
  const name = typeof user === "object" && user !== null && "username" in user ? user.username : undefined;
  return typeof name === "string" ? name.slice(0, 128) : "";
}
