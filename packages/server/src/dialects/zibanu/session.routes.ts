import type { FastifyPluginAsync } from "fastify";
import { changePassword } from "../../domain/credentials/index.ts";
import type { Deps } from "../../domain/deps.ts";
import {
  findPerson,
  isSingleSession,
  type Person,
  redeemPasswordCode,
  requestPassword,
  requestPasswordCode,
} from "../../domain/levels/index.ts";
import type { Session } from "../../domain/sessions/index.ts";
import { signInDirectly, signOut } from "../../domain/sign-in/index.ts";
import { issueSlidingToken, refreshSlidingToken, verifySlidingToken } from "../../domain/tokens/index.ts";
import { type Fields, isFields, isTruthy, pythonType, readBody } from "./body.ts";
import {
  addressOf,
  addService,
  answer,
  type Call,
  fieldsOf,
  type SignedInCall,
  slotOf,
  succeed,
  tokenFault,
} from "./calls.ts";
import { isOneOf, NO_DATA, Refusal, refuse, refuseFields } from "./errors.ts";
import { checkText } from "./fields.ts";
import { about, type Sentence, say } from "./messages.ts";
import { hasProfile, toClaim } from "./translate.ts";

/** Signing in and out, and one's own password. */
export function sessionRoutes(deps: Deps): FastifyPluginAsync {
  return async (app) => {
    addService(app, deps, "/login/", "anyone", (call) => login(deps, call));
    addService(app, deps, "/refresh/", "anyone", (call) => refresh(deps, call));
    addService(app, deps, "/logout/", "strict", (call) => logout(deps, call));
    addService(app, deps, "/change-password/", "token", (call) => change(deps, call));
    addService(app, deps, "/request-password/", "known", (call) => request(deps, call));
  };
}

const REJECTED = say("No active account found with the given credentials");

async function login(deps: Deps, call: Call) {
  const { tenant, settings, context, request } = call;
  const { email = "", password = "", ...rest } = await serialized(call, ["email", "password"]);
  // One statement whoever is asked for, so that the time says nothing.
  const person = await findPerson(deps, tenant, { email });
  const whenFull = isTruthy(rest["close"]) ? "end-oldest" : "refuse";
  const { flow, session } = await signInDirectly(deps, context, tenant, {
    applicationId: null,
    // Only addresses are names here: what is nobody's address is looked for as something that nobody can be.
    identifier: person ? email : `${email}\0`,
    password,
    session: {
      slot: slotOf(request),
      idleSeconds: settings.tokenSeconds,
      absoluteSeconds: settings.sessionSeconds,
      ...(person && !isSingleSession(person) ? {} : { limit: { atMost: 1, whenFull } }),
    },
  });
  const who = { ...context, actor: { type: "user", id: flow.userId } } as const;
  // Somebody's username may look like somebody else's address.
  if (person?.id !== flow.userId) {
    await signOut(deps, who, flow.sessionId);
    throw refuse(401, "authentication_failed", REJECTED);
  }
  if (settings.requireProfile && !person.isSuperuser && !hasProfile(person)) {
    await signOut(deps, who, flow.sessionId);
    throw refuse(401, "authentication_failed", say("The user does not have associated profile."));
  }
  return sendToken(deps, call, session, person, person.lastLoginAt);
}

async function refresh(deps: Deps, call: Call) {
  const { tenant, context } = call;
  const { token = "" } = await serialized(call, ["token"]);
  try {
    const verified = await verifySlidingToken(deps, tenant, token);
    const person = await findPerson(deps, tenant, { id: verified.principal.userId });
    const isElsewhere = verified.session.slot !== slotOf(call.request);
    if (!person || (isElsewhere && isSingleSession(person))) {
      throw refuse(401, "authentication_failed", say("You're trying to refresh and invalid token."));
    }
    const session = await refreshSlidingToken(deps, context, verified);
    return await sendToken(deps, call, session, person, person.lastLoginAt);
  } catch (error) {
    const fault = tokenFault(error, tenant);
    if (!fault) throw error;
    if (call.settings.compat === "3.0") throw refuse(401, "invalid_token", fault);
    throw new Refusal(401, { family: "token", text: fault, code: "token_not_valid" });
  }
}

