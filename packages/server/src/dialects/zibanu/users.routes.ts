import { randomUUID } from "node:crypto";
import { IdentityError } from "@ostiary/contracts";
import type { FastifyPluginAsync } from "fastify";
import { type Deps, within } from "../../domain/deps.ts";
import {
  addPerson,
  deletePerson,
  findDirectPermissions,
  findPerson,
  getPerson,
  listPeople,
  type Person,
  updatePerson,
  welcomePerson,
} from "../../domain/levels/index.ts";
import { avatarText, saveAvatar } from "./avatars.ts";
import { addressOf, addService, answer, fieldsOf, type SignedInCall, succeed } from "./calls.ts";
import { isOneOf, NO_DATA, NO_RECORD, type Refusal, refuse } from "./errors.ts";
import { about, say } from "./messages.ts";
import { type GivenPerson, readKey, readPerson, toFields } from "./people.ts";
import { allowed } from "./profile.ts";
import { checkFlags, isPrivileged } from "./profile-flags.ts";
import {
  hasProfile,
  type ListedPerson,
  toDetails,
  toListed,
  toProfile,
  toShortProfile,
} from "./translate.ts";

/** Administration of users. */
export function userRoutes(deps: Deps): FastifyPluginAsync {
  return async (app) => {
    addService(app, deps, "/user/add/", "token", (call) => add(deps, call));
    addService(app, deps, "/user/update/", "token", (call) => update(deps, call));
    addService(app, deps, "/user/delete/", "token", (call) => remove(deps, call));
    addService(app, deps, "/user/list/", "token", (call) => list(deps, call));
    addService(app, deps, "/user/retrieve/", "token", (call) => retrieve(deps, call));
  };
}

const NO_USER = say("User does not exist.");

/** Permission before data, as their decorators do. */
function checkMay({ context }: SignedInCall, action: "read" | "write"): void {
  const { permissions } = context;
  if (["*", "user:*", `user:${action}`].some((code) => permissions.has(code))) return;
  throw new IdentityError("permission.denied", { reason: `lacks user:${action}` });
}

async function list(deps: Deps, call: SignedInCall) {
  const { context, tenant, settings, reply } = call;
  const people = await listPeople(deps, context, tenant);
  const listed = people.map((person) => toListed(person, settings));
  if (settings.compat !== "3.0") return answer(reply, listed);
  const { fields } = await fieldsOf(call);
  const order = fields["order_by"];
  if (order === undefined) return answer(reply, listed);
  const sorted = typeof order === "string" ? sortedBy(listed, order) : undefined;
  return sorted ? answer(reply, sorted) : answer(reply, ["Invalid 'order_by' field."], 400);
}

/** By one of the fields that are shown, downwards after a minus; undefined for any other. */
function sortedBy(listed: readonly ListedPerson[], order: string): ListedPerson[] | undefined {
  const isDown = order.startsWith("-");
  const name = order.slice(isDown ? 1 : 0) as keyof ListedPerson;
  if (listed[0] && !Object.hasOwn(listed[0], name)) return undefined;
  const compare = (a: ListedPerson, b: ListedPerson) => {
    const [one, other] = [a[name] ?? "", b[name] ?? ""];
    return one === other ? 0 : one < other ? -1 : 1;
  };
  return [...listed].sort(isDown ? (a, b) => compare(b, a) : compare);
}

/** The newer release passes the flags by that somebody sends who is no staff. */
async function honoured(deps: Deps, call: SignedInCall, given: GivenPerson): Promise<GivenPerson> {
  if (call.settings.compat !== "3.0" || (await isPrivileged(deps, call))) return given;
  const { isStaff: _staff, isSuperuser: _superuser, isActive: _active, ...rest } = given;
  return rest;
}

async function add(deps: Deps, call: SignedInCall) {
  checkMay(call, "write");
  const { tenant, settings, context, reply } = call;
  const { fields, isForm } = await fieldsOf(call);
  if (Object.keys(fields).length === 0) throw refuse(406, "api_exception", NO_DATA);
  const given = await honoured(deps, call, readPerson(fields, call, { isNew: true, isForm }));
  await checkFlags(deps, call, given.profile?.preferences, {});
  const preferences = allowed({ theme: settings.defaultTheme, ...given.profile?.preferences }, settings, {
    isStaff: given.isStaff ?? false,
    isSelf: false,
    isSecure: false,
    isTrusted: true,
  });
  const { isStaff, isSuperuser, groups, permissions, password } = given;
  const person = await deps.database
    .transaction(async (tx) => {
      const joined = within(deps, tx);
      const made = await addPerson(joined, context, tenant, {
        ...toFields(given, preferences),
        ...(settings.automaticUsername ? { username: randomUUID().replaceAll("-", "") } : {}),
        ...(password === undefined ? {} : { password: { plain: password } }),
        registerSource: "zibanu",
        isStaff,
        isSuperuser,
        groups,
        permissions,
      });
      const avatar = given.profile?.avatar;
      if (avatar) await saveAvatar(joined, context, tenant, made.id, avatar);
      if (password === undefined) {
        await welcomePerson(joined, context, tenant, made, (secret) =>
          addressOf(deps, tenant, `/password/?token=${secret}`),
        );
      }
      return made;
    })
    .catch(explain);
  return answer(reply, toListed(person, settings), 201);
}

