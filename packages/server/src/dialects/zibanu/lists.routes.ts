import type { FastifyPluginAsync } from "fastify";
import type { Deps } from "../../domain/deps.ts";
import { listGroupsFromLevel } from "../../domain/groups/index.ts";
import {
  DEFAULT_LEVEL,
  findPerson,
  LEVELS,
  levelOfActor,
  listNumberedPermissions,
} from "../../domain/levels/index.ts";
import { addService, answer, languageOfCall, type SignedInCall } from "./calls.ts";
import { NOT_ALLOWED, refuse } from "./errors.ts";
import { inLanguage, say } from "./messages.ts";
import { toPermission } from "./translate.ts";

/** Groups, their levels, and permissions. */
export function listRoutes(deps: Deps): FastifyPluginAsync {
  return async (app) => {
    addService(app, deps, "/group/list/", "token", (call) => groups(deps, call));
    addService(app, deps, "/grouplevel/list/", "strict", (call) => {
      const language = languageOfCall(call);
      return answer(
        call.reply,
        LEVELS.map(({ level, name }) => ({ level, name: inLanguage(language, say(name)) })),
      );
    });
    addService(app, deps, "/permission/list/", "token", async (call) => {
      const permissions = await listNumberedPermissions(deps, call.context, call.tenant);
      return answer(call.reply, permissions.map(toPermission));
    });
  };
}

async function groups(deps: Deps, { context, tenant, settings, caller, reply }: SignedInCall) {
  if (settings.compat === "3.0") {
    const person = await findPerson(deps, tenant, { id: caller.principal.userId });
    const mayRead = person?.isStaff || person?.isSuperuser || context.permissions.has("group:read");
    if (!mayRead) throw refuse(403, "permission_denied", NOT_ALLOWED);
  }
  const level = await levelOfActor(deps, context, tenant);
  const found = await listGroupsFromLevel(deps, tenant.id, level, DEFAULT_LEVEL);
  if (!found) return reply.code(204).send();
  return answer(
    reply,
    found.map((group) => ({ id: group.serial, name: group.name, level: group.level ?? DEFAULT_LEVEL })),
  );
}