async function sendToken(
  deps: Deps,
  { tenant, settings, reply }: Call,
  session: Session,
  person: Person,
  lastLogin: Date | null,
) {
  const id = settings.compat === "3.0" ? String(person.serial) : person.serial;
  const claim = toClaim(person, lastLogin, settings);
  return answer(reply, { token: await issueSlidingToken(deps, tenant, session, { id, claim }) });
}

async function logout(deps: Deps, { context, caller, reply }: SignedInCall) {
  await signOut(deps, context, caller.session.id);
  return succeed(reply);
}

async function change(deps: Deps, call: SignedInCall) {
  const { settings, context, caller, reply } = call;
  const { old_password: old, new_password: next } = (await fieldsOf(call)).fields;
  const isNewer = settings.compat === "3.0";
  if (old === undefined || next === undefined) {
    const text = say("Old/New password are required.");
    throw refuse(406, "api_exception", isNewer ? about("Change password", text) : text);
  }
  if (old === next) throw notAcceptable("The old and new password must be different");
  if (typeof old !== "string") throw notAcceptable("Old password does not match.");
  if (typeof next !== "string") throw notAcceptable("Not a valid string.");
  const { userId } = caller.principal;
  // The newer release ends the caller's token too.
  const options = isNewer ? {} : { keepSessionId: caller.session.id };
  await changePassword(deps, context, userId, old, next, options).catch((error: unknown) => {
    throw isOneOf(error, "credential.rejected") ? notAcceptable("Old password does not match.") : error;
  });
  return succeed(reply);
}

const notAcceptable = (text: string) => refuse(406, "api_exception", say(text));

async function request(deps: Deps, call: Call) {
  const { tenant, context, reply } = call;
  const { fields } = await fieldsOf(call);
  if (!("email" in fields)) throw refuse(406, "api_exception", NO_DATA);
  const email = typeof fields["email"] === "string" ? fields["email"] : "";
  const linkOf = (secret: string) => addressOf(deps, tenant, `/password/?token=${secret}`);
  if (call.settings.compat === "3.0") {
    await inTwoSteps(deps, call, email, fields, linkOf);
    return succeed(reply);
  }
  await requestPassword(deps, context, tenant, email, linkOf).catch((error: unknown) => {
    if (!isOneOf(error, "user.not_found")) throw error;
    throw notAcceptable("Email is not registered or user is not active.");
  });
  return succeed(reply);
}

/** Of the newer release: without a code one is mailed, with the code comes the new password or a link to choose one. */
async function inTwoSteps(
  deps: Deps,
  { tenant, context }: Call,
  email: string,
  { code, new_password: password }: Fields,
  linkOf: (secret: string) => string,
): Promise<void> {
  if (code === undefined) return requestPasswordCode(deps, context, tenant, email);
  const input = { email, code: String(code), ...(typeof password === "string" ? { password } : {}) };
  await redeemPasswordCode(deps, context, tenant, input, linkOf).catch((error: unknown) => {
    if (isOneOf(error, "code.rejected", "code.used_up")) throw notAcceptable("Invalid code.");
    throw error;
  });
}

/** The text fields of a serializer, each required, and what else was sent. @throws Refusal 400, field by field */
async function serialized(call: Call, names: readonly string[]): Promise<Fields & Record<string, string>> {
  const { value = {} } = await readBody(call.request);
  if (!isFields(value)) {
    const text = say("Invalid data. Expected a dictionary, but got {0}.", pythonType(value));
    throw refuseFields({ non_field_errors: text });
  }
  const faults: Record<string, Sentence> = {};
  const values: Record<string, unknown> = { ...value };
  for (const name of names) {
    const checked = name in value ? checkText(value[name]) : { error: say("This field is required.") };
    if ("error" in checked) faults[name] = checked.error;
    else values[name] = checked.value;
  }
  if (Object.keys(faults).length > 0) throw refuseFields(faults);
  return values as Fields & Record<string, string>;
}