async function update(deps: Deps, call: SignedInCall) {
  checkMay(call, "write");
  const { tenant, settings, context, reply } = call;
  const { fields, isForm } = await fieldsOf(call).catch(() => ({ fields: {}, isForm: false }));
  const key = readKey(fields, ["id", "email"]);
  if (key === undefined) {
    throw refuse(406, "api_exception", say("'email' or 'id' not found in request data"));
  }
  const before = key && (await findPerson(deps, tenant, key));
  if (!before) throw noUser(call);
  const given = await honoured(deps, call, readPerson(fields, call, { isNew: false, isForm }));
  await checkFlags(deps, call, given.profile?.preferences, before);
  if (!("id" in fields)) delete given.email; // it says who is meant
  const preferences = allowed({ ...given.profile?.preferences }, settings, {
    isStaff: given.isStaff ?? before.isStaff,
    isSelf: before.id === context.actor.id,
    isSecure: before.preferences.securePassword === true,
    isTrusted: before.isStaff || before.isSuperuser,
  });
  const { isStaff, isSuperuser, groups, permissions } = given;
  const person = await deps.database
    .transaction(async (tx) => {
      const joined = within(deps, tx);
      const changed = await updatePerson(
        joined,
        context,
        tenant,
        { id: before.id },
        {
          ...toFields(given, given.profile ? preferences : {}, before),
          isStaff,
          isSuperuser,
          groups,
          permissions,
        },
      );
      const avatar = given.profile?.avatar;
      if (avatar !== undefined) await saveAvatar(joined, context, tenant, before.id, avatar);
      return changed;
    })
    .catch((error: unknown) => {
      if (isOneOf(error, "user.not_found")) throw noUser(call);
      if (settings.compat === "3.0" && isOneOf(error, "level.too_high")) {
        throw refuse(406, "api_exception", say("You cannot upgrade a user with a higher level."));
      }
      throw explained(error);
    });
  const profile = toProfile(person.preferences, await avatarText(deps, tenant, person.id), settings);
  const details = await detailsOf(deps, call, person, profile);
  // The older release has the hash here, which no front end can use.
  return answer(reply, settings.compat === "3.0" ? details : { ...details, password: null });
}

function noUser({ settings }: SignedInCall): Refusal {
  return settings.compat === "3.0"
    ? refuse(404, "api_exception", NO_RECORD)
    : refuse(406, "api_exception", NO_USER);
}

async function remove(deps: Deps, call: SignedInCall) {
  checkMay(call, "write");
  const { tenant, settings, context, reply } = call;
  const { fields } = await fieldsOf(call);
  const key = readKey(fields, ["id", "email"]);
  if (key === undefined) throw refuse(406, "api_exception", NO_DATA);
  const code = settings.compat === "3.0" ? "delete_user" : "api_exception";
  const none = refuse(404, "api_exception", NO_RECORD);
  if (key === null) throw none;
  await deletePerson(deps, context, tenant, key).catch(async (error: unknown) => {
    if (isOneOf(error, "user.not_found")) throw none;
    if (isOneOf(error, "user.own_account")) throw refuse(406, code, say("Cannot delete yourself."));
    if (isOneOf(error, "level.too_high", "permission.escalation")) {
      const target = settings.compat === "3.0" ? await findPerson(deps, tenant, key) : null;
      const isByLevel = target !== null && !target.isStaff && !target.isSuperuser;
      throw refuse(
        406,
        code,
        isByLevel
          ? say("Cannot delete a user with a higher privilege level than yours.")
          : say("Only staff or superuser can delete another superuser or staff."),
      );
    }
    throw error;
  });
  return succeed(reply);
}

async function retrieve(deps: Deps, call: SignedInCall) {
  checkMay(call, "read");
  const { tenant, settings, context, reply } = call;
  const { fields } = await fieldsOf(call).catch(() => ({ fields: {} }));
  const key = readKey(fields, ["pk", "id"]);
  if (key === undefined) {
    throw refuse(406, "pk_required", say("Error! The data required not found."));
  }
  const none = refuse(404, "doest_not_exists", NO_RECORD);
  if (key === null) throw none;
  const person = await getPerson(deps, context, tenant, key).catch((error: unknown) => {
    throw isOneOf(error, "user.not_found") ? none : error;
  });
  const isThere = !settings.requireProfile || hasProfile(person);
  const profile = isThere ? toShortProfile(person.preferences, settings) : null;
  return answer(reply, await detailsOf(deps, call, person, profile));
}

async function detailsOf(
  deps: Deps,
  { tenant, settings }: SignedInCall,
  person: Person,
  profile: object | null,
): Promise<object> {
  const permissions = settings.includePermissions
    ? await findDirectPermissions(deps, tenant.id, person.id)
    : [];
  return toDetails(person, settings, { profile, permissions });
}

/** Failures that are about one field of theirs. */
function explained(error: unknown): unknown {
  const fault = (field: string, text: string, ...values: string[]) =>
    refuse(406, "api_exception", about(field, say(text, ...values)));
  if (isOneOf(error, "user.email_taken")) return fault("email", "Email already in use");
  if (isOneOf(error, "user.username_taken")) {
    return fault("username", "A user with that username already exists.");
  }
  if (isOneOf(error, "group.not_found")) {
    return fault("roles", 'Invalid pk "{0}" - object does not exist.', "?");
  }
  if (isOneOf(error, "permission.not_found")) {
    return fault("permissions", 'Invalid pk "{0}" - object does not exist.', "?");
  }
  return error;
}

function explain(error: unknown): never {
  throw explained(error);
}
