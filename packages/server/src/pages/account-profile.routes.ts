import { IdentityError, UpdateMe, type User } from "@ostiary/contracts";
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { Errors } from "typebox/value";
import type { Deps } from "../domain/deps.ts";
import { updateMe } from "../domain/users/index.ts";
import { toIdentityError } from "../platform/http/problems.ts";
import { accountView, forSignedIn, linksOf, loadUser } from "./account.ts";
import { PROFILE_FIELDS, renderAccountProfilePage } from "./account-profile.page.ts";
import { problemsOf } from "./problems.ts";
import { formOf, seeOther, sendPage } from "./respond.ts";
import type { SignedIn } from "./session.ts";
import type { AccountProfileView, FormErrors, ProfileField } from "./views.ts";

type Values = AccountProfileView["values"];

const ADDRESS = ["country", "region", "locality", "streetAddress", "postalCode"] as const;
const OUTSIDE = ["nickname", "name"] as const;

export function profileRoutes(app: FastifyInstance, deps: Deps): void {
  const path = "/account/profile";
  app.get(
    path,
    forSignedIn(deps, path, async (request, reply, who) =>
      show(deps, request, reply, who, valuesOf(await loadUser(deps, who))),
    ),
  );
  app.post(
    path,
    forSignedIn(deps, path, (...call) => save(deps, ...call)),
  );
}

async function save(
  deps: Deps,
  request: FastifyRequest,
  reply: FastifyReply,
  who: SignedIn,
): Promise<FastifyReply> {
  const typed = typedValues(request);
  try {
    await updateMe(deps, who.context, changeOf(typed));
    return seeOther(reply, linksOf(request).home, { notice: "profile-saved" });
  } catch (thrown) {
    const error = toIdentityError(thrown);
    const errors = problemsOf(error, PROFILE_FIELDS);
    if (!errors) throw thrown;
    return show(deps, request, reply, who, typed, { errors, status: error.status });
  }
}

async function show(
  deps: Deps,
  request: FastifyRequest,
  reply: FastifyReply,
  who: SignedIn,
  values: Values,
  failure: { errors?: FormErrors<string>; status?: number } = {},
): Promise<FastifyReply> {
  const links = linksOf(request);
  const view = await accountView(deps, request, reply, who, { path: links.profile });
  const page = renderAccountProfilePage({
    ...view,
    action: links.profile,
    csrf: who.csrf,
    links,
    values,
    errors: failure.errors as AccountProfileView["errors"],
  });
  return sendPage(deps, reply, view.nonce, page, { status: failure.status ?? 200 });
}

function valuesOf(user: User): Values {
  const { profile } = user;
  const values: Values = {};
  for (const name of PROFILE_FIELDS) values[name] = storedValue(user, profile, name) ?? undefined;
  return values;
}

function storedValue(user: User, profile: User["profile"], name: ProfileField): string | null | undefined {
  if (isOneOf(OUTSIDE, name)) return user[name];
  if (isOneOf(ADDRESS, name)) return profile.address?.[name];
  return profile[name];
}

/** Only the fields that the form had. */
function typedValues(request: FastifyRequest): Values {
  const form = formOf(request);
  const values: Values = {};
  for (const name of PROFILE_FIELDS) {
    const value = form[name];
    if (value !== undefined) values[name] = value.trim();
  }
  return values;
}

/**
 * An emptied field is cleared, one that the form did not have stays.
 *
 * @throws IdentityError `request.invalid` with the fields that cannot be as they are.
 */
function changeOf(values: Values): UpdateMe {
  const change: Record<string, unknown> = {};
  const profile: Record<string, unknown> = {};
  const address: Record<string, unknown> = {};
  for (const name of PROFILE_FIELDS) {
    const value = values[name];
    if (value === undefined) continue;
    const place = isOneOf(OUTSIDE, name) ? change : isOneOf(ADDRESS, name) ? address : profile;
    place[name] = value === "" ? null : value;
  }
  if (Object.keys(address).length > 0) profile.address = address;
  if (Object.keys(profile).length > 0) change.profile = profile;
  const issues = Errors(UpdateMe, change);
  if (issues.length === 0) return change as UpdateMe;
  const fields = issues.map(({ instancePath, message }) => ({ path: instancePath, message }));
  throw new IdentityError("request.invalid", { fields });
}

function isOneOf<const Names extends readonly ProfileField[]>(
  names: Names,
  name: ProfileField,
): name is Names[number] {
  return names.includes(name);
}
