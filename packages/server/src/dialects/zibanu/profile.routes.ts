import type { FastifyPluginAsync } from "fastify";
import { type Deps, within } from "../../domain/deps.ts";
import { findPerson, type Person } from "../../domain/levels/index.ts";
import { getAvatar, updateMe } from "../../domain/users/index.ts";
import { FOR_EVER, sendPicture } from "../../platform/http/picture.ts";
import { avatarText, saveAvatar } from "./avatars.ts";
import { readBody } from "./body.ts";
import { addService, answer, type SignedInCall, succeed } from "./calls.ts";
import { NO_DATA, refuse } from "./errors.ts";
import { about, say } from "./messages.ts";
import { allowed, type Faults, readProfile } from "./profile.ts";
import { checkFlags } from "./profile-flags.ts";
import { hasProfile, toProfile, toTime } from "./translate.ts";

/** One's own profile and picture. */
export function profileRoutes(deps: Deps): FastifyPluginAsync {
  return async (app) => {
    addService(app, deps, "/profile/update/", "token", (call) => update(deps, call));

    addService(app, deps, "/user/profile/", "token", async (call) => {
      const { tenant, settings, reply } = call;
      const person = await callerOf(deps, call);
      if (!shows(call, person)) return noProfile(call);
      return answer(reply, {
        first_name: person.givenName,
        last_name: person.familyName,
        last_login: toTime(person.lastLoginAt, settings.timeZone),
        profile: toProfile(person.preferences, await avatarText(deps, tenant, person.id), settings),
      });
    });

    addService(app, deps, "/user/avatar/", "token", async (call) => {
      const { tenant, reply } = call;
      const person = await callerOf(deps, call);
      if (!shows(call, person)) return noProfile(call);
      const avatar = await avatarText(deps, tenant, person.id);
      return avatar === "" ? reply.code(204).send() : answer(reply, avatar);
    });

    /** Whoever knows the address of a picture may see it, as browsers ask for pictures without a token. */
    app.get<{ Params: { id: string } }>("/avatars/:id", async ({ tenant, params }, reply) => {
      return sendPicture(reply, await getAvatar(deps, tenant.id, params.id), FOR_EVER);
    });
  };
}

async function callerOf(deps: Deps, { tenant, caller }: SignedInCall): Promise<Person> {
  const person = await findPerson(deps, tenant, { id: caller.principal.userId });
  if (!person) throw refuse(401, "invalid_token", say("Token is blacklisted"));
  return person;
}

/** Where profiles are required somebody may have none; else everybody has one, made of defaults. */
const shows = ({ settings }: SignedInCall, person: Person) => !settings.requireProfile || hasProfile(person);

const noProfile = ({ settings, reply }: SignedInCall) =>
  settings.compat === "3.0" ? reply.code(204).send() : succeed(reply);

async function update(deps: Deps, call: SignedInCall) {
  const { tenant, settings, context, reply } = call;
  const { value = {}, isForm } = await readBody(call.request);
  const isNewer = settings.compat === "3.0";
  const status = isNewer ? 406 : 400;
  const isEmpty = isNewer && typeof value === "object" && value !== null && Object.keys(value).length === 0;
  if (value === null || isEmpty) throw refuse(status, "api_exception", NO_DATA);
  const faults: Faults = [];
  const change = readProfile({ value, isForm }, settings, faults);
  if (!change) throw refuse(status, "api_exception", ...faults.map(([field, fault]) => about(field, fault)));
  await deps.database.transaction(async (tx) => {
    const joined = within(deps, tx);
    const person = await callerOf(joined, call);
    await checkFlags(joined, call, change.preferences, person);
    const preferences = allowed(change.preferences, settings, {
      isStaff: person.isStaff,
      isSelf: true,
      isSecure: person.preferences.securePassword === true,
      isTrusted: person.isStaff || person.isSuperuser,
    });
    // A profile that is made has its theme: a later default is not what the person saw.
    const theme = person.preferences.theme ?? settings.defaultTheme;
    await updateMe(joined, context, { preferences: { theme, ...preferences } });
    if (change.avatar !== undefined) await saveAvatar(joined, context, tenant, person.id, change.avatar);
  });
  return succeed(reply);
}
