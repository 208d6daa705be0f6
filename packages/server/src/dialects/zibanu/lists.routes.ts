import type { FastifyPluginAsync } from "fastify";
import { listAccess } from "../../domain/access/index.ts";
import { findApplication, findApplicationBySerial } from "../../domain/applications/index.ts";
import type { Deps } from "../../domain/deps.ts";
import { listGroupsFromLevel } from "../../domain/groups/index.ts";
import {
  DEFAULT_LEVEL,
  findPerson,
  LEVELS,
  levelOfActor,
  listNumberedPermissions,
} from "../../domain/levels/index.ts";
import { isId } from "../../kernel/identifiers.ts";
import { addService, answer, fieldsOf, languageOfCall, type SignedInCall } from "./calls.ts";
import { NOT_ALLOWED, refuse, refuseByFramework, sendText } from "./errors.ts";
import { toNumber } from "./fields.ts";
import { inLanguage, type Language, say } from "./messages.ts";
import { toPermission } from "./translate.ts";

/** Groups, their levels, and permissions. */
export function listRoutes(deps: Deps): FastifyPluginAsync {
  return async (app) => {
    addService(app, deps, "/group/list/", "token", (call) => groups(deps, call));
    addService(app, deps, "/grouplevel/list/", "strict", (call) =>
      sendText(call.reply, 200, LEVEL_LISTS[languageOfCall(call)]),
    );
    addService(app, deps, "/permission/list/", "token", async (call) => {
      const permissions = await listNumberedPermissions(deps, call.context, call.tenant);
      return answer(call.reply, permissions.map(toPermission));
    });
    addService(app, deps, "/menu/", "token", (call) => menu(deps, call));
  };
}

const levelList = (language: Language) =>
  JSON.stringify(LEVELS.map(({ level, name }) => ({ level, name: inLanguage(language, say(name)) })));

const LEVEL_LISTS = { en: levelList("en"), es: levelList("es"), "zh-CN": levelList("zh-CN") };

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

/** Of the newer release: the entries of an application's menu that the caller may see. */
async function menu(deps: Deps, call: SignedInCall) {
  const { context, tenant, settings, caller, reply } = call;
  if (settings.compat !== "3.0") throw refuseByFramework(404, say("Not found."));
  const { app_id: given } = (await fieldsOf(call)).fields;
  if (given === undefined || given === null || given === "") {
    return answer(reply, [inLanguage(languageOfCall(call), say("Menu ID is required"))], 400);
  }
  const application = await findApplicationNamed(deps, tenant.id, String(given));
  if (!application) throw refuse(404, "not_found", say("Application not found"));
  const subject = { type: "user", id: caller.principal.userId } as const;
  const { allowed } = await listAccess(deps, context, { subject, namespace: application.id, type: "MENU" });
  return answer(
    reply,
    allowed.map(({ resource, actions }) => ({
      name: resource,
      actions: actions.filter(({ conditional }) => !conditional).map(({ action }) => action),
    })),
  );
}

/** By its id or its number. */
function findApplicationNamed(deps: Deps, tenantId: string, name: string) {
  if (isId(name)) return findApplication(deps, tenantId, name);
  const serial = toNumber(name);
  return serial === undefined ? null : findApplicationBySerial(deps, tenantId, serial);
}
